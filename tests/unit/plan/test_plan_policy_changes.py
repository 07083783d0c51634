"""Test how a policy differs from the one last applied, and what makes it less strict."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from rolecall.model.desired import Applied, Desired, Intent
from rolecall.model.lineage import LogCheck, UnknownApply
from rolecall.model.policy import AccessTest, Allow, Band, Guards, Ignore, Limit, Policy
from rolecall.model.settings import Address
from rolecall.plan.guards.policy_changes import journal_changes, policy_changes

ALLOW = Allow("escalations", "idp_groups/A", 3, date(2026, 12, 1), "CHG-1")
IGNORE = Ignore("idp_groups/tmp-*", "sandbox", date(2026, 12, 1))
TEST = AccessTest("t", groups=("A",), never=("org_admin",))


def between(before, after):
    return [(row.path, row.loosens) for row in policy_changes(Desired(policy=after), Applied(policy=before))]


def guards(**said):
    return Policy(guards=Guards()._replace(**said))


@pytest.mark.parametrize(
    ("tight", "loose", "path"),
    [
        (guards(min_org_admins=3), guards(min_org_admins=2), "guards.min_org_admins"),
        (guards(required_org_admins=("a@b.c",)), guards(), "guards.required_org_admins"),
        (guards(), guards(require_self=False), "guards.require_self"),
        (guards(approval="other_person"), guards(approval="recorded"), "guards.approval"),
        (
            guards(max_removals=Band(Limit(1), Limit(3))),
            guards(max_removals=Band(Limit(1), Limit(4))),
            "guards.max_removals.block",
        ),
        (
            guards(max_removals=Band(Limit(1), Limit(3))),
            guards(max_removals=Band(None, Limit(3))),
            "guards.max_removals.review",
        ),
        (
            guards(escalations={"team_admin": "deny", "org_admin": "review", "custom": "review"}),
            guards(),
            "guards.escalations.team_admin",
        ),
        (Policy(manage={"domains": "authoritative"}), Policy(), "manage.domains"),
        (Policy(), Policy(manage={"domains": "unmanaged"}), "manage.domains"),
        (Policy(), Policy(allow=(ALLOW,)), "allow.escalations for idp_groups/A"),
        (
            Policy(allow=(ALLOW,)),
            Policy(allow=(ALLOW._replace(up_to=4),)),
            "allow.escalations for idp_groups/A",
        ),
        (
            Policy(allow=(ALLOW,)),
            Policy(allow=(ALLOW._replace(until=None),)),
            "allow.escalations for idp_groups/A",
        ),
        (Policy(), Policy(ignore=(IGNORE,)), "ignore.idp_groups/tmp-*"),
        (Policy(ignore=(IGNORE,)), Policy(ignore=(IGNORE._replace(until=None),)), "ignore.idp_groups/tmp-*"),
        (Policy(watch_roles=frozenset({"org_admin"})), Policy(), "watch.roles"),
        (Policy(access_tests=(TEST,)), Policy(), "access_tests.t"),
    ],
)
def test_one_way_loosens_and_the_other_does_not(tight, loose, path):
    assert between(tight, loose) == [(path, True)]
    assert between(loose, tight) == [(path, False)]


def test_a_changed_test_and_a_limit_in_another_unit_count_as_looser_either_way():
    other = TEST._replace(never=("team_admin",))
    assert between(Policy(access_tests=(TEST,)), Policy(access_tests=(other,))) == [("access_tests.t", True)]
    count, percent = guards(max_removals=Band(None, Limit(3))), guards(max_removals=Band(None, Limit(3, percent=True)))
    assert between(count, percent) == between(percent, count) == [("guards.max_removals.block", True)]


def test_dropping_protect_loosens():
    at = Address("idp_groups/A")
    applied = Applied(policy=Policy(), protected=frozenset({at}))
    assert [row.path for row in policy_changes(Desired(), applied)] == ["protect.idp_groups/A"]
    assert policy_changes(Desired(intents={at: Intent(protect=True)}), applied) == ()


def test_equal_policies_and_none_applied_have_no_differences():
    full = Policy(allow=(ALLOW,), ignore=(IGNORE,), access_tests=(TEST,), watch_roles=frozenset({"org_admin"}))
    assert between(full, full) == []
    assert policy_changes(Desired(policy=full), Applied()) == ()


def test_reasons_of_an_ignore_do_not_loosen_it():
    assert between(Policy(ignore=(IGNORE,)), Policy(ignore=(IGNORE._replace(reason="other"),))) == [
        ("ignore.idp_groups/tmp-*", False)
    ]


def test_a_change_has_the_values_before_and_after_whichever_way_it_goes():
    deny = {"team_admin": "deny", "org_admin": "review", "custom": "review"}
    tight = guards(escalations=deny, min_org_admins=3, max_removals=Band(Limit(1), Limit(3)))
    loose = guards(min_org_admins=2, max_removals=Band(Limit(1), Limit(4)))
    (loosened, tightened) = (
        {row.path: (row.before, row.after, row.loosens) for row in policy_changes(Desired(policy=b), Applied(policy=a))}
        for a, b in ((tight, loose), (loose, tight))
    )
    assert loosened == {
        "guards.escalations.team_admin": ("deny", "review", True),
        "guards.max_removals.block": (3, 4, True),
        "guards.min_org_admins": (3, 2, True),
    }
    assert tightened == {path: (after, before, False) for path, (before, after, _) in loosened.items()}


@pytest.mark.parametrize(("recorded", "words"), [(True, "its run 7"), (False, "a record of an apply to this org")])
def test_a_journal_without_the_last_apply_is_a_change_that_loosens(recorded, words):
    log = LogCheck("e9", 3, UnknownApply("j-1", "7", datetime(2026, 11, 22, tzinfo=UTC)))
    (change,) = journal_changes(log, recorded=recorded)
    assert (change.path, change.before, change.loosens) == ("journal", "j-1", True)
    assert words in change.after
    assert journal_changes(log._replace(unknown=None), recorded=recorded) == ()
    assert journal_changes(None, recorded=recorded) == ()
