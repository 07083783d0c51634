"""The org's side of a trace: a read that fails leaves only its own question open."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from rolecall.errors import OrgError, Problem
from rolecall.jobs.plan import PlanTarget
from rolecall.jobs.trace import TraceRequest, trace_user
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import COMPLETE, Facts, Live
from rolecall.model.settings import GroupMapping, Settings
from rolecall.model.trace import IdpMembership, IdpTrace, IdpUser, Provisioning

LEGAL = GroupMapping("member", frozenset({"Legal"}))
FAILED = OrgError(Problem("org_failed", "the org failed"))


class Org:
    """An org whose users cannot be read."""

    def __init__(self, settings: OrgError | None = None) -> None:
        self.settings = settings

    async def read(self, sections: frozenset[str]) -> Live:
        if self.settings is not None:
            raise self.settings
        return Live(Settings(idp_groups={"Legal": LEGAL}), {"idp_groups": COMPLETE}, facts=Facts(org_id="1"))

    async def read_people(self, scope: PeopleScope) -> Directory:
        raise FAILED


class Idp:
    """An IdP that has the user, in a group that it pushes."""

    async def read_app(self) -> Any:
        raise NotImplementedError

    async def trace(self, email: str, since: datetime) -> IdpTrace:
        user = IdpUser("u1", True, "ACTIVE")
        return IdpTrace("okta", user, None, Provisioning(), None, (IdpMembership("g1", "Legal"),), {})


def states(org: Any) -> dict[str, str]:
    idp: Any = Idp()
    target = PlanTarget(Desired(), "acme", "https://acme.example")
    request = TraceRequest(target, org, idp, "ann@acme.com", datetime(2026, 11, 20, tzinfo=UTC))
    return {step.step: step.state for step in asyncio.run(trace_user(request)).steps}


def test_users_that_cannot_be_read_leave_the_mapping_readable() -> None:
    assert (states(Org())["org_user"], states(Org())["mapping"]) == ("not_readable", "ok")


def test_settings_that_cannot_be_read_leave_both_open() -> None:
    steps = states(Org(FAILED))
    assert (steps["org_user"], steps["membership"]) == ("not_readable", "not_readable")
