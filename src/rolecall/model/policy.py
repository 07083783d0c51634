"""Defines the policy: guards, overrides, managed and ignored addresses, watches, access tests.

Compares two policies rule by rule, to show what becomes less strict when one replaces the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.record import OMIT, UNWRITTEN, USER, Key, Normal
from rolecall.model.roles import role_id

Name = Annotated[str, Normal(normalise.name)]
Email = Annotated[str, Normal(normalise.email), USER]
RoleId = Annotated[str, Normal(role_id)]
DomainName = Annotated[str, Normal(normalise.known_domain)]
Manage = Literal["additive", "authoritative", "unmanaged"]
Stance = Literal["allow", "review", "deny"]
Approval = Literal["none", "recorded", "other_person"]


class Limit(NamedTuple):
    """A count, or a percentage of all active users or of a section's managed objects."""

    amount: float
    percent: bool = False

    def __str__(self) -> str:
        return f"{self.amount:g}%" if self.percent else f"{self.amount:g}"


class Band(NamedTuple):
    """Above ``review``, approval is required; above ``block``, only an override helps. None: no such limit.

    A configuration replaces a band as a whole: ``{block: 30%}`` has no ``review``.
    """

    review: Limit | None = None
    block: Limit | None = None


class Guards(NamedTuple):
    """The guards' settings, with defaults. ``observed_age`` is in days."""

    min_org_admins: int = 1
    required_org_admins: tuple[Email, ...] = ()
    require_self: bool = True
    max_people_losing_access: Band = Band(Limit(10), Limit(2, percent=True))
    max_removals: Band = Band(Limit(1), Limit(30, percent=True))
    observed_age: Band = Band(Limit(30))
    escalations: Mapping[str, Stance] = MappingProxyType(
        {"team_admin": "review", "org_admin": "review", "custom": "review"}
    )
    approval: Approval = "none"
    deprovisions: Annotated[Band, OMIT] = Band(Limit(0), Limit(1, percent=True))


class Allow(NamedTuple):
    """An override of a guard. ``target`` is an address or glob; ``until`` is its last day, UTC."""

    guard: str
    target: Annotated[str | None, Key("for"), OMIT] = None
    up_to: int = 0
    until: Annotated[date | None, OMIT] = None
    reason: Annotated[str, OMIT] = ""
    source: Annotated[Where | None, UNWRITTEN] = None


class Ignore(NamedTuple):
    """Addresses (a glob) that plan, apply and drift ignore, through ``until``."""

    address: str
    reason: Annotated[str, OMIT] = ""
    until: Annotated[date | None, OMIT] = None
    source: Annotated[Where | None, UNWRITTEN] = None


class TeamRole(NamedTuple):
    """One (team, role) pair: a team's name, a role's id."""

    team: Name
    role: RoleId


class OrgRole(NamedTuple):
    """A role at org level, next to team roles (R36): a role's id. No setting gives one, other than org admin (R21)."""

    role: RoleId


class AccessTest(NamedTuple):
    """One access test. Its subject is exactly one of ``person``, ``groups`` (a persona), ``role``, ``never_together``.

    ``expect``: exactly these team roles. ``has``: at least these roles or team roles. ``never``: none of these roles.
    ``granted_by_only``: the only groups that may grant ``role``. ``at_most``: so many users may have it.
    ``only_domains``: all of them have addresses at these domains. ``never_together``: no user has all these team roles.
    """

    name: str
    person: Annotated[Email | None, OMIT] = None
    groups: Annotated[tuple[Name, ...] | None, OMIT] = None
    role: Annotated[RoleId | None, OMIT] = None
    expect: Annotated[frozenset[TeamRole] | None, OMIT] = None
    has: Annotated[tuple[RoleId | TeamRole, ...], OMIT] = ()
    never: Annotated[tuple[RoleId, ...], OMIT] = ()
    granted_by_only: Annotated[tuple[Name, ...] | None, OMIT] = None
    at_most: Annotated[int | None, OMIT] = None
    only_domains: Annotated[tuple[DomainName, ...] | None, OMIT] = None
    never_together: Annotated[tuple[TeamRole, ...] | None, OMIT] = None
    source: Annotated[Where | None, UNWRITTEN] = None


class Policy(NamedTuple):
    """A whole policy. ``manage`` has the sections that are not additive; ``sources`` maps paths such as
    ``guards.min_org_admins`` to their place.
    """

    manage: Mapping[str, Manage] = MappingProxyType({})
    ignore: tuple[Ignore, ...] = ()
    guards: Guards = Guards()
    allow: tuple[Allow, ...] = ()
    watch_roles: Annotated[frozenset[RoleId], Key("watch")] = frozenset()
    access_tests: tuple[AccessTest, ...] = ()
    sources: Annotated[Mapping[str, Where], UNWRITTEN] = MappingProxyType({})

    def managing(self, section: str) -> Manage:
        return self.manage.get(section, "additive")


_MANAGE = ("unmanaged", "additive", "authoritative")
_STANCE = ("allow", "review", "deny")
_APPROVAL = ("none", "recorded", "other_person")
BANDS = ("max_people_losing_access", "max_removals", "observed_age", "deprovisions")
"""The guards with a limit for approval and one that blocks."""


