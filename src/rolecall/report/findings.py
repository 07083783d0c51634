"""Findings: what a pipeline's formats (annotations, SARIF, JUnit) have in common, from problems and from plans."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from rolecall.errors import Problem, Where
from rolecall.plan.value import GuardResult, Plan
from rolecall.report.builders.checks import guard_words
from rolecall.report.builders.plan import Entry, Walk
from rolecall.report.builders.problems import way_out
from rolecall.report.coverage import users_sentence
from rolecall.report.phrases import visible

Level = Literal["error", "warning", "note"]

_LEVELS: tuple[Level, ...] = ("error", "warning", "note")


class Finding(NamedTuple):
    """One thing found, safe to print. ``rule`` is a stable id such as ``config.unknown_key`` or ``guard.protect``."""

    level: Level
    rule: str
    message: str
    where: Where | None = None


def of_problems(problems: Iterable[Problem], prefix: str = "config") -> list[Finding]:
    """Findings of problems, worst first."""
    return worst_first(_of_problem(problem, prefix) for problem in problems)


def of_plan(walked: Walk) -> list[Finding]:
    """Findings of a plan, worst first: verdicts, failed access tests, warnings, then each change with its people."""
    plan = walked.plan
    found = [
        *_of_unread(plan),
        *_of_guards(plan),
        *_of_tests(plan),
        *(_of_problem(problem, "plan") for problem in plan.warnings),
    ]
    entries = (entry for part in walked.parts for entry in part.entries)
    for entry in sorted(entries, key=_harmless):
        told = [f"{entry.mark} {entry.address}", *map(str, entry.diffs), *(note.text for note in entry.notes)]
        found.append(Finding("note", f"change.{entry.change.action}", " · ".join(told), entry.where))
    return worst_first(found)


def _of_unread(plan: Plan) -> Iterable[Finding]:
    """What a pipeline must not take for an answer: users whom the plan needs and that were not read."""
    if text := users_sentence(plan.coverage):
        yield Finding("warning", "plan.people_unread", text)


def guard_told(guard: GuardResult) -> str:
    """What a guard says, with each way out."""
    return " ".join((f"{guard.verdict}: {guard_words(guard)}", *map(visible, guard.ways)))


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Sorted by level, otherwise in the order they came."""
    return sorted(findings, key=lambda finding: _LEVELS.index(finding.level))


def _of_problem(problem: Problem, prefix: str) -> Finding:
    message = visible(problem.message)
    if problem.hint:
        message += way_out(message, problem.hint)
    return Finding(problem.severity, f"{prefix}.{problem.code}", message, problem.where)


def _of_guards(plan: Plan) -> Iterable[Finding]:
    for guard in plan.guards:
        if guard.verdict in ("block", "not judged"):
            yield Finding("error", f"guard.{guard.name}", guard_told(guard), guard.source)
        elif guard.verdict in ("review", "allowed"):
            level: Level = "warning" if guard.verdict == "review" else "note"
            yield Finding(level, f"guard.{guard.name}", guard_told(guard), guard.source)


def _harmless(entry: Entry) -> bool:
    """Whether nobody loses by a change: those are told after the others."""
    return not any(note.tone == "risk" for note in entry.notes)


def _of_tests(plan: Plan) -> Iterable[Finding]:
    for test in plan.access_tests:
        if not test.passed:
            ended = "failed" if test.evaluated else "not evaluated"
            message = f"access test {ended}: {visible(test.name)}: {visible(test.message)}"
            yield Finding("error" if test.refuses else "note", "access_test", message, test.source)
