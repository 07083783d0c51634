"""Hand-made plans that the report's tests look at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from rolecall.errors import Problem, Where
from rolecall.model.change import Change, Rename
from rolecall.model.desired import Desired, Intent
from rolecall.model.live import Coverage
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address, Domain, GroupMapping, Sso, Value
from rolecall.plan.guards.overrides import ACCEPT
from rolecall.plan.value import Detail, Escalation, GuardResult, Impact, Move, OrgRef, Plan, Released, Unmanaged, Who

UNKNOWN = Problem("unknown_key", "unknown key `a%b`", Where("idp_groups/x,y:z.yaml", 4, 7), "did you mean `ab`?")
LATE = Problem("expires_soon", "it ends", None, None, "warning")
ORG = OrgRef("acme", "org_8817", "https://rolecall.acme.net/base", "prod")
LOCAL = OrgRef("acme", "org_1", "local:org.db", None, True)
MARKETING = Address("idp_groups/Writer-Marketing")


def mapping(role: str | None, *teams: str) -> GroupMapping:
    return GroupMapping(role, frozenset(teams))


def source(file: str, line: int, **more: Any) -> Intent:
    return Intent(Where(file, line, 1), **more)


def change(at: str, action: Any, before: Value | None, after: Value | None, **more: Any) -> Change:
    return Change(Address(at), action, before, after, **more)


def people(number: int, stem: str = "p") -> tuple[Who, ...]:
    return tuple(Who(f"{stem}-{n}", f"{stem}{n}@acme.com") for n in range(number))


def plan_of(*changes: Change, org: OrgRef = ORG, **more: Any) -> Plan:
    at = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    return Plan(org, at, at.replace(day=29), date(2026, 11, 22), "cfg", Desired(), changes, **more)


REBRAND = change(
    MARKETING,
    "update",
    mapping("member", "Marketing"),
    mapping("member", "Brand"),
    intent=source("idp_groups/marketing.yaml", 14, owner="it-lead@acme.com", ticket="CHG-4411"),
)
FORTY = Move((TeamRole("Marketing", "member"),), (TeamRole("Brand", "member"),), "change", (MARKETING,), 40, people(40))
LAPSED = change(
    "idp_groups/Contractors",
    "delete",
    mapping("member", "Sales"),
    None,
    reason="expired",
    intent=source("idp_groups/sales.yaml", 3, expires=date(2026, 11, 1)),
)
UNLISTED = change("idp_groups/Old", "delete", mapping("member", "Sales"), None, reason="not_listed")
UNPUSHED = change("idp_groups/New", "create", None, mapping("member", "Legal"), via="waiting", via_reason="not_pushed")
CLAIM = change("domains/acme.co.uk", "create", None, Domain(True, "approval"), via="human", via_reason="not_claimable")
METADATA = change(
    "sso", "update", Sso(metadata="<a>" * 400), Sso(metadata="<b>" * 401), intent=source("rolecall.yaml", 9)
)
RENAME = Rename(Address("idp_groups/Mktg"), Address("idp_groups/Writer-Mktg"))
RENAMED = (
    change(RENAME.after, "create", None, mapping("member", "Marketing"), moved=RENAME, reason="previously"),
    change(RENAME.before, "delete", mapping("member", "Marketing"), None, moved=RENAME, reason="previously"),
)
REVIEW = GuardResult(
    "max_people_losing_access",
    "review",
    "10",
    40,
    "40 users lose access; more than 10 requires approval",
    Where("idp_groups/marketing.yaml", 14, 3),
    40,
    MARKETING,
    (ACCEPT,),
    Where("rolecall.yaml", 30, 3),
    (Detail("Cause: idp_groups/Writer-Marketing, 40 users", Where("idp_groups/marketing.yaml", 14, 3)),),
)
PASSES = tuple(
    GuardResult(name, "pass", limit, actual)
    for name, limit, actual in (
        ("min_org_admins", 2, 4),
        ("required_org_admins", None, None),
        ("escalations", 0, 0),
        ("sign_in", None, None),
        ("upgrade", None, None),
        ("unread", None, None),
    )
)


def full_plan() -> Plan:
    """One of everything."""
    admin = Escalation(Who("u-bo", "bo@acme.com"), (TeamRole("IT", "org_admin"),), (MARKETING,))
    headline = "40 users move from Marketing to Brand, as members. Org admins: 4, unchanged."
    return plan_of(
        METADATA,
        REBRAND,
        *RENAMED,
        LAPSED,
        UNLISTED,
        UNPUSHED,
        CLAIM,
        counts={"idp_groups": 61, "people": 20104},
        coverage={"idp_groups": Coverage()},
        impact=Impact(20104, change=40, losing=40, headline=headline, moves=(FORTY,), escalations=(admin,)),
        guards=(*PASSES, REVIEW),
        unmanaged=(
            Unmanaged(Address("idp_groups/Legacy"), "member", ("IT",)),
            Unmanaged(Address("idp_groups/Legacy-Admins"), "org_admin", ("IT",), 3, True),
        ),
        released=(Released(Address("idp_groups/Was"), 12),),
        warnings=(Problem("expires_soon", "it expires", Where("a.yaml", 7, 2), "act", "warning"),),
    )
