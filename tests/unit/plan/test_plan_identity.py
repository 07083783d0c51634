"""Test which group a key, a recorded name or a pattern means, also after renames."""

from __future__ import annotations

import orgs
import pytest

from rolecall.errors import Where
from rolecall.model.desired import Applied, Desired, Intent
from rolecall.model.live import Facts, Group, Live
from rolecall.model.policy import AccessTest, Allow, Ignore, Policy
from rolecall.model.settings import BLANK, UNSET, GroupMapping, Scim, Settings
from rolecall.plan.diff.changes import diff
from rolecall.plan.diff.identity import identify
from rolecall.plan.make import make

MEMBER = GroupMapping("member", frozenset({"Marketing"}))
ADMIN = GroupMapping("org_admin", frozenset({"IT"}))
LEGAL = GroupMapping("member", frozenset({"Legal"}))
AUTHORITATIVE = Policy(manage={"idp_groups": "authoritative"})


def org(scim=UNSET, homonyms=(), **groups) -> Live:
    """An org: name -> (id, mapping)."""
    facts = Facts(
        org_id="org_1",
        teams=frozenset(orgs.TEAMS),
        groups={name: Group(known) for name, (known, _) in groups.items()},
        homonyms=frozenset(homonyms),
        can=orgs.EVERYTHING,
    )
    return Live(Settings(idp_groups={name: held for name, (_, held) in groups.items()}, scim=scim), facts=facts)


def config(policy=None, pins=(), **groups) -> Desired:
    """A configuration whose entries are in lines 1, 2, ..."""
    places = {f"idp_groups/{key}": Where("rolecall.yaml", line, 3) for line, key in enumerate(groups, 1)}
    intents = {f"idp_groups/{key}": Intent(places[f"idp_groups/{key}"], id=pin) for key, pin in dict(pins).items()}
    return Desired(Settings(idp_groups=groups), intents, policy or Policy(), places)


def applied(ids=(), **groups) -> Applied:
    return Applied(Settings(idp_groups=groups), group_ids=dict(ids))


def names(desired, live, memory=Applied()):
    return identify(desired, live, memory).names


class TestResolution:
    def test_a_pin_comes_first(self):
        live = org(A=("g1", MEMBER), B=("g2", MEMBER))
        assert names(config(A=ADMIN, pins={"A": "g2"}), live, applied({"A": "g1"})) == {"A": "B"}

    def test_the_remembered_id_comes_before_a_name_that_another_group_has_taken(self):
        live = org(A=("g2", BLANK), B=("g1", MEMBER))
        found = identify(config(A=MEMBER), live, applied({"A": "g1"}))
        assert found.names == {"A": "B"}
        assert "`A` was renamed to `B`" in found.problems["A"].message
        assert "Another group has the name `A` now" in found.problems["A"].message

    def test_a_remembered_group_that_is_gone_leaves_the_name(self):
        assert names(config(A=MEMBER), org(A=("g2", BLANK)), applied({"A": "g1"})) == {"A": "A"}

    def test_two_groups_that_swap_names_keep_their_entries(self):
        live = org(A=("g2", MEMBER), B=("g1", LEGAL))
        assert names(config(A=LEGAL, B=MEMBER), live, applied({"A": "g1", "B": "g2"})) == {"A": "B", "B": "A"}
        assert diff(config(A=LEGAL, B=MEMBER), live, orgs.TODAY, applied({"A": "g1", "B": "g2"})).changes == ()

    def test_a_homonym_that_appears_leaves_the_entry_with_its_group(self):
        live = org(homonyms=["A"], **{"A [g1]": ("g1", MEMBER), "A [g2]": ("g2", BLANK)})
        found = identify(config(A=MEMBER), live, applied({"A": "g1"}))
        assert (found.names, found.errors) == ({"A": "A [g1]"}, ())
        assert "`id: g1`" in (found.problems["A"].hint or "")

    def test_the_key_of_a_former_name_that_was_renamed_is_free_for_another_group(self):
        live = org(B=("g1", MEMBER), A=("g2", BLANK))
        memory = applied({"A": "g1", "B": "g1"})
        assert names(config(A=LEGAL, B=MEMBER), live, memory) == {"A": "A", "B": "B"}

    def test_where_the_org_gives_no_ids_the_name_is_the_identity(self):
        live = org(A=("", MEMBER))
        found = identify(config(A=MEMBER, B=LEGAL), live, applied({"A": "g1"}))
        assert (found.names, found.ids) == ({"A": "A", "B": "B"}, {})

    def test_on_the_legacy_endpoint_the_name_is_the_identity(self):
        live = org(scim=Scim(endpoint="legacy"), B=("g1", MEMBER))
        assert identify(config(A=MEMBER), live, applied({"A": "g1"})).ids == {}


