"""Problems as text and JSON; the machine formats of pipelines are in `findings` and the sinks beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from rolecall.errors import Problem
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import count
from rolecall.report.visible import visible


def problem_line(problem: Problem) -> Line:
    """``error: rolecall.yaml:4:7: unknown key `rol`; did you mean `role`?``."""
    style: Style = "error" if problem.severity == "error" else "warn"
    where = f"{visible(str(problem.where))}: " if problem.where else ""
    spans = [Span(f"{problem.severity}: ", style), Span(where, "bold"), Span(visible(problem.message))]
    if problem.hint:
        spans.append(Span(way_out(problem.message, problem.hint), "dim"))
    return Line(tuple(span for span in spans if span.text), hang=2)


def way_out(message: str, hint: str) -> str:
    """What follows a message to say what to do now: a sentence after a sentence, or the same one going on."""
    said = visible(hint)
    if message.endswith((".", "?", "!")):
        return f" {said[0].upper()}{said[1:]}"
    return f"; {said[0].lower() if said[1:2].islower() else said[0]}{said[1:]}"


def problem_lines(problems: Sequence[Problem]) -> Iterator[Line]:
    """Every problem on its line, errors first, then by place, as they came; then their count."""
    yield from (problem_line(problem) for problem in sorted(problems, key=lambda item: item.severity != "error"))
    yield line(problems_summary(problems), "bold")


def problems_summary(problems: Sequence[Problem]) -> str:
    """``2 errors, 1 warning`` or ``No problems found``."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    said = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{', '.join(said)}." if said else "No problems found."


def problem_json(problem: Problem) -> dict[str, Any]:
    """One problem with every key, null where it says nothing. Lines and columns count from 1."""
    file, row, column = problem.where or (None, None, None)
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": file,
        "line": row or None,
        "column": column or None,
    }


def problems_json(problems: Sequence[Problem]) -> str:
    """``{"problems": [...], "summary": {"errors", "warnings"}}``."""
    errors = sum(problem.severity == "error" for problem in problems)
    body = {
        "problems": [problem_json(problem) for problem in problems],
        "summary": {"errors": errors, "warnings": len(problems) - errors},
    }
    return json.dumps(body, ensure_ascii=True, indent=2) + "\n"
