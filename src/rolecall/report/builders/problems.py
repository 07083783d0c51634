"""Problems as text and JSON; the machine formats of pipelines are in `findings` and the sinks beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rolecall.errors import Problem
from rolecall.model.checkup import PeopleCount
from rolecall.report.line import Line, line, problem_line
from rolecall.report.phrases import count, listed, visible

if TYPE_CHECKING:
    from rolecall.report.document import Document


def problems_document(problems: Sequence[Problem]) -> Document:
    """Return the report of `validate` for the formats of pipelines."""
    from rolecall.report.document import Banner, Document

    failed = any(problem.severity == "error" for problem in problems)
    banner = Banner(problems_summary(problems))
    return Document("validate", banner=banner, status="refused" if failed else "ok", problems=tuple(problems))


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


def people_line(found: PeopleCount) -> Line:
    """Return what people files hold: ``people.csv: 3 users (2 active), 4 memberships in 2 groups, all known to the
    org``."""
    files = visible(found.files[0]) if len(found.files) == 1 else f"{len(found.files):,} people files"
    users = f"{count(found.users, 'user')} ({found.active:,} active)"
    text = f"{files}: {users}, {count(found.memberships, 'membership')} in {count(found.groups, 'group')}"
    if found.unknown is None:
        return line(text)
    if not found.unknown:
        return line(f"{text}, all known to the org" if found.groups else text)
    return line(f"{text}; {count(len(found.unknown), 'group')} unknown to the org: {listed(found.unknown, 5)}")


def people_json(found: PeopleCount) -> dict[str, Any]:
    """Return what people files hold, with every key. ``unknown_groups`` is null where the org was not read."""
    names = None if found.unknown is None else list(found.unknown)
    counts = {"users": found.users, "active": found.active, "memberships": found.memberships, "groups": found.groups}
    return {"files": list(found.files), **counts, "unknown_groups": names}


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


def problems_json(problems: Sequence[Problem], people: Sequence[PeopleCount] = ()) -> str:
    """``{"problems": [...], "summary": {"errors", "warnings"}, "people": [...]}``; `people` of people files alone."""
    errors = sum(problem.severity == "error" for problem in problems)
    body = {
        "problems": [problem_json(problem) for problem in problems],
        "summary": {"errors": errors, "warnings": len(problems) - errors},
        **({"people": [people_json(found) for found in people]} if people else {}),
    }
    return json.dumps(body, ensure_ascii=True, indent=2) + "\n"
