"""Turn the results of guards and access tests into those of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rolecall.model.live import Coverage
from rolecall.plan.guards.overrides import ACCEPT
from rolecall.plan.value import AccessTestResult, GuardResult, OrgRef, Verdict
from rolecall.report.builders.header import org_banner
from rolecall.report.document import CheckDetail, CheckResult, Document, Level, Listing, Note, Row
from rolecall.report.phrases import count, place, visible

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
        tuple(CheckDetail(visible(detail.text), detail.source) for detail in guard.details),
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
            details=tuple(CheckDetail(visible(detail.text), detail.source) for detail in test.details),
        )
        for test in tests
    )


def tests_document(org: OrgRef, tests: Iterable[AccessTestResult], coverage: Coverage) -> Document:
    """Return the report of `test`: a row for each access test, then how many passed."""
    results = tuple(tests)
    listing = Listing(tuple(_test_rows(results)), widths=(7,))
    return Document(
        "test",
        banner=org_banner(org, coverage),
        checks=access_results(results),
        listings=(listing,),
    )


def _test_rows(tests: Sequence[AccessTestResult]) -> Iterator[Row]:
    for test in tests:
        label = Note("ok", "ok") if test.passed else Note("FAILED", "error")
        label = Note("LATER", "dim") if test.later else label
        label = label if test.evaluated else Note("UNKNOWN", "error")
        text = f"{visible(test.name)}{'' if test.passed else f': {visible(test.message)}'}"
        yield Row((label, Note(text)), place(test.source))
        yield from (Row((Note(""), Note(visible(text))), place(where)) for text, where in test.details)
    passed, unknown = sum(test.passed for test in tests), sum(not test.evaluated for test in tests)
    result = f"{passed:,} of {count(len(tests), 'access test')} passed" if tests else "There are no access tests"
    yield Row((Note(f"{result}{f'; {unknown:,} not evaluated' if unknown else ''}.", "strong"),))


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
