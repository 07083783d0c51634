"""What the repo asks of every plan: guards, allowances, what is managed or ignored, watches, access tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal, NamedTuple

from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.record import OMIT, UNWRITTEN, USER, Key, Normal
from rolecall.model.roles import role_id

Name = Annotated[str, Normal(normalise.name)]
Email = Annotated[str, Normal(normalise.email), USER]
RoleId = Annotated[str, Normal(role_id)]
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
    """Above ``review`` a person must answer; above ``block`` only an allowance helps. None: no such limit.

    A config replaces a band as a whole: ``{block: 30%}`` has no ``review``.
    """

    review: Limit | None = None
    block: Limit | None = None


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards' settings; the defaults are what holds when a config says nothing. ``observed_age`` is in days."""

    min_org_admins: int = 1
    required_org_admins: tuple[Email, ...] = ()
    require_self: bool = True
    max_people_losing_access: Band = Band(Limit(10), Limit(2, percent=True))
    max_removals: Band = Band(Limit(1), Limit(30, percent=True))
    observed_age: Band = Band(Limit(30))
    escalations: Mapping[str, Stance] = field(
        default_factory=lambda: {"team_admin": "review", "org_admin": "review", "custom": "review"}
    )
    approval: Approval = "none"


class Allow(NamedTuple):
    """A guard lifted for a while. ``target`` is an address or glob; ``until`` is its last day, UTC."""

    guard: str
    target: Annotated[str | None, Key("for"), OMIT] = None
    up_to: int = 0
    until: Annotated[date | None, OMIT] = None
    reason: Annotated[str, OMIT] = ""
    source: Annotated[Where | None, UNWRITTEN] = None


class Ignore(NamedTuple):
    """Addresses (a glob) that plan, apply and drift leave alone, through ``until``."""

    address: str
    reason: Annotated[str, OMIT] = ""
    until: Annotated[date | None, OMIT] = None
    source: Annotated[Where | None, UNWRITTEN] = None


class TeamRole(NamedTuple):
    """One (team, role) pair: a team's name, a role's id."""

    team: Name
    role: RoleId


@dataclass(frozen=True, slots=True)
class AccessTest:
    """One access test. Exactly one of ``person``, ``groups`` (a persona) and ``role`` says who is meant.

    ``expect``: the person's team roles, exactly. ``has``: roles or team roles held at least. ``never``: roles not held.
    ``granted_by_only``: the only groups that may give ``role``.
    """

    name: str
    person: Annotated[Email | None, OMIT] = None
    groups: Annotated[tuple[Name, ...] | None, OMIT] = None
    role: Annotated[RoleId | None, OMIT] = None
    expect: Annotated[frozenset[TeamRole] | None, OMIT] = None
    has: Annotated[tuple[RoleId | TeamRole, ...], OMIT] = ()
    never: Annotated[tuple[RoleId, ...], OMIT] = ()
    granted_by_only: Annotated[tuple[Name, ...] | None, OMIT] = None
    source: Annotated[Where | None, UNWRITTEN] = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. ``manage`` has a row for sections that differ from additive; ``sources`` maps paths such as
    ``guards.min_org_admins`` to their place."""

    manage: Mapping[str, Manage] = field(default_factory=dict)
    ignore: tuple[Ignore, ...] = ()
    guards: Guards = Guards()
    allow: tuple[Allow, ...] = ()
    watch_roles: Annotated[frozenset[RoleId], Key("watch")] = frozenset()
    access_tests: tuple[AccessTest, ...] = ()
    sources: Annotated[Mapping[str, Where], UNWRITTEN] = field(default_factory=dict)

    def managing(self, section: str) -> Manage:
        return self.manage.get(section, "additive")
