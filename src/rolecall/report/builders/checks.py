"""The guards' verdicts in reading order: the worst first, what passed in one line."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.plan.value import GuardResult, Verdict
from rolecall.report.phrases import place, visible

ORDER: tuple[Verdict, ...] = ("block", "not judged", "review", "allowed", "pass")
_PASSED = 4


def verdict_rows(guards: Sequence[GuardResult]) -> tuple[tuple[Verdict, tuple[GuardResult, ...]], ...]:
    """Guards grouped by verdict, worst first; verdicts that nobody gave are left out."""
    grouped = ((verdict, tuple(item for item in guards if item.verdict == verdict)) for verdict in ORDER)
    return tuple((verdict, found) for verdict, found in grouped if found)


def guard_words(guard: GuardResult) -> str:
    """``max_people_losing_access: 40 people lose something they have; review above 10``."""
    if guard.message:
        return f"{guard.name}: {visible(guard.message)}"
    return f"{guard.name} {_numbers(guard)}".rstrip()


def guard_place(guard: GuardResult) -> str:
    """Where the cause stands, unless the words say it already."""
    where = place(guard.source)
    return "" if where in guard_words(guard) else where


def passed_words(guards: Sequence[GuardResult]) -> str:
    """``ok: min_org_admins 4 ≥ 2 · required_org_admins · 5 more``."""
    shown = " · ".join(f"{guard.name} {_numbers(guard)}".rstrip() for guard in guards[:_PASSED])
    return f"ok: {shown}{f' · {len(guards) - _PASSED:,} more' if len(guards) > _PASSED else ''}"


def _numbers(guard: GuardResult) -> str:
    if guard.actual is None:
        return ""
    if guard.name.startswith("min_") and guard.limit is not None:
        enough = isinstance(guard.actual, str) or guard.actual >= int(guard.limit)
        return f"{guard.actual} ≥ {guard.limit}" if enough else f"{guard.actual}, below {guard.limit} already"
    return visible(str(guard.actual))