class TestOneEntryForOneGroup:
    @pytest.mark.parametrize(
        ("pins", "memory"),
        [
            ({"Old": "g1"}, {}),
            ({"Old": "g1", "A": "g1"}, {}),
            ({}, {"Old": "g1"}),
            ({"A": "g1"}, {"Old": "g1"}),
        ],
    )
    def test_two_are_an_error_that_names_both_lines(self, pins, memory):
        wanted = config(Old=LEGAL, A=MEMBER, pins=pins)
        plan = make(orgs.question(wanted, org(A=("g1", MEMBER)), applied=applied(memory)))
        (error,) = [problem for problem in plan.warnings if problem.severity == "error"]
        assert (error.where.line, "rolecall.yaml:1" in error.message) == (2, True)
        assert plan.errored

    def test_so_they_are_where_the_org_calls_the_group_otherwise(self):
        wanted = config(Old=LEGAL, New=MEMBER, pins={"New": "g1"})
        found = identify(wanted, org(Newest=("g1", MEMBER)), applied({"Old": "g1"}))
        assert [problem.code for problem in found.errors] == ["same_group"]
        assert len({change.address for change in diff(wanted, org(Newest=("g1", MEMBER)), orgs.TODAY).changes}) == 1


class TestPolicyFollowsTheGroup:
    live = org(New=("g1", MEMBER), Other=("g2", ADMIN))
    pins = (("Old", "g1"),)

    def changes(self, policy, memory=Applied(), **more):
        asked = orgs.question(config(policy, self.pins, Old=LEGAL), self.live, applied=memory, **more)
        return [change.address for change in make(asked).changes]

    @pytest.mark.parametrize("pattern", ["idp_groups/Old", "idp_groups/New", "idp_groups/N*", "idp_groups/O?d"])
    def test_ignore_by_key_and_by_live_name(self, pattern):
        assert self.changes(Policy(ignore=(Ignore(pattern, "x"),))) == []

    def test_ignore_of_a_group_that_is_no_entry_outlives_a_rename(self):
        memory = Applied(ids={"idp_groups/Former": "g2"})
        ignoring = Policy(manage={"idp_groups": "authoritative"}, ignore=(Ignore("idp_groups/Former", "x"),))
        assert self.changes(ignoring, memory) == ["idp_groups/New"]
        assert self.changes(AUTHORITATIVE, memory) == ["idp_groups/New", "idp_groups/Other"]

    @pytest.mark.parametrize("pattern", ["idp_groups/Old", "idp_groups/New", "idp_groups/Former", "idp_groups/*"])
    def test_targets_and_exclusions_by_key_live_and_former_name(self, pattern):
        memory = Applied(ids={"idp_groups/Former": "g1"})
        assert self.changes(None, memory, targets=(pattern,)) == ["idp_groups/New"]
        assert self.changes(None, memory, excludes=(pattern,)) == []

    def test_an_allowance_is_for_one_group(self):
        found = identify(config(None, self.pins, Old=LEGAL), self.live, Applied())
        assert found.means("idp_groups/Old", "idp_groups/New")
        assert found.means("idp_groups/N*", "idp_groups/New")
        assert not found.means("idp_groups/Other", "idp_groups/New")

    def test_access_tests_look_at_the_group(self):
        tests = (
            AccessTest("never", groups=("Old",), never=("member",)),
            AccessTest("only", role="org_admin", granted_by_only=("Former",)),
        )
        memory = Applied(ids={"idp_groups/Former": "g2"})
        wanted = config(Policy(access_tests=tests), self.pins, Old=LEGAL)
        found = identify(wanted, self.live, memory)
        assert [test.groups or test.granted_by_only for test in found.desired.policy.access_tests] == [
            ("New",),
            ("Other",),
        ]
        assert found.written is wanted

    def test_protect_and_what_was_applied_follow(self):
        memory = Applied(
            Settings(idp_groups={"Former": ADMIN}),
            protected=frozenset({"idp_groups/Former"}),
            group_ids={"Former": "g2"},
            unmanaged=frozenset({"idp_groups/Former"}),
            config={"idp_groups/Former": "one"},
        )
        found = identify(config(AUTHORITATIVE, self.pins, Old=LEGAL), self.live, memory).applied
        assert found.settings.idp_groups == {"Other": ADMIN}
        assert found.protected == found.unmanaged == {"idp_groups/Other"}
        assert found.config == {"idp_groups/Other": "one"}

    def test_what_is_remembered_of_a_group_that_is_gone_is_not_said_of_the_one_that_took_its_name(self):
        memory = Applied(protected=frozenset({"idp_groups/Other"}), group_ids={"Other": "g9"})
        assert identify(config(), self.live, memory).applied.protected == {"idp_groups/Other [g9]"}

    def test_an_allowance_is_known_again_after_a_rename(self):
        before = Policy(allow=(Allow("protect", "idp_groups/Old", 5, None, "x"),))
        now = Policy(allow=(Allow("protect", "idp_groups/New", 5, None, "x"),))
        wanted = Desired(Settings(idp_groups={"New": BLANK}), {"idp_groups/New": Intent(protect=True)}, now)
        memory = Applied(policy=before, group_ids={"Old": "g1"}, protected=frozenset({"idp_groups/Old"}))
        plan = make(orgs.question(wanted, self.live, applied=memory))
        assert {guard.name: guard.verdict for guard in plan.guards}["protect"] == "allowed"