class PolicyDifference(NamedTuple):
    """One rule that differs. ``path`` is like ``guards.approval``; ``loosens`` if the second policy is less strict."""

    path: str
    before: Any
    after: Any
    loosens: bool


def policy_differences(before: Policy, after: Policy) -> list[PolicyDifference]:
    """Return every rule in which two policies differ, in a fixed order, ignoring places in files.

    A limit in percent and one in users cannot be compared, so replacing one by the other counts as less strict.
    """
    return [
        *_managing(before.manage, after.manage),
        *_guards(before, after),
        *_leave("ignore", map(_ignore, before.ignore), map(_ignore, after.ignore)),
        *_leave("allow", map(_allow, before.allow), map(_allow, after.allow)),
        *_required("watch.roles", sorted(before.watch_roles), sorted(after.watch_roles)),
        *_tests(before, after),
    ]


def _managing(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[PolicyDifference]:
    for section in sorted({*before, *after}):
        old, new = before.get(section, "additive"), after.get(section, "additive")
        if old != new:
            yield PolicyDifference(f"manage.{section}", old, new, _MANAGE.index(new) < _MANAGE.index(old))


def _guards(before: Policy, after: Policy) -> Iterator[PolicyDifference]:
    old, new = before.guards, after.guards
    if old.min_org_admins != new.min_org_admins:
        loosens = new.min_org_admins < old.min_org_admins
        yield PolicyDifference("guards.min_org_admins", old.min_org_admins, new.min_org_admins, loosens)
    yield from _required("guards.required_org_admins", old.required_org_admins, new.required_org_admins)
    if old.require_self != new.require_self:
        yield PolicyDifference("guards.require_self", old.require_self, new.require_self, not new.require_self)
    for name in BANDS:
        yield from _band(f"guards.{name}", getattr(old, name), getattr(new, name))
    for kind in sorted({*old.escalations, *new.escalations}):
        first, second = old.escalations.get(kind, "review"), new.escalations.get(kind, "review")
        if first != second:
            loosens = _STANCE.index(second) < _STANCE.index(first)
            yield PolicyDifference(f"guards.escalations.{kind}", first, second, loosens)
    if old.approval != new.approval:
        loosens = _APPROVAL.index(new.approval) < _APPROVAL.index(old.approval)
        yield PolicyDifference("guards.approval", old.approval, new.approval, loosens)


def _band(path: str, before: Band, after: Band) -> Iterator[PolicyDifference]:
    for level in ("review", "block"):
        old, new = getattr(before, level), getattr(after, level)
        if old != new:
            yield PolicyDifference(f"{path}.{level}", _text_of(old), _text_of(new), _wider(old, new))


def _wider(before: Limit | None, after: Limit | None) -> bool:
    if before is None or after is None:
        return after is None
    return before.percent != after.percent or after.amount > before.amount


def _text_of(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)


def _required(path: str, before: Iterable[str], after: Iterable[str]) -> Iterator[PolicyDifference]:
    """Yield required names that differ; removing one is less strict."""
    old, new = list(before), list(after)
    yield from (PolicyDifference(path, dropped, None, loosens=True) for dropped in old if dropped not in new)
    yield from (PolicyDifference(path, None, come, loosens=False) for come in new if come not in old)


class _Leave(NamedTuple):
    """The scope of an ``ignore`` or ``allow``: its addresses, its number and its last day."""

    what: tuple[str, ...]
    up_to: int
    until: date

    def covers(self, narrower: _Leave) -> bool:
        same_scope = self.what == narrower.what[: len(self.what)]
        return same_scope and self.up_to >= narrower.up_to and self.until >= narrower.until

    def __str__(self) -> str:
        limit = f" up to {self.up_to}" if self.up_to else ""
        until = f" until {self.until}" if self.until < date.max else ""
        return f"{' for '.join(self.what)}{limit}{until}"


def _leave(path: str, before: Iterable[_Leave], after: Iterable[_Leave]) -> Iterator[PolicyDifference]:
    """Yield permissions that differ; a larger one is less strict, a smaller one is not."""
    old, new = list(before), list(after)
    yield from (PolicyDifference(path, str(dropped), None, loosens=False) for dropped in old if dropped not in new)
    for come in (leave for leave in new if leave not in old):
        yield PolicyDifference(path, None, str(come), not any(earlier.covers(come) for earlier in old))


def _ignore(entry: Ignore) -> _Leave:
    return _Leave((entry.address,), 0, entry.until or date.max)


def _allow(entry: Allow) -> _Leave:
    what = (entry.guard,) if entry.target is None else (entry.guard, entry.target)
    return _Leave(what, entry.up_to, entry.until or date.max)


def _tests(before: Policy, after: Policy) -> Iterator[PolicyDifference]:
    """Yield access tests that differ. A changed test is reported by name as one removed and one added, to keep reports
    short.
    """
    old, new = ([_plain_test(test) for test in policy.access_tests] for policy in (before, after))
    for dropped in (test for test in old if test not in new):
        yield PolicyDifference("access_tests", dropped.name, None, loosens=True)
    for come in (test for test in new if test not in old):
        yield PolicyDifference("access_tests", None, come.name, loosens=False)


def _plain_test(test: AccessTest) -> AccessTest:
    return test._replace(source=None)
