"""Combine guards that were not evaluated for the same reason, so that a reader sees the reason once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from rolecall.report.document import CheckResult


def combine_alike(checks: Iterable[CheckResult]) -> list[CheckResult]:
    """Return the results with one for all guards that were not evaluated with the same message and actions.

    It has the names of all of them, at the place of the first, and where the config sets them if that is one place.
    """
    by_reason: dict[Hashable, list[CheckResult]] = {}
    for number, check in enumerate(checks):
        reason = (check.message, check.details, check.ways) if check.label == "not judged" else number
        by_reason.setdefault(reason, []).append(check)
    return [_combined(alike) for alike in by_reason.values()]


def _combined(alike: Sequence[CheckResult]) -> CheckResult:
    places = {check.set_at for check in alike}
    names = ", ".join(check.name for check in alike)
    return alike[0]._replace(name=names, set_at=places.pop() if len(places) == 1 else None)
