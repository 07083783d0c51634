"""Cases as JUnit XML: what passed, what failed, and what was worth a word.

Only elements and attributes that every reader knows: Jenkins' schema allows a case no file and no line, so the place
stands in the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from rolecall.errors import Problem, Where
from rolecall.plan.value import AccessTestResult
from rolecall.report.builders.plan import Walk
from rolecall.report.coverage import users_sentence
from rolecall.report.findings import Finding, guard_told, of_problems
from rolecall.report.phrases import place, visible


class Case(NamedTuple):
    """One test case. ``failure`` is None where it passed; ``told`` is what it says on the side. ``error`` is True where
    it could not be evaluated, for the reason in ``failure``."""

    name: str
    failure: str | None = None
    told: str = ""
    where: Where | None = None
    error: bool = False


def junit(suites: Iterable[tuple[str, Sequence[Case]]]) -> str:
    """Suites of cases as one document. Times are left out: these are verdicts, not measurements."""
    kept = [(name, cases) for name, cases in suites if cases]
    total = _counts(case for _, cases in kept for case in cases)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {total}>"]
    for name, cases in kept:
        lines.append(f'  <testsuite name={_attribute(name)} {_counts(cases)} skipped="0">')
        lines += [line for case in cases for line in _case(name, case)]
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def problem_suites(problems: Sequence[Problem]) -> list[tuple[str, list[Case]]]:
    """A suite for `validate`: a case for each problem, or one that passed."""
    cases = [_of_finding(finding) for finding in of_problems(problems)]
    if not any(case.failure for case in cases):
        cases.insert(0, Case("the config is valid"))
    return [("validate", cases)]


def plan_suites(walked: Walk) -> list[tuple[str, list[Case]]]:
    """Suites for a plan: its guards and its access tests."""
    guards = [
        Case(
            guard.name,
            guard_told(guard) if guard.verdict in ("block", "not judged") else None,
            guard_told(guard) if guard.verdict in ("review", "allowed") else "",
            guard.source,
        )
        for guard in walked.plan.guards
    ]
    return [("guards", [*guards, *_unread(walked)]), ("access tests", access_cases(walked.plan.access_tests))]


def _unread(walked: Walk) -> list[Case]:
    """A case for users whom the plan needs and that were not read completely."""
    text = users_sentence(walked.plan.coverage)
    return [Case("users read", text, error=True)] if text else []


def access_cases(tests: Iterable[AccessTestResult]) -> list[Case]:
    """Access tests as cases."""
    return [
        Case(
            visible(test.name),
            visible(test.message) or "failed" if test.refuses else None,
            visible(test.message) if test.later else "",
            test.source,
            not test.evaluated,
        )
        for test in tests
    ]


def _of_finding(finding: Finding) -> Case:
    failed = finding.level == "error"
    name = f"{finding.where or 'config'}: {finding.rule}"
    return Case(visible(name), finding.message if failed else None, "" if failed else finding.message, finding.where)


def _counts(cases: Iterable[Case]) -> str:
    held = list(cases)
    bad = [case for case in held if case.failure is not None]
    errors = sum(case.error for case in bad)
    return f'tests="{len(held)}" failures="{len(bad) - errors}" errors="{errors}"'


def _case(suite: str, case: Case) -> list[str]:
    head = f"    <testcase classname={_attribute(f'rolecall.{suite}')} name={_attribute(case.name)}"
    at = f"{place(case.where)}: " if case.where else ""
    inner = []
    if case.failure is not None:
        message = _attribute(case.failure)
        kind, type_ = ("error", "not evaluated") if case.error else ("failure", "failed")
        inner.append(f'      <{kind} type="{type_}" message={message}>{escape(f"{at}{case.failure}")}</{kind}>')
    if case.told:
        inner.append(f"      <system-out>{escape(f'{at}{case.told}')}</system-out>")
    return [f"{head}>", *inner, "    </testcase>"] if inner else [f"{head}/>"]


def _attribute(text: str) -> str:
    return quoteattr(text)
