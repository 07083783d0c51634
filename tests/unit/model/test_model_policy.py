"""Test which of two policies is stricter."""

from __future__ import annotations

from datetime import date

import pytest

from rolecall.errors import Where
from rolecall.model.policy import AccessTest, Allow, Band, Guards, Ignore, Limit, Policy, policy_differences

PLAIN = Policy()


def guarded(**said: object) -> Policy:
    return Policy(guards=Guards()._replace(**said))


def allowing(up_to: int = 10, until: date | None = date(2026, 6, 1), target: str | None = "idp_groups/A") -> Policy:
    return Policy(allow=(Allow("max_removals", target, up_to, until, "why"),))


def ignoring(until: date | None = None) -> Policy:
    return Policy(ignore=(Ignore("idp_groups/*", "why", until),))


TEST = AccessTest("t", person="a@b.c", has=("member",))

LOOSER = [
    (guarded(min_org_admins=2), PLAIN, "guards.min_org_admins"),
    (guarded(required_org_admins=("a@b.c",)), PLAIN, "guards.required_org_admins"),
    (PLAIN, guarded(require_self=False), "guards.require_self"),
    (guarded(max_removals=Band(Limit(1))), guarded(max_removals=Band(Limit(2))), "guards.max_removals.review"),
    (guarded(max_removals=Band(None, Limit(1))), guarded(max_removals=Band()), "guards.max_removals.block"),
    (guarded(max_removals=Band(Limit(2, True))), guarded(max_removals=Band(Limit(2))), "guards.max_removals.review"),
    (guarded(escalations={"custom": "deny"}), guarded(escalations={"custom": "review"}), "guards.escalations.custom"),
    (PLAIN, guarded(escalations={"org_admin": "allow"}), "guards.escalations.org_admin"),
    (guarded(approval="other_person"), guarded(approval="recorded"), "guards.approval"),
    (guarded(observed_age=Band(Limit(7))), guarded(observed_age=Band(Limit(30))), "guards.observed_age.review"),
    (Policy(manage={"idp_groups": "authoritative"}), PLAIN, "manage.idp_groups"),
    (PLAIN, Policy(manage={"sso": "unmanaged"}), "manage.sso"),
    (PLAIN, ignoring(), "ignore"),
    (ignoring(date(2026, 1, 1)), ignoring(), "ignore"),
    (PLAIN, allowing(), "allow"),
    (allowing(10), allowing(11), "allow"),
    (allowing(until=date(2026, 1, 1)), allowing(until=date(2026, 1, 2)), "allow"),
    (allowing(), allowing(target=None), "allow"),
    (Policy(watch_roles=frozenset({"org_admin"})), PLAIN, "watch.roles"),
    (Policy(access_tests=(TEST,)), PLAIN, "access_tests"),
]


@pytest.mark.parametrize(("before", "after", "path"), LOOSER, ids=[path for _, _, path in LOOSER])
def test_loosening_is_seen_one_way_and_not_the_other(before: Policy, after: Policy, path: str) -> None:
    there = [difference.path for difference in policy_differences(before, after) if difference.loosens]
    back = [difference.path for difference in policy_differences(after, before) if difference.loosens]
    assert path in there
    swaps_units = before.guards.max_removals.review != after.guards.max_removals.review and Limit(2, True) in (
        before.guards.max_removals.review,
        after.guards.max_removals.review,
    )
    assert back == ([path] if swaps_units else [])


@pytest.mark.parametrize(
    "policy", [PLAIN, guarded(min_org_admins=3), allowing(), ignoring(), Policy(access_tests=(TEST,))]
)
def test_a_policy_does_not_differ_from_itself_wherever_it_stands(policy: Policy) -> None:
    here = Where("a.yaml", 1, 1)
    moved = policy._replace(
        allow=tuple(entry._replace(source=here, reason="other words") for entry in policy.allow),
        ignore=tuple(entry._replace(source=here) for entry in policy.ignore),
        access_tests=tuple(test._replace(source=here) for test in policy.access_tests),
        sources={"guards": here},
    )
    assert policy_differences(policy, moved) == []


def test_less_of_a_leave_is_a_change_that_does_not_loosen() -> None:
    differences = policy_differences(allowing(10), allowing(5))
    assert [(difference.before, difference.after, difference.loosens) for difference in differences] == [
        ("max_removals for idp_groups/A up to 10 until 2026-06-01", None, False),
        (None, "max_removals for idp_groups/A up to 5 until 2026-06-01", False),
    ]
