"""Test which users a plan reads: those it affects and those that the configuration names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from small_org import ask, config, live

from rolecall.model.desired import Applied, Intent
from rolecall.model.directory import EVERYBODY, PeopleScope
from rolecall.model.live import UNREAD, Coverage, Facts, Live
from rolecall.model.policy import AccessTest, Guards, Policy
from rolecall.model.settings import UNSET, Defaults, Domain, Scim, Settings, Sso
from rolecall.plan.draft import draft_plan
from rolecall.plan.lint.notes import whose_reading

A, B = {"A": "member: X"}, {"A": "member: Y"}
NOBODY = PeopleScope()


def read(desired, org=None, **more):
    return draft_plan(ask(desired, org or live(A), None, **more)).scope


def test_nobody_is_read_where_nobody_can_be_touched():
    assert read(config(A)) == NOBODY
    owned = config(
        A, Policy(guards=Guards(required_org_admins=("ann@acme.com",))), intents={"A": Intent(owner="o@a.b")}
    )
    assert read(owned) == NOBODY


def test_a_mapping_reads_its_group_the_org_admins_and_the_people_the_config_names():
    policy = Policy(
        guards=Guards(required_org_admins=("Ann@acme.com",)),
        access_tests=(AccessTest("t", person="tess@acme.com", has=("member",)),),
    )
    intents = {"A": Intent(owner="Owner@acme.com")}
    found = read(config(B, policy, intents=intents), live(A, caller="Me@acme.com"))
    assert found == PeopleScope(
        groups=frozenset({"A"}),
        emails=frozenset({"ann@acme.com", "tess@acme.com", "owner@acme.com", "me@acme.com"}),
        org_admins=True,
    )


def test_an_owner_in_words_is_nobody_to_read():
    assert read(config(B, intents={"A": Intent(owner="the IT team")})).emails == frozenset()


def test_a_test_of_a_role_reads_whoever_may_have_it_another_way():
    policy = Policy(access_tests=(AccessTest("t", role="team_admin", granted_by_only=("A",)),))
    assert read(config(A, policy)) == PeopleScope(org_admins=True, manual=True, attribute_admins=True)


def test_a_test_that_was_dropped_is_still_read_for():
    applied = Applied(policy=Policy(access_tests=(AccessTest("t", person="tess@acme.com", has=("member",)),)))
    assert read(config(A), applied=applied).emails == {"tess@acme.com"}


@pytest.mark.parametrize(
    ("more", "reads"),
    [
        ({"sso": Sso(allow_passwords=False)}, True),
        ({"sso": Sso(enabled=False)}, True),
        ({"sso": Sso(allow_uninvited=True)}, False),
        ({"domains": {"acme.de": Domain(True, "approval")}}, False),
        ({"domains": {"acme.com": Domain(False, "approval")}}, False),
    ],
)
def test_fewer_ways_to_sign_in_read_all_users(more, reads):
    policy = Policy(manage={"domains": "authoritative"}, guards=Guards(required_org_admins=("ann@acme.com",)))
    org = live(A, sso=Sso(True, "Okta", "okta", False, True))
    assert read(config(A, policy, **more), org) == (EVERYBODY if reads else NOBODY)


@pytest.mark.parametrize("sso", [Sso(True, "Okta", "okta", False, False), UNSET])
def test_a_domain_that_goes_reads_all_users_where_sso_is_the_only_way_or_was_not_read(sso):
    policy = Policy(manage={"domains": "authoritative"})
    org = live(A)
    org = replace(org, settings=replace(org.settings, sso=sso))
    assert read(config(A, policy, domains={"acme.de": Domain(True, "approval")}), org) == EVERYBODY


def test_an_org_that_cannot_search_and_a_change_for_everybody_read_everybody():
    org = live(A)
    plain = replace(org, facts=org.facts._replace(can=org.facts.can - {"people.search"}))
    assert read(config(B), plain) == EVERYBODY
    assert read(config(A), plain) == NOBODY
    assert read(config(A, scim=Scim(enabled=False))) == EVERYBODY


def test_the_default_reads_whoever_has_it():
    found = read(config(A, defaults=Defaults("team_admin", frozenset({"Everyone"}))))
    assert (found.unmapped, found.everybody, found.groups) == (True, False, frozenset())


def test_more_ways_in_read_nobody():
    policy = Policy(guards=Guards(required_org_admins=("ann@acme.com",)))
    org = live(A, sso=Sso(True, "Okta", "okta", False, False))
    assert read(config(A, policy, sso=Sso(allow_passwords=True)), org) == NOBODY


def observed(**sections):
    at = {name: datetime(2026, 11, day, tzinfo=UTC) for name, (day, _) in sections.items()}
    coverage = {name: Coverage(taken_at=at[name], taken_by=by) for name, (_, by) in sections.items()}
    org = Live(Settings(sso=Sso(), scim=Scim()), coverage, Facts(observed=True))
    (problem,) = whose_reading(org, sections, datetime(2026, 11, 29, tzinfo=UTC))
    return problem.message


def test_an_observed_org_names_its_reader_and_the_day():
    both = observed(sso=(20, "ann@acme.com"), scim=(20, "ann@acme.com"))
    assert both.startswith("the org was observed by ann@acme.com on 20 Nov 2026 (9 days ago); later changes")


def test_the_oldest_reading_is_named_with_its_own_reader():
    text = observed(sso=(20, "ann@acme.com"), scim=(22, "bo@acme.com"))
    assert text.startswith("the oldest reading (sso) was made by ann@acme.com on 20 Nov 2026 (9 days ago); later")


@pytest.mark.parametrize(
    ("taken", "ago"),
    [
        (datetime(2026, 11, 29, tzinfo=UTC), "(today)"),
        (datetime(2026, 11, 28, 1, tzinfo=UTC), "(today)"),
        (datetime(2026, 11, 28, tzinfo=UTC), "(1 day ago)"),
        (datetime(2026, 11, 27, tzinfo=UTC), "(2 days ago)"),
        (datetime(2023, 11, 29, tzinfo=UTC), "(1,096 days ago)"),
        (datetime(2026, 11, 29, 20, tzinfo=UTC), "(today)"),
        (datetime(2026, 12, 5, tzinfo=UTC), "(in the future)"),
        (None, "unknown"),
    ],
)
def test_how_long_ago_an_org_was_observed(taken, ago):
    org = Live(Settings(sso=Sso()), {"sso": Coverage(taken_at=taken)}, Facts(observed=True))
    (problem,) = whose_reading(org, ["sso"], datetime(2026, 11, 29, tzinfo=UTC))
    assert ago in problem.message


def test_only_an_observed_org_was_read_by_someone():
    org = Live(Settings(sso=Sso()), {"sso": Coverage(taken_by="ann@acme.com")}, Facts(observed=False))
    assert whose_reading(org, ["sso"], datetime(2026, 11, 29, tzinfo=UTC)) == []


def test_a_section_that_was_not_read_is_no_older_reading():
    at = datetime(2026, 11, 20, tzinfo=UTC)
    coverage = {"sso": Coverage(taken_at=at), "scim": UNREAD}
    org = Live(Settings(sso=Sso(), scim=UNSET), coverage, Facts(observed=True))
    (problem,) = whose_reading(org, ["sso", "scim"], datetime(2026, 11, 29, tzinfo=UTC))
    assert problem.message.startswith("the org was observed on 20 Nov 2026")
