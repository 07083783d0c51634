"""List the findings of a report for the formats of pipelines (annotations, SARIF, comments), worst first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rolecall.errors import Problem, Where
from rolecall.report.document import Document, Entry, Level
from rolecall.report.phrases import hint_suffix, visible

_LEVELS: tuple[Level, ...] = ("error", "warning", "note")
_PREFIXES = {"validate": "config"}
"""The prefixes of the rules of a document's problems, where they differ from its subject."""


class ReportFinding(NamedTuple):
    """One line of a report, safe to print. ``rule`` is a stable id such as ``config.unknown_key``."""

    level: Level
    rule: str
    message: str
    where: Where | None = None


def findings(document: Document) -> list[ReportFinding]:
    """Return the findings of a report, worst first: gaps, checks, problems, then changes with their users."""
    prefix = _PREFIXES.get(document.subject, document.subject)
    listed = [
        *(ReportFinding(gap.level, gap.rule, gap.text) for gap in document.gaps),
        *_of_checks(document),
        *of_problems(document.problems, prefix),
        *_of_changes(document),
        *(ReportFinding("note", f"{document.subject}.news", note.text) for note in document.news),
        *(ReportFinding("note", f"{document.subject}.what_if", text) for text in document.supposed),
    ]
    return worst_first(listed)


def of_problems(problems: Iterable[Problem], prefix: str = "config") -> list[ReportFinding]:
    """Return the findings of problems, worst first."""
    return worst_first(
        ReportFinding(
            problem.severity,
            f"{prefix}.{problem.code}",
            _with_hint(problem),
            problem.where,
        )
        for problem in problems
    )


def worst_first(unsorted: Iterable[ReportFinding]) -> list[ReportFinding]:
    """Sort by level, and keep the order within a level."""
    return sorted(unsorted, key=lambda finding: _LEVELS.index(finding.level))


def _with_hint(problem: Problem) -> str:
    message = visible(problem.message)
    return message + hint_suffix(message, problem.hint)


def _of_checks(document: Document) -> Iterator[ReportFinding]:
    for check in document.checks:
        if check.level is None:
            continue
        text = check.detail
        if check.kind == "access test":
            text = (
                f"access test {'not evaluated' if check.label == 'UNKNOWN' else 'failed'}: {check.name}: {check.detail}"
            )
        yield ReportFinding(check.level, check.rule, text, check.where)


def _of_changes(document: Document) -> Iterator[ReportFinding]:
    """Yield changes from which users lose access before the others."""
    listed = [(entry, table) for table in document.changes for entry in table.entries]
    for entry, table in sorted(listed, key=lambda item: _harmless(item[0])):
        title = f" · {table.title}" if table.titled and table.counts else ""
        yield ReportFinding(entry.level, entry.rule, f"{entry.sentence}{title}", entry.where)


def _harmless(entry: Entry) -> bool:
    return not any(note.tone == "risk" for note in entry.notes)
