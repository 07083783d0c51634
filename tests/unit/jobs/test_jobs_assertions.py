"""Test assertions about a plan: they hold, fail, or cannot be checked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from rolecall.jobs.assertions import broken
from rolecall.model.change import Change, Rename
from rolecall.model.desired import Desired
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.value import Escalation, Impact, OrgRef, Plan, Who

AT = datetime(2026, 11, 22, tzinfo=UTC)
MEMBER = GroupMapping("member", frozenset("T"))
GONE = Change(Address("idp_groups/G"), "delete", MEMBER, None)
NEW = Change(Address("idp_groups/G"), "create", None, MEMBER)
MOVED = Change(Address("idp_groups/B"), "create", None, MEMBER, moved=Rename(Address("a"), Address("idp_groups/B")))
ADMIN = Escalation(Who("1", None), (TeamRole("T", "team_admin"),), ())
STILL = Impact(people=10)


def plan(impact: Impact, *changes: Change) -> Plan:
    return Plan(OrgRef("a", "o", "local:x"), AT, AT, date(2026, 11, 22), "c", Desired(), changes, impact=impact)


@pytest.mark.parametrize(
    ("name", "made", "holds"),
    [
        ("no-access-change", plan(STILL, NEW), True),
        ("no-access-change", plan(Impact(people=10, gain=1)), False),
        ("no-access-change", plan(Impact(people=None)), False),
        ("no-escalation", plan(Impact(people=10, gain=5)), True),
        ("no-escalation", plan(Impact(people=10, gain=1, escalations=(ADMIN,))), False),
        ("no-escalation", plan(Impact(people=None)), False),
        ("no-removal", plan(STILL, NEW), True),
        ("no-removal", plan(STILL, GONE), False),
        ("no-removal", plan(STILL, MOVED), False),
        ("no-removal", plan(Impact(people=10, change=1, losing=1), NEW), False),
        ("no-removal", plan(Impact(people=None), NEW), False),
    ],
)
def test_a_promise(name: Any, made: Plan, holds: bool) -> None:
    assert (broken(made, [name]) == []) == holds


def test_all_broken_promises_are_told_once_each() -> None:
    found = broken(plan(Impact(people=1, lose=1, losing=1), GONE), ["no-removal", "no-removal", "no-access-change"])
    assert [problem.message.split()[1] for problem in found] == ["no-removal", "no-removal", "no-access-change"]
    assert "deletes, unmaps or renames 1 entry: idp_groups/G" in found[0].message
