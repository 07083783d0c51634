"""Test guards of what was not read or is old, the upgrade, other configurations, approvals and policies."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orgs
import pytest
from small_org import ask, config, crowd, live, many, person, plan, verdict, words

from rolecall.errors import Where
from rolecall.model.desired import Applied
from rolecall.model.lineage import LogCheck, UnknownApply
from rolecall.model.live import UNREAD, Coverage
from rolecall.model.policy import Allow, Band, Guards, Ignore, Limit, Policy
from rolecall.model.settings import BLANK, UNSET, Scim, Sso
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.plan.guards.idp import OF_IDP
from rolecall.plan.make import make

A, B = {"A": "member: X"}, {"A": "member: Y"}


def test_every_guard_speaks_in_every_plan_also_in_one_that_is_refused():
    for made in (plan(A, A, []), plan(A, B, None), plan(A, {}, many(50, "A"))):
        assert [row.name for row in made.guards] == [name for name in GUARDS if name not in OF_IDP]
    assert plan(A, {}, many(50, "A")).verdict == "block"


def test_people_who_were_not_read_block_and_guards_about_them_are_not_judged():
    made = plan(A, B, None)
    assert verdict(made, "unread").verdict == "block"
    assert any("Users were not read" in line for line in words(verdict(made, "unread")))
    assert verdict(made, "max_people_losing_access").verdict == "not judged"
    assert made.impact.people is None
    assert made.impact.headline == ""


def test_on_an_observed_org_people_unread_are_a_review():
    made = plan(A, B, None, observed=True, can=frozenset())
    assert verdict(made, "unread").verdict == "review"
    assert verdict(made, "escalations").verdict == "not judged"


def test_people_of_whom_nothing_was_read_are_not_an_org_that_has_nobody():
    asked = ask(config(B), live(A, observed=True, can=frozenset()), [])
    unread = asked._replace(directory=replace(asked.directory, coverage=UNREAD._replace(problem="no `people:`")))
    made = make(unread)
    assert made.impact.problem == "Users were not read: no `people:`. Who gains or loses access is unknown."
    assert (made.impact.people, made.impact.headline) == (None, "")
    assert verdict(made, "max_people_losing_access").verdict == "not judged"
    assert verdict(made, "unread").ways[0] == "Set `people` in the config to the source of users."


def test_people_read_in_part_are_not_judged_unless_what_was_seen_is_too_much_already():
    partial = Coverage("partial", 100, 400)
    some = ask(config(B), live(A, active_people=400), many(5, "A"))
    some = some._replace(directory=replace(some.directory, coverage=partial))
    made = make(some)
    assert made.impact.problem == (
        "Users were partially read (100 of 400). More users may be affected than this plan shows."
    )
    assert verdict(made, "max_people_losing_access").verdict == "not judged"
    assert verdict(made, "unread").verdict == "block"
    much = some._replace(directory=replace(ask(config(B), live(A), many(60, "A")).directory, coverage=partial))
    assert verdict(make(much), "max_people_losing_access").verdict == "block"


def test_a_plan_that_touches_nobody_needs_no_people():
    made = make(ask(config(None, domains={}), live(A), None))
    assert verdict(made, "unread").verdict == "pass"
    assert verdict(made, "max_people_losing_access").verdict == "pass"


def test_a_managed_section_that_was_not_read_blocks_a_plan_that_writes():
    org = live(A)
    org = replace(org, settings=replace(org.settings, sso=UNSET), coverage={"sso": UNREAD._replace(problem="403")})
    desired = config(B, sso=orgs.Sso(enabled=True))
    made = make(ask(desired, org, many(1, "A")))
    said = verdict(made, "unread")
    assert said.verdict == "block"
    assert "sso (403)" in said.message
    still = make(ask(config(A, sso=orgs.Sso(enabled=True)), org, []))
    assert verdict(still, "unread").verdict == "pass"


@pytest.mark.parametrize(("days", "expected"), [(0, "pass"), (30, "pass"), (31, "review"), (61, "block")])
def test_an_observed_org_grows_old(days, expected):
    taken = Coverage(taken_at=orgs.NOW - timedelta(days=days))
    org = replace(live(A, observed=True, can=frozenset()), coverage={"idp_groups": taken})
    guards = Guards(observed_age=Band(Limit(30), Limit(60)))
    made = make(ask(config(B, Policy(guards=guards)), org, []))
    assert verdict(made, "observed_age").verdict == expected


def test_a_day_that_is_yet_to_come_does_not_make_an_observed_org_young():
    taken = Coverage(taken_at=orgs.NOW + timedelta(days=1500), taken_by="ann@acme.com")
    org = replace(live(A, observed=True, can=frozenset()), coverage={"idp_groups": taken})
    made = make(ask(config(B), org, []))
    assert verdict(made, "observed_age").verdict == "review"
    assert "is in the future" in verdict(made, "observed_age").message
    assert any("(in the future)" in problem.message for problem in made.warnings)


def test_an_address_that_another_config_applied_last_needs_a_review():
    applied = Applied(config={"idp_groups/A": "git@example.com:other.git//rolecall.yaml"})
    made = plan(A, B, [], applied=applied, config="mine")
    assert verdict(made, "foreign").verdict == "review"
    assert "other.git" in words(verdict(made, "foreign"))[1]
    assert (
        verdict(
            plan(A, B, [], applied=replace(applied, config={"idp_groups/A": "mine"}), config="mine"), "foreign"
        ).verdict
        == "pass"
    )
    assert verdict(plan(A, B, [], applied=applied), "foreign").verdict == "pass"


@pytest.mark.parametrize(("needed", "expected"), [("none", "pass"), ("recorded", "review"), ("other_person", "review")])
def test_an_approval_is_asked_for_and_no_allowance_stands_for_it(needed, expected):
    made = plan(A, B, [], Guards(approval=needed), lifts=(Allow("approval", None, 9, None, ""),))
    assert verdict(made, "approval").verdict == expected


def test_a_looser_policy_needs_a_review_even_where_nothing_else_changes():
    applied = Applied(policy=Policy(guards=Guards(min_org_admins=3), manage={"idp_groups": "authoritative"}))
    policy = Policy(sources={"guards.min_org_admins": Where("rolecall.yaml", 30, 3)})
    made = plan(A, A, [], Guards(min_org_admins=2), policy, applied=applied)
    said = verdict(made, "policy")
    assert said.verdict == "review"
    assert "guards.min_org_admins: 3 → 2 (rolecall.yaml:30)" in words(said)
    assert verdict(made, "min_org_admins").verdict == "pass"


def test_ignoring_more_loosens_and_less_does_not():
    ignoring = Policy(ignore=(Ignore("idp_groups/tmp-*", "sandbox"),), manage={"idp_groups": "authoritative"})
    plain = Policy(manage={"idp_groups": "authoritative"})
    more = plan(A, A, [], policy=ignoring, applied=Applied(policy=plain))
    assert verdict(more, "policy").verdict == "review"
    less = plan(A, A, [], policy=plain, applied=Applied(policy=ignoring))
    assert verdict(less, "policy").verdict == "pass"
    assert [row.loosens for row in less.policy_changes] == [False]


def _upgrading(**facts):
    scim = Scim(True, "okta", "upgrading", False)
    return live({"New": ""}, scim=scim, legacy_links={"Old": frozenset({"X"})}, **facts)


def test_completing_an_upgrade_is_refused_while_an_org_admin_by_attribute_would_go():
    desired = config({"New": "member: X"}, scim=Scim(endpoint="new"))
    people = [person("ann", "New", role_attribute="admin"), person("bo", "Old", "New")]
    made = make(ask(desired, _upgrading(), people))
    said = verdict(made, "upgrade")
    assert said.verdict == "block"
    assert "ann@acme.com" in words(said)[1]
    assert made.impact.upgrade.stage == "complete"
    assert [who.email for who in made.impact.upgrade.org_admins_lost] == ["ann@acme.com"]
    kept = make(ask(config({"New": "org_admin: X"}, scim=Scim(endpoint="new")), _upgrading(), people))
    assert verdict(kept, "upgrade").verdict == "pass"


def test_an_upgrade_is_refused_without_people():
    org = live({"Old": ": X"}, scim=Scim(True, "okta", "legacy", False))
    desired = config({"New": "member: X"}, scim=Scim(endpoint="new"))
    assert verdict(make(ask(desired, org, None)), "upgrade").verdict == "block"
    made = make(ask(desired, org, [person("ann", "Old")]))
    assert verdict(made, "upgrade").verdict == "pass"
    told = made.impact.upgrade
    assert (told.stage, told.keep, told.differ, told.groups, told.pushed) == ("start", 0, 1, 2, 0)


def test_the_start_of_an_upgrade_says_who_will_not_keep_what_they_have():
    org = live({"Old": ": X", "Mkt": ": Y"}, scim=Scim(True, "okta", "legacy", False))
    desired = config({"Mkt": "member: Everyone, Y"}, scim=Scim(endpoint="new"))
    people = [
        person("ann", "Old"),
        person("bo", "Mkt"),
        person("sam", origin="saml"),
        person("off", "Old", active=False),
    ]
    made = make(ask(desired, org, people))
    told = made.impact.upgrade
    assert made.impact.moves == ()
    assert (told.keep, told.differ) == (2, 1)
    (move,) = told.moves
    assert [who.email for who in move.people] == ["ann@acme.com"]
    assert (move.kind, move.to_default, move.because) == ("lose", True, ("scim",))
    done = replace(
        org, settings=replace(org.settings, idp_groups={"Mkt": BLANK}, scim=Scim(True, "okta", "upgrading", False))
    )
    done = replace(done, facts=org.facts._replace(legacy_links={"Old": frozenset({"X"}), "Mkt": frozenset({"Y"})}))
    later = make(ask(desired, done, people))
    assert (later.impact.upgrade.keep, later.impact.upgrade.differ, later.impact.upgrade.moves) == (2, 1, ())
    assert [who.email for row in later.impact.moves for who in row.people] == ["ann@acme.com"]


def some_of(people):
    return replace(crowd(people), coverage=Coverage("partial", len(people), 9))


def test_an_upgrade_is_refused_while_people_were_read_in_part():
    org = live({"Old": ": X"}, scim=Scim(True, "okta", "legacy", False))
    desired = config({"New": "member: X"}, scim=Scim(endpoint="new"))
    made = make(ask(desired, org, None)._replace(directory=some_of([person("ann", "Old")])))
    said = verdict(made, "upgrade")
    assert said.verdict == "block"
    assert "Users were partially read (1 of 9)" in words(said)[1]


def test_what_is_denied_to_those_who_were_read_is_denied():
    desired = config({"A": "org_admin: X"}, Policy(guards=Guards(escalations={"org_admin": "deny"})))
    made = make(ask(desired, live(A), None)._replace(directory=some_of([person("ann", "A")])))
    assert verdict(made, "escalations").verdict == "block"
    mild = config({"A": "org_admin: X"}, Policy(guards=Guards(escalations={"org_admin": "review"})))
    made = make(ask(mild, live(A), None)._replace(directory=some_of([person("ann", "A")])))
    assert verdict(made, "escalations").verdict == "not judged"


def test_a_section_that_nobody_wrote_down_is_refused_on_an_observed_org_too():
    org = live(A, observed=True, can=frozenset())
    org = replace(org, settings=replace(org.settings, sso=UNSET), coverage={"sso": Coverage("unread")})
    desired = config(B, sso=Sso(enabled=True))
    assert verdict(make(ask(desired, org, None)), "unread").verdict == "block"
    assert verdict(make(ask(config(B), org, None)), "unread").verdict == "review"


def test_only_groups_that_count_are_told_as_pushed_again():
    scim = Scim(True, "okta", "upgrading", False)
    org = live({"New": "", "Extra": ""}, scim=scim, legacy_links={"Old": frozenset({"X"}), "New": frozenset({"X"})})
    made = make(ask(config({"New": "member: X"}, scim=Scim(endpoint="new")), org, [person("ann", "New")]))
    assert (made.impact.upgrade.groups, made.impact.upgrade.pushed) == (2, 1)


LATER = UnknownApply("j-2", "7", datetime(2026, 11, 20, 8, 13, tzinfo=UTC))


@pytest.mark.parametrize(
    ("applied", "log", "text"),
    [
        (Applied(), LogCheck("e9", 3, LATER), "no record of any The policy of the last apply is in the journal j-2"),
        (
            Applied(policy=Policy(), journal="j-1"),
            LogCheck("e9", 3, LATER),
            "no record of run 7 (2026-11-20 08:13 UTC) The policy of the last apply is in the journal j-2",
        ),
        (Applied(policy=Policy(), journal="j-2"), LogCheck("e9", 3, LATER), "restored from an older backup"),
        (Applied(policy=Policy()), LogCheck("e9", 1_950, whole=False), "The newest 1,950 entries"),
    ],
    ids=["no record", "an older record", "restored", "too many entries"],
)
def test_a_policy_whose_last_record_is_not_in_the_journal_is_not_judged(applied, log, text):
    asked = ask(config(A), live(A), [])._replace(applied=applied, log=log)
    found = verdict(make(asked), "policy")
    assert found.verdict == "not judged"
    assert text in " ".join(words(found))
    changes = [(row.path, row.before, row.loosens) for row in make(asked).policy_changes if row.loosens]
    assert changes == ([] if log.unknown is None else [("journal", "j-2", True)])


def test_a_log_that_shows_nothing_unknown_passes():
    asked = ask(config(A), live(A), [])._replace(applied=Applied(policy=Policy()), log=LogCheck("e9", 1))
    assert verdict(make(asked), "policy").verdict == "pass"


def unread_org(*sections, **more):
    org = live(A, **more)
    coverage = {name: UNREAD._replace(problem=f"{name} failed") for name in sections}
    settings = replace(org.settings, **dict.fromkeys(sections, UNSET))
    return replace(org, settings=settings, coverage=coverage)


@pytest.mark.parametrize("observed", [False, True])
def test_each_section_that_was_not_read_counts_and_is_named_with_its_reason(observed):
    org = unread_org("sso", "scim", observed=observed)
    made = make(ask(config(B, sso=Sso(enabled=True), scim=Scim(enabled=True)), org, many(1, "A")))
    said = verdict(made, "unread")
    assert said.verdict == "block"
    assert said.found >= 2
    assert said.found == said.actual
    assert "sso (sso failed)" in said.message
    assert "scim (scim failed)" in said.message
    assert ("observe" in said.ways[0]) is observed
    assert len(set(said.ways)) == len(said.ways)


def test_an_override_of_unread_has_to_cover_every_section_and_the_users():
    org = unread_org("sso")
    asked = ask(config(B, sso=Sso(enabled=True)), org, None)
    found = verdict(make(asked), "unread").found
    assert found >= 2
    for up_to, expected in ((found - 1, "block"), (found, "allowed")):
        lifted = asked._replace(lifts=(Allow("unread", None, up_to, None, ""),))
        assert verdict(make(lifted), "unread").verdict == expected


def test_the_guards_that_need_users_are_named_where_none_were_read():
    guards = Guards(required_org_admins=("ann@acme.com",))
    made = plan(A, B, None, guards)
    assert verdict(made, "unread").verdict == "block"
    unjudged = [row.name for row in made.guards if row.verdict == "not judged"]
    assert "required_org_admins" in unjudged


@pytest.mark.parametrize(("days", "expected"), [(10, "pass"), (31, "review")])
def test_users_that_were_read_long_ago_make_an_observed_org_old_where_the_plan_moves_any(days, expected):
    def made(groups):
        coverage = {
            "idp_groups": Coverage(taken_at=orgs.NOW),
            "people": Coverage(taken_at=orgs.NOW - timedelta(days=days)),
        }
        org = replace(live(A, observed=True, can=frozenset()), coverage=coverage)
        policy = Policy(guards=Guards(observed_age=Band(Limit(30), Limit(60))))
        return make(ask(config(groups, policy), org, many(2, "A")))

    said = verdict(made(B), "observed_age")
    assert (said.verdict, said.actual, said.found) == (expected, days, days)


def test_an_observed_org_without_a_date_and_an_org_with_an_api_have_no_age():
    undated = replace(live(A, observed=True, can=frozenset()), coverage={"idp_groups": Coverage()})
    assert verdict(make(ask(config(B), undated, [])), "observed_age").verdict == "pass"
    dated = replace(live(A), coverage={"idp_groups": Coverage(taken_at=orgs.NOW - timedelta(days=900))})
    assert verdict(make(ask(config(B), dated, [])), "observed_age").verdict == "pass"


@pytest.mark.parametrize(("days", "expected"), [(0, 0), (0.9, 0), (1, 1), (29.99, 29)])
def test_the_age_is_in_whole_days_and_never_negative(days, expected):
    taken = Coverage(taken_at=orgs.NOW - timedelta(days=days))
    org = replace(live(A, observed=True, can=frozenset()), coverage={"idp_groups": taken})
    assert verdict(make(ask(config(B), org, [])), "observed_age").actual == expected
    soon = replace(org, coverage={"idp_groups": Coverage(taken_at=orgs.NOW + timedelta(hours=5))})
    assert verdict(make(ask(config(B), soon, [])), "observed_age").actual == 0


@pytest.mark.parametrize("order", [("recorded", "other_person"), ("other_person", "recorded"), ("none", "recorded")])
def test_the_strictest_approval_of_the_config_and_of_the_last_apply_is_needed(order):
    here, before = order
    applied = Applied(policy=Policy(guards=Guards(approval=before)))
    said = verdict(plan(A, B, [], Guards(approval=here), applied=applied), "approval")
    assert (said.verdict, said.limit) == ("review", max(order, key=("none", "recorded", "other_person").index))


@pytest.mark.parametrize(("before", "expected"), [(3, "review"), (1, "pass")])
def test_a_plan_that_only_changes_the_policy_needs_an_approval_where_it_loosens_it(before, expected):
    applied = Applied(policy=Policy(guards=Guards(approval="recorded", min_org_admins=before)))
    made = plan(A, A, [], Guards(approval="recorded", min_org_admins=2), applied=applied)
    assert verdict(made, "approval").verdict == expected