def test_a_plan_has_ids_and_its_digest_holds_them():
    from rolecall.plan.saved.digest import digest

    wanted = config(A=LEGAL)
    one, other = (make(orgs.question(wanted, org(A=(known, MEMBER)))) for known in ("g1", "g2"))
    assert [change.id for change in one.changes] == ["g1"]
    assert one.group_ids == {"A": "g1"}
    assert digest(one) != digest(other)
    nameless = make(orgs.question(wanted, org(A=("", MEMBER))))
    assert ([change.id for change in nameless.changes], nameless.group_ids) == ([None], {})


def test_the_access_tests_that_were_applied_follow_a_key_although_nothing_else_was_renamed():
    policy = Policy(access_tests=(AccessTest("t", groups=("A", "X"), granted_by_only=("A",)),))
    live = org(B=("g2", MEMBER))
    known = identify(config(A=MEMBER, pins={"A": "g2"}), live, Applied(policy=policy))
    (test,) = known.applied.policy.access_tests
    assert (test.groups, test.granted_by_only) == (("B", "X"), ("B",))


def test_each_group_that_the_org_has_is_pinned_and_keeps_what_else_is_said_of_it():
    live = org(B=("g2", MEMBER), C=("g3", MEMBER))
    desired = config(A=MEMBER, C=MEMBER, Later=MEMBER, pins={"A": "g2"})
    known = identify(desired, live, Applied())
    pinned = known.pinned(known.desired)
    assert {at: intent.id for at, intent in pinned.intents.items()} == {"idp_groups/B": "g2", "idp_groups/C": "g3"}
    assert pinned.intents["idp_groups/C"].source == Where("rolecall.yaml", 2, 3)
    assert pinned.settings == known.desired.settings


def test_a_plan_keeps_the_ids_of_the_groups_that_are_not_pinned():
    live = org(Former=("g1", MEMBER), B=("g2", MEMBER))
    desired = config(A=MEMBER, B=MEMBER, Later=MEMBER, pins={"B": "g2"})
    made = make(orgs.question(desired, live, applied=applied({"A": "g1"})))
    assert made.group_ids == {"A": "g1"}
