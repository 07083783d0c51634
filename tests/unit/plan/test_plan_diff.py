"""Test the differences between desired and live settings, case by case."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import orgs
import pytest

from rolecall.model.desired import Applied, Desired, Intent
from rolecall.model.live import UNREAD, Caller, Facts, Group, Live
from rolecall.model.policy import Ignore, Policy
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.diff.changes import diff
from rolecall.plan.make import make
from rolecall.plan.saved.summary import renames_as_one, summary

MEMBER = GroupMapping("member", frozenset({"Marketing"}))
ADMIN = GroupMapping("org_admin", frozenset({"IT"}))
LEGAL = GroupMapping("member", frozenset({"Legal"}))


def live(groups=None, *, facts=None, **sections) -> Live:
    held = {"idp_groups": groups or {}, **sections}
    ids = {key: Group(f"id-{key}") for key in held["idp_groups"]}
    base = Facts(org_id="org_1", teams=frozenset(orgs.TEAMS), groups=ids, can=orgs.EVERYTHING)
    return Live(Settings(**held), facts=base._replace(**(facts or {})))


def desired(groups=None, intents=None, policy=None, **sections) -> Desired:
    held = {"idp_groups": UNSET if groups is None else groups, **sections}
    said = {f"idp_groups/{key}": intent for key, intent in (intents or {}).items()}
    return Desired(Settings(**held), said, policy or Policy())


def found(wanted, held, applied=None):
    difference = diff(wanted, held, orgs.TODAY, applied or Applied())
    return [(c.address.partition("/")[2] or c.address, c.action, c.via, c.reason) for c in difference.changes]


@pytest.mark.parametrize(
    ("wanted", "held", "change"),
    [
        ({"A": MEMBER}, {"A": MEMBER}, []),
        ({"A": MEMBER}, {"A": BLANK}, [("A", "create", "api", "config")]),
        ({"A": ADMIN}, {"A": MEMBER}, [("A", "update", "api", "config")]),
        ({"A": BLANK}, {"A": MEMBER}, [("A", "delete", "api", "blank")]),
        ({"A": MEMBER}, {}, [("A", "create", "waiting", "config")]),
        ({"A": BLANK}, {}, []),
        ({}, {"A": MEMBER}, []),
        (None, {"A": MEMBER}, []),
    ],
)
def test_mappings(wanted, held, change):
    assert found(desired(wanted), live(held)) == change


def test_a_mapping_is_one_value_so_a_role_left_out_is_no_role():
    wanted = desired({"A": GroupMapping(None, frozenset({"Marketing"}))})
    assert found(wanted, live({"A": MEMBER})) == [("A", "update", "api", "config")]


def test_authoritative_unmaps_what_is_not_listed_and_passes_over_blank_groups():
    policy = Policy(manage={"idp_groups": "authoritative"})
    assert found(desired({}, policy=policy), live({"A": MEMBER, "B": BLANK})) == [("A", "delete", "api", "not_listed")]


def test_remove_unmaps_a_group_of_an_additive_section():
    intents = {"A": Intent(remove=True)}
    wanted, held = desired({"B": LEGAL}, intents), live({"A": LEGAL, "B": LEGAL, "C": LEGAL})
    assert found(wanted, held) == [("A", "delete", "api", "removed")]
    applied = Applied(Settings(idp_groups={"A": LEGAL, "B": LEGAL}))
    assert diff(wanted, held, orgs.TODAY, applied).released == ()
    assert found(wanted, live({"B": LEGAL})) == []


def test_unmanaged_changes_nothing_and_lists_the_mapping():
    wanted = desired({"A": ADMIN}, policy=Policy(manage={"idp_groups": "unmanaged"}))
    difference = diff(wanted, live({"A": MEMBER}), orgs.TODAY)
    assert difference.changes == ()
    assert difference.unmanaged == ("idp_groups/A",)


@pytest.mark.parametrize(("until", "changes"), [(orgs.TODAY, 0), (orgs.TODAY - timedelta(days=1), 1), (None, 0)])
def test_ignore_holds_through_its_last_day(until, changes):
    policy = Policy(ignore=(Ignore("idp_groups/tmp-*", "sandbox", until),))
    wanted = desired({"tmp-x": MEMBER}, policy=policy)
    assert len(diff(wanted, live({"tmp-x": BLANK}), orgs.TODAY).changes) == changes


@pytest.mark.parametrize(
    ("expires", "change"),
    [
        (orgs.TODAY, []),
        (orgs.TODAY - timedelta(days=1), [("A", "delete", "api", "expired")]),
        (None, []),
    ],
)
def test_an_entry_holds_through_the_day_it_expires(expires, change):
    wanted = desired({"A": MEMBER}, {"A": Intent(expires=expires)})
    assert found(wanted, live({"A": MEMBER})) == change


def test_an_entry_whose_name_has_a_slash_expires_too():
    wanted = desired({"A/B": MEMBER, "B": MEMBER}, {"A/B": Intent(expires=orgs.TODAY - timedelta(days=1))})
    assert found(wanted, live({"A/B": MEMBER, "B": MEMBER})) == [("A/B", "delete", "api", "expired")]


def test_a_mapping_that_expires_within_two_weeks_is_warned_of():
    wanted = desired({"A": MEMBER}, {"A": Intent(expires=date(2026, 12, 6))})
    plan = make(orgs.question(wanted, live({"A": MEMBER})))
    assert [problem.code for problem in plan.warnings] == ["users_unread", "expires_soon"]


class TestNames:
    def test_a_pinned_id_wins_over_the_name_and_asks_to_rename_the_key(self):
        held = live({"New name": MEMBER}, facts={"groups": {"New name": Group("g1")}})
        difference = diff(desired({"Old name": ADMIN}, {"Old name": Intent(id="g1")}), held, orgs.TODAY)
        assert [c.address for c in difference.changes] == ["idp_groups/New name"]
        assert difference.problems[0].hint == "rename the key to `New name`"

    def test_a_pinned_id_that_is_not_there_waits_even_if_the_name_is(self):
        wanted = desired({"A": ADMIN}, {"A": Intent(id="other")})
        assert found(wanted, live({"A": MEMBER})) == [("A [other]", "create", "waiting", "config")]
        assert found(wanted, live({"B": MEMBER})) == [("A", "create", "waiting", "config")]

    def test_an_id_remembered_from_before_is_reported_and_never_unmapped(self):
        held = live({"Writer-Marketing": MEMBER}, facts={"groups": {"Writer-Marketing": Group("g1")}})
        wanted = desired({"Mktg": MEMBER}, policy=Policy(manage={"idp_groups": "authoritative"}))
        difference = diff(wanted, held, orgs.TODAY, Applied(group_ids={"Mktg": "g1"}))
        assert difference.changes == ()
        assert "`Mktg` was renamed to `Writer-Marketing`" in difference.problems[0].message

    def test_two_groups_of_one_name_need_an_id(self):
        groups = {"A [g1]": Group("g1"), "A [g2]": Group("g2")}
        held = live(dict.fromkeys(groups, BLANK), facts={"groups": groups, "homonyms": frozenset({"A"})})
        assert make(orgs.question(desired({"A": MEMBER}), held)).errored
        pinned = diff(desired({"A": MEMBER}, {"A": Intent(id="g2")}), held, orgs.TODAY)
        assert [c.address for c in pinned.changes] == ["idp_groups/A [g2]"]
        assert pinned.problems == ()


class TestPreviously:
    renamed = Intent(previously=("Old",))

    def test_another_group_is_mapped_and_the_old_one_unmapped_as_one_rename(self):
        wanted = desired({"New": MEMBER}, {"New": self.renamed})
        plan = make(orgs.question(wanted, live({"Old": MEMBER, "New": BLANK})))
        assert [(c.address, c.action, c.wave) for c in plan.changes] == [
            ("idp_groups/New", "create", 1),
            ("idp_groups/Old", "delete", 4),
        ]
        assert summary(plan) | {"api": 1} == summary(plan)
        assert plan.requests.write == 2
        assert (summary(plan)["rename"], summary(plan)["create"], summary(plan)["delete"]) == (1, 0, 0)

    def test_while_the_new_group_waits_so_does_the_delete(self):
        wanted = desired({"New": MEMBER}, {"New": self.renamed})
        assert found(wanted, live({"Old": MEMBER})) == [
            ("New", "create", "waiting", "previously"),
            ("Old", "delete", "waiting", "previously"),
        ]

    def test_a_rename_that_waits_is_one_change_that_waits(self):
        wanted = desired({"New": MEMBER, "Other": LEGAL}, {"New": self.renamed})
        plan = make(orgs.question(wanted, live({"Old": MEMBER, "Other": BLANK})))
        counts = summary(plan)
        assert (counts["rename"], counts["waiting"], counts["create"], counts["api"]) == (1, 1, 1, 1)
        assert (
            sum(counts[kind] for kind in ("create", "update", "delete", "upgrade", "rename")) - counts["waiting"] == 1
        )

    def test_a_rename_whose_new_group_is_mapped_already_is_still_counted_and_shown(self):
        wanted = desired({"New": MEMBER}, {"New": self.renamed})
        plan = make(orgs.question(wanted, live({"Old": MEMBER, "New": MEMBER})))
        assert [(c.address, c.action) for c in plan.changes] == [("idp_groups/Old", "delete")]
        assert (summary(plan)["rename"], summary(plan)["api"]) == (1, 1)
        assert renames_as_one(plan.changes) == plan.changes

    def test_a_rename_in_the_idp_writes_nothing(self):
        assert found(desired({"New": MEMBER}, {"New": self.renamed}), live({"New": MEMBER})) == []

    def test_an_old_name_that_is_listed_itself_is_left_to_its_own_entry(self):
        wanted = desired({"New": MEMBER, "Old": LEGAL}, {"New": self.renamed})
        assert found(wanted, live({"Old": LEGAL, "New": BLANK})) == [("New", "create", "api", "config")]


class TestDomains:
    def test_somebody_elses_domain_is_a_human_step(self):
        wanted = desired(domains={"acme.com": Domain(), "acme.io": Domain()})
        held = live(domains={}, facts={"caller": Caller("ann@Acme.com")})
        assert found(wanted, held) == [
            ("acme.com", "create", "api", "config"),
            ("acme.io", "create", "human", "config"),
        ]

    def test_remove_is_the_one_delete_of_an_additive_section(self):
        intents = {"domains/acme.io": Intent(remove=True)}
        wanted = Desired(Settings(domains={}), intents)
        held = live(domains={"acme.io": Domain(True, "approval"), "acme.com": Domain(True, "approval")})
        assert found(wanted, held) == [("acme.io", "delete", "api", "removed")]

    def test_an_update_speaks_of_the_managed_fields_alone(self):
        wanted = desired(domains={"acme.com": Domain(discoverable=False)})
        change = diff(wanted, live(domains={"acme.com": Domain(True, "approval")}), orgs.TODAY).changes[0]
        assert (change.before, change.after) == (Domain(discoverable=True), Domain(discoverable=False))


class TestSingletons:
    def test_a_field_that_was_not_read_is_warned_of_and_not_written(self):
        held = live(sso=Sso(enabled=True, allow_passwords=False))
        plan = make(orgs.question(desired(sso=Sso(metadata="<md/>", allow_passwords=True)), held))
        assert plan.changes[0].after == Sso(allow_passwords=True)
        assert "sso.metadata was not read" in plan.warnings[0].message

    def test_the_role_attribute_is_knowledge_and_never_written(self):
        held = live(scim=Scim(True, "okta", "new", False))
        assert found(desired(scim=Scim(role_attribute="writerRole")), held) == []

    def test_without_an_api_every_change_is_a_human_step(self):
        held = live(defaults=Defaults("member", frozenset({"IT"})), facts={"can": frozenset()})
        change = diff(desired(defaults=Defaults(role="team_admin")), held, orgs.TODAY).changes[0]
        assert (change.via, change.via_reason) == ("human", "no_api")

    def test_a_tier_without_scim_says_so(self):
        facts = {"can": frozenset({"defaults.update"}), "features": frozenset()}
        change = diff(desired({"A": MEMBER}), live({"A": BLANK}, facts=facts), orgs.TODAY).changes[0]
        assert (change.via, change.via_reason) == ("human", "not_in_plan")

    def test_a_tier_without_scim_says_so_without_an_api_too(self):
        now = {"scim": Scim(idp="okta"), "defaults": Defaults("member", frozenset({"IT"}))}
        held = live({"A": BLANK}, facts={"can": frozenset(), "features": frozenset()}, **now)
        wanted = desired({"A": MEMBER}, scim=Scim(idp="entra"), defaults=Defaults(role="team_admin"))
        reasons = {change.address: change.via_reason for change in diff(wanted, held, orgs.TODAY).changes}
        assert reasons == {"idp_groups/A": "not_in_plan", "scim": "not_in_plan", "defaults": "no_api"}


class TestUpgrade:
    wanted = desired({"A": MEMBER}, scim=Scim(endpoint="new"))

    def test_a_legacy_org_starts_and_its_mappings_wait(self):
        held = live({"A": GroupMapping(None, frozenset({"Legal"}))}, scim=Scim(True, "okta", "legacy", False))
        assert found(self.wanted, held) == [
            ("A", "create", "waiting", "config"),
            ("scim", "upgrade", "api", "upgrade"),
        ]

    def test_completing_that_waits_says_why(self):
        held = live({}, scim=Scim(True, "okta", "upgrading", False))
        (change,) = [c for c in diff(self.wanted, held, orgs.TODAY).changes if c.action == "upgrade"]
        assert (change.via, change.via_reason) == ("waiting", "not_pushed")

    def test_completing_waits_while_a_managed_group_does(self):
        held = live({}, scim=Scim(True, "okta", "upgrading", False))
        assert found(self.wanted, held)[1] == ("scim", "upgrade", "waiting", "upgrade")

    def test_completing_comes_after_the_mappings(self):
        held = live({"A": BLANK}, scim=Scim(True, "okta", "upgrading", False))
        plan = make(orgs.question(self.wanted, held))
        assert [(c.address, c.wave) for c in plan.changes] == [("idp_groups/A", 1), ("scim", 5)]

    def test_the_links_of_a_legacy_org_are_no_unmanaged_mappings(self):
        held = live({"A": GroupMapping(None, frozenset({"Legal"}))}, scim=Scim(True, "okta", "legacy", False))
        assert diff(desired({}), held, orgs.TODAY).unmanaged == ()


class TestReleased:
    def test_what_was_applied_once_and_is_no_longer_listed_is_named(self):
        applied = Applied(Settings(idp_groups={"A": MEMBER, "B": MEMBER}, defaults=Defaults("member")))
        held = live({"A": MEMBER, "B": BLANK}, defaults=Defaults("member", frozenset({"IT"})))
        difference = diff(desired({}), held, orgs.TODAY, applied)
        assert [(row.live, row.fields, row.value) for row in difference.released] == [
            ("defaults", (), Defaults("member")),
            ("idp_groups/A", (), MEMBER),
        ]
        assert difference.changes == ()

    def test_an_authoritative_section_deletes_and_releases_nothing(self):
        applied = Applied(Settings(idp_groups={"A": MEMBER}))
        policy = Policy(manage={"idp_groups": "authoritative"})
        difference = diff(desired({}, policy=policy), live({"A": MEMBER}), orgs.TODAY, applied)
        assert difference.released == ()
        assert [c.action for c in difference.changes] == ["delete"]

    def test_a_section_that_is_taken_out_or_unmanaged_is_named_whatever_it_was(self):
        applied = Applied(Settings(idp_groups={"A": MEMBER}, sso=Sso(allow_passwords=False)))
        held = live({"A": MEMBER}, sso=Sso(True, "Okta", allow_passwords=False))
        for policy in (Policy(), Policy(manage={"idp_groups": "authoritative", "sso": "unmanaged"})):
            difference = diff(Desired(policy=policy), held, orgs.TODAY, applied)
            assert [(row.live, row.value) for row in difference.released] == [
                ("idp_groups/A", MEMBER),
                ("sso", Sso(allow_passwords=False)),
            ]
        listed = desired({"A": MEMBER}, policy=Policy(manage={"idp_groups": "unmanaged"}))
        assert [row.live for row in diff(listed, held, orgs.TODAY, applied).released] == ["idp_groups/A", "sso"]

    def test_a_field_that_the_config_drops_is_named_also_in_an_authoritative_section(self):
        applied = Applied(
            Settings(
                domains={"acme.com": Domain(True, "approval")},
                scim=Scim(True, manual_editing=False, role_attribute="role"),
            )
        )
        held = live({}, scim=Scim(True, "okta", "new", False), domains={"acme.com": Domain(True, "immediate")})
        policy = Policy(manage={"domains": "authoritative"})
        wanted = Desired(Settings(domains={"acme.com": Domain(discoverable=True)}, scim=Scim(True)), policy=policy)
        difference = diff(wanted, held, orgs.TODAY, applied)
        assert [(row.live, row.fields, row.value) for row in difference.released] == [
            ("domains/acme.com", ("join",), Domain(join="immediate")),
            ("scim", ("manual_editing",), Scim(manual_editing=False)),
        ]

    def test_what_was_not_read_is_named_without_a_value(self):
        applied = Applied(Settings(sso=Sso(allow_passwords=False), idp_groups={"A": MEMBER}))
        unread = replace(live({"A": MEMBER}), coverage={"sso": UNREAD, "idp_groups": UNREAD})
        difference = diff(Desired(), unread, orgs.TODAY, applied)
        assert [(row.live, row.value) for row in difference.released] == [("idp_groups/A", None), ("sso", None)]

    def test_a_group_is_known_by_its_id(self):
        applied = Applied(Settings(idp_groups={"A": MEMBER}), group_ids={"A": "id-B"})
        difference = diff(desired({}), live({"A": MEMBER, "B": MEMBER}), orgs.TODAY, applied)
        assert [row.live for row in difference.released] == ["idp_groups/B"]
        gone = replace(applied, group_ids={"A": "id-C"})
        assert diff(desired({}), live({"A": MEMBER}), orgs.TODAY, gone).released == ()
