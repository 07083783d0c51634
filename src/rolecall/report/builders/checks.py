"""Turn the results of guards and access tests into those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall.plan.guards.overrides import ACCEPT
from rolecall.plan.value import AccessTestResult, GuardResult, Verdict
from rolecall.report.document import CheckResult, Detail, Document, Level
from rolecall.report.phrases import count, visible

_LEVELS: Mapping[Verdict, Level | None] = {
    "block": "error",
    "not judged": "error",
    "review": "warning",
    "allowed": "note",
    "pass": None,
}


def guard_result(guard: GuardResult, accept: str | None = None) -> CheckResult:
    """Return the result of one guard.

    ``accept`` is the command that approves the plan; nothing where none does, None where it is not known.
    """
    ways = [way if way != ACCEPT or accept is None else _accept(accept) for way in guard.ways]
    return CheckResult(
        "guard",
        guard.name,
        guard.verdict,
        visible(guard.message),
        _LEVELS[guard.verdict],
        f"guard.{guard.name}",
        guard.source,
        "" if guard.message else _figures(guard),
        tuple(map(visible, filter(None, ways))),
        guard.set_at if guard.verdict != "pass" else None,
        tuple(Detail(visible(detail.text), detail.source) for detail in guard.details),
    )


def _accept(command: str) -> str:
    return f"To accept it: {command}" if command else ""


def access_results(tests: Iterable[AccessTestResult]) -> tuple[CheckResult, ...]:
    """Return the result of each access test."""
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
    """Return ``max_people_losing_access: 62 users lose access; the limit is 58 (rolecall.yaml:41). Cause: …``."""
    return guard_result(guard).sentences


def passed_words(number: int) -> str:
    """Return ``15 guards passed.``, or nothing for none."""
    return f"{count(number, 'guard')} passed." if number else ""


def _figures(guard: GuardResult) -> str:
    if guard.actual is None:
        return ""
    if guard.name.startswith("min_") and guard.limit is not None:
        return f"{guard.actual} ≥ {guard.limit}"
    return visible(str(guard.actual))
