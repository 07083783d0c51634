"""A document as JUnit XML: what passed, what failed, and what was worth a word.

Only elements and attributes that every reader knows: Jenkins' schema allows a case no file and no line, so the place
is in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from rolecall.errors import Where
from rolecall.model.checkup import NOT_CHECKED
from rolecall.report.document import CheckResult, Document
from rolecall.report.findings import ReportFinding, of_problems
from rolecall.report.phrases import place, visible


class Case(NamedTuple):
    """One test case. ``failure`` is None where it passed; ``note`` is its message if it has one. ``error`` is True
    where it could not be evaluated, for the reason in ``failure``."""

    name: str
    failure: str | None = None
    note: str = ""
    where: Where | None = None
    error: bool = False


Suite = tuple[str, Sequence[Case]]


def junit(document: Document) -> str:
    """Return the checks of a report, and what it compared, as suites of test cases."""
    return junit_xml(suites(document))


def suites(document: Document) -> list[Suite]:
    """Return the suites that a report has; those without a case are left out later."""
    checks = {kind: [_of_check(check) for check in document.checks if check.kind == kind] for kind in _KINDS}
    gaps = [Case(gap.case, gap.text, error=True) for gap in document.gaps if gap.case]
    return [
        ("guards", [*checks["guard"], *gaps]),
        ("access tests", checks["access test"]),
        ("drift", list(_sections(document))),
        ("must not be", checks["violation"]),
        ("validate", list(_problems(document)) if document.subject == "validate" else []),
    ]


_KINDS = ("guard", "access test", "violation")


def _of_check(check: CheckResult) -> Case:
    unknown = check.label == "UNKNOWN"
    failed = check.level == "error" or unknown
    note = check.detail if check.level in ("warning", "note") else ""
    return Case(check.name, check.detail if failed else None, note, check.where, unknown)


def _sections(document: Document) -> Iterator[Case]:
    """Yield a case for each section that was compared, which fails with its drift."""
    tables = {table.key: table.entries for table in document.changes if table.counts}
    for section, unknown in document.compared:
        if unknown:
            yield Case(section, unknown, error=True)
            continue
        entries = tables.get(section, ())
        failure = "\n".join(entry.sentence for entry in entries) or None
        yield Case(section, failure, where=entries[0].where if entries else None)


def _problems(document: Document) -> Iterator[Case]:
    """Yield a case for each problem of a configuration, and one that passed where none is an error."""
    findings = of_problems(document.problems)
    if not any(finding.level == "error" for finding in findings):
        yield Case("the config is valid")
    yield from map(_of_finding, findings)


def _of_finding(finding: ReportFinding) -> Case:
    unknown = finding.rule.rpartition(".")[2] in NOT_CHECKED
    failed = finding.level == "error" or unknown
    name = f"{finding.where or 'config'}: {finding.rule}"
    note = "" if failed else finding.message
    return Case(visible(name), finding.message if failed else None, note, finding.where, unknown)


def junit_xml(suites: Iterable[Suite]) -> str:
    """Return suites of cases as one document. Times are left out: these are verdicts, not measurements."""
    filled = [(name, cases) for name, cases in suites if cases]
    total = _counts(case for _, cases in filled for case in cases)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {total}>"]
    for name, cases in filled:
        lines.append(f'  <testsuite name={quoteattr(name)} {_counts(cases)} skipped="0">')
        lines += [line for case in cases for line in _case(name, case)]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _counts(cases: Iterable[Case]) -> str:
    listed = list(cases)
    failed = [case for case in listed if case.failure is not None]
    errors = sum(case.error for case in failed)
    return f'tests="{len(listed)}" failures="{len(failed) - errors}" errors="{errors}"'


def _case(suite: str, case: Case) -> list[str]:
    head = f"    <testcase classname={quoteattr(f'rolecall.{suite}')} name={quoteattr(case.name)}"
    at = f"{place(case.where)}: " if case.where else ""
    inner = []
    if case.failure is not None:
        message = quoteattr(case.failure)
        kind, label = ("error", "not evaluated") if case.error else ("failure", "failed")
        inner.append(f'      <{kind} type="{label}" message={message}>{escape(f"{at}{case.failure}")}</{kind}>')
    if case.note:
        inner.append(f"      <system-out>{escape(f'{at}{case.note}')}</system-out>")
    return [f"{head}>", *inner, "    </testcase>"] if inner else [f"{head}/>"]
