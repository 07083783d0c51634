"""Which of two policies is the stricter, rule by rule: what would loosen when one replaces the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from rolecall.model.policy import AccessTest, Allow, Band, Ignore, Limit, Policy

_MANAGE = ("unmanaged", "additive", "authoritative")
_STANCE = ("allow", "review", "deny")
_APPROVAL = ("none", "recorded", "other_person")
_BANDS = ("max_people_losing_access", "max_removals", "observed_age")


class PolicyDifference(NamedTuple):
    """One rule that differs. ``path`` is like ``guards.approval``; ``loosens`` when the second policy asks for less."""

    path: str
    before: Any
    after: Any
    loosens: bool


def policy_differences(before: Policy, after: Policy) -> list[PolicyDifference]:
    """Every rule in which two policies differ, in a fixed order; places in files do not count.

    A limit in percent and one in people cannot be compared, so going from one to the other loosens.
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
    for name in _BANDS:
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
            yield PolicyDifference(f"{path}.{level}", _said(old), _said(new), _wider(old, new))


def _wider(before: Limit | None, after: Limit | None) -> bool:
    if before is None or after is None:
        return after is None
    return before.percent != after.percent or after.amount > before.amount


def _said(limit: Limit | None) -> str | None:
    return None if limit is None else str(limit)


def _required(path: str, before: Iterable[str], after: Iterable[str]) -> Iterator[PolicyDifference]:
    """Names that are asked for: one that goes loosens."""
    old, new = list(before), list(after)
    yield from (PolicyDifference(path, gone, None, loosens=True) for gone in old if gone not in new)
    yield from (PolicyDifference(path, None, come, loosens=False) for come in new if come not in old)


class _Leave(NamedTuple):
    """What an ``ignore`` or ``allow`` lets pass, up to what number and day."""

    what: tuple[str, ...]
    up_to: int
    until: date

    def covers(self, other: _Leave) -> bool:
        return self.what == other.what[: len(self.what)] and self.up_to >= other.up_to and self.until >= other.until

    def __str__(self) -> str:
        limit = f" up to {self.up_to}" if self.up_to else ""
        until = f" until {self.until}" if self.until < date.max else ""
        return f"{' for '.join(self.what)}{limit}{until}"


def _leave(path: str, before: Iterable[_Leave], after: Iterable[_Leave]) -> Iterator[PolicyDifference]:
    """Leave that is given: more of it loosens, less of it does not."""
    old, new = list(before), list(after)
    yield from (PolicyDifference(path, str(gone), None, loosens=False) for gone in old if gone not in new)
    for come in (one for one in new if one not in old):
        yield PolicyDifference(path, None, str(come), not any(held.covers(come) for held in old))


def _ignore(entry: Ignore) -> _Leave:
    return _Leave((entry.address,), 0, entry.until or date.max)


def _allow(entry: Allow) -> _Leave:
    what = (entry.guard,) if entry.target is None else (entry.guard, entry.target)
    return _Leave(what, entry.up_to, entry.until or date.max)


def _tests(before: Policy, after: Policy) -> Iterator[PolicyDifference]:
    """A test that changed is one that went and one that came; by name, so that a report stays short."""
    old, new = ([_plain_test(test) for test in policy.access_tests] for policy in (before, after))
    for gone in (test for test in old if test not in new):
        yield PolicyDifference("access_tests", gone[0], None, loosens=True)
    for come in (test for test in new if test not in old):
        yield PolicyDifference("access_tests", None, come[0], loosens=False)


def _plain_test(test: AccessTest) -> tuple[Any, ...]:
    return (test.name, test.person, test.groups, test.role, test.expect, test.has, test.never, test.granted_by_only)
