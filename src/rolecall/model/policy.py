"""What the repo asks of every plan: guards, allowances, what is managed or ignored, watches, access tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from rolecall.errors import Where

Manage = Literal["additive", "authoritative", "unmanaged"]
Stance = Literal["allow", "review", "deny"]
Approval = Literal["none", "recorded", "other_person"]


class Limit(NamedTuple):
    """A count, or a percentage of all active people or of a section's managed objects."""

    amount: float
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.percent else f"{self.amount:g}"


class Band(NamedTuple):
    """Above ``review`` a person must answer; above ``block`` only an allowance helps. None: no such limit."""

    review: Limit | None = None
    block: Limit | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards' settings; the defaults are what holds when a config says nothing. ``observed_age`` is in days."""

    min_org_admins: int = 1
    required_org_admins: tuple[str, ...] = ()
    require_self: bool = True
    max_people_losing_access: Band = Band(Limit(10), Limit(2, percent=True))
    max_removals: Band = Band(Limit(1), Limit(30, percent=True))
    escalations: Mapping[str, Stance] = field(
        default_factory=lambda: {"team_admin": "review", "org_admin": "review", "custom": "review"}
    )
    observed_age: Band = Band(Limit(30))
    approval: Approval = "none"


class Allow(NamedTuple):
    """A guard lifted for a while. ``target`` is an address or glob; ``until`` is its last day, UTC."""

    guard: str
    target: str | None
    up_to: int
    until: date | None
    reason: str
    source: Where | None = None


class Ignore(NamedTuple):
    """Addresses (a glob) that plan, apply and drift leave alone, through ``until``."""

    address: str
    reason: str
    until: date | None = None
    source: Where | None = None


class Combo(NamedTuple):
    """One (team, role) pair: a team's name, a role's id."""

    team: str
    role: str


@dataclass(frozen=True, slots=True)
class AccessTest:
    """One access test. Exactly one of ``person``, ``groups`` (a persona) and ``role`` says who is meant.

    ``expect``: the person's combos, exactly. ``has``: roles or combos held at least. ``never``: roles not held.
    ``granted_by_only``: the only groups that may give ``role``.
    """

    name: str
    person: str | None = None
    groups: tuple[str, ...] | None = None
    role: str | None = None
    expect: frozenset[Combo] | None = None
    has: tuple[str | Combo, ...] = ()
    never: tuple[str, ...] = ()
    granted_by_only: tuple[str, ...] | None = None
    source: Where | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. ``manage`` has a row for sections that differ from additive; ``sources`` maps paths such as
    ``guards.min_org_admins`` to their place."""

    manage: Mapping[str, Manage] = field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()
    guards: Guards = Guards()
    allow: tuple[Allow, ...] = ()
    watch_roles: frozenset[str] = frozenset()
    access_tests: tuple[AccessTest, ...] = ()
    sources: Mapping[str, Where] = field(default_factory=dict)

    def managing(self, section: str) -> Manage:
        return self.manage.get(section, "additive")
