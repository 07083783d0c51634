"""The command that replaces a plan, as a hint."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from rolecall.model.change import Change, Reason
from rolecall.model.desired import Desired
from rolecall.model.policy import Allow
from rolecall.model.settings import Address, GroupMapping
from rolecall.plan.commands import new_plan
from rolecall.plan.value import OrgRef, Plan, Selection

SELECTED = Selection(targets=("idp_groups/A B",))
ONCE = (Allow("max_removals", None, 3, None, "--allow"),)


def plan_of(reason: Reason = "config", env: str | None = "prod", **more: Any) -> Plan:
    mapping = GroupMapping("member", frozenset({"Sales"}))
    change = Change(Address("idp_groups/A B"), "create", None, mapping, reason=reason)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Plan(
        OrgRef("acme", "org_1", "local:x", env), at, at, date(2026, 11, 22), "cfg", Desired(), (change,), **more
    )


@pytest.mark.parametrize(
    ("plan", "command"),
    [
        (None, "rolecall plan"),
        (plan_of(env=None), "rolecall plan"),
        (plan_of(), "rolecall plan -e prod"),
        (plan_of(selection=SELECTED), "rolecall plan -e prod --target 'idp_groups/A B'"),
        (plan_of(selection=Selection(only_expired=True)), "rolecall plan -e prod --only expired"),
        (plan_of(lifts=ONCE), "rolecall plan -e prod --allow max_removals=3"),
        (plan_of("rollback"), "rolecall rollback -e prod RUN"),
        (plan_of("rollback", command="rolecall rollback 12", selection=SELECTED), "rolecall rollback 12"),
        (plan_of("drift"), "rolecall drift -e prod --revert"),
    ],
)
def test_the_hint_has_the_command_that_makes_the_same_plan(plan: Plan | None, command: str) -> None:
    assert new_plan(plan) == f"make a new plan: {command} --out FILE"


def test_a_command_that_names_its_file_is_not_given_another() -> None:
    plan = plan_of("drift", command="rolecall drift --revert --out FILE", lifts=ONCE)
    assert new_plan(plan) == "make a new plan: rolecall drift --revert --out FILE --allow max_removals=3"
