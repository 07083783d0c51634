"""The results of guards and access tests, as every report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rolecall.plan.value import AccessTestResult, GuardResult, Verdict
from rolecall.report.document import CheckResult, Document, Level
from rolecall.report.phrases import visible

_LEVELS: Mapping[Verdict, Level | None] = {
    "block": "error",
    "not judged": "error",
    "review": "warning",
    "allowed": "note",
    "pass": None,
}
_PASSED = 4


def guard_result(guard: GuardResult) -> CheckResult:
    """Return what one guard says."""
    return CheckResult(
        "guard",
        guard.name,
        guard.verdict,
        visible(guard.message),
        _LEVELS[guard.verdict],
        f"guard.{guard.name}",
        guard.source,
        "" if guard.message else _figures(guard),
        tuple(map(visible, guard.ways)),
    )


def access_results(tests: Iterable[AccessTestResult]) -> tuple[CheckResult, ...]:
    """Return how each access test ended."""
    return tuple(
        CheckResult(
            "access test",
            visible(test.name),
            test.label,
            visible(test.message),
            None if test.passed else "error" if test.refuses else "note",
            "access_test",
            test.source,
        )
        for test in tests
    )


def tests_document(tests: Iterable[AccessTestResult]) -> Document:
    """Return the report of `test`."""
    return Document("test", checks=access_results(tests))


def guard_words(guard: GuardResult) -> str:
    """Return ``max_people_losing_access: 40 people lose something they have; review above 10``."""
    return guard_result(guard).text


def passed_words(guards: Sequence[GuardResult]) -> str:
    """Return ``ok: min_org_admins 4 ≥ 2 · required_org_admins · 5 more`` for guards that passed; nothing for none."""
    if not guards:
        return ""
    shown = " · ".join(f"{guard.name} {_figures(guard)}".rstrip() for guard in guards[:_PASSED])
    return f"ok: {shown}{f' · {len(guards) - _PASSED:,} more' if len(guards) > _PASSED else ''}"


def _figures(guard: GuardResult) -> str:
    if guard.actual is None:
        return ""
    if guard.name.startswith("min_") and guard.limit is not None:
        enough = isinstance(guard.actual, str) or guard.actual >= int(guard.limit)
        return f"{guard.actual} ≥ {guard.limit}" if enough else f"{guard.actual}, below {guard.limit} already"
    return visible(str(guard.actual))
