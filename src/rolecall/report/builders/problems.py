"""Problems of a configuration and of a setup: what `validate` and `doctor` report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rolecall.errors import Problem
from rolecall.model.checkup import NOT_CHECKED, Check, PeopleCount, State
from rolecall.report.line import Line, Span, Style, line, problem_line
from rolecall.report.phrases import count, listed, visible

if TYPE_CHECKING:
    from rolecall.report.document import Document, Status


def problems_document(problems: Sequence[Problem]) -> Document:
    """Return the report of `validate` for the formats of pipelines."""
    from rolecall.report.document import Banner, Document

    failed = any(problem.severity == "error" for problem in problems)
    banner = Banner(problems_summary(problems))
    status: Status = "refused" if failed else "incomplete" if incomplete(problems) else "ok"
    return Document("validate", banner=banner, status=status, problems=tuple(problems))


def incomplete(problems: Sequence[Problem]) -> bool:
    """Return whether something could not be checked because it was not read."""
    return any(problem.code in NOT_CHECKED for problem in problems)


def problem_lines(problems: Sequence[Problem]) -> Iterator[Line]:
    """Yield every problem on its line, errors first, then by place, as they came; then their count."""
    yield from (problem_line(problem) for problem in sorted(problems, key=lambda item: item.severity != "error"))
    yield line(problems_summary(problems), "bold")


def problems_summary(problems: Sequence[Problem]) -> str:
    """Return ``2 errors, 1 warning.``, or ``No problems found.``; also whether the check is incomplete."""
    errors = sum(problem.severity == "error" for problem in problems)
    warnings = len(problems) - errors
    counts = [count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    end = ", and not everything could be checked" if incomplete(problems) else ""
    return f"{', '.join(counts)}{end}." if counts else "No problems found."


def people_line(users: PeopleCount) -> Line:
    """Return what people files hold: ``people.csv: 3 users (2 active), 4 memberships in 2 groups, all known to the
    org``."""
    files = visible(users.files[0]) if len(users.files) == 1 else f"{len(users.files):,} people files"
    counted = f"{count(users.users, 'user')} ({users.active:,} active)"
    text = f"{files}: {counted}, {count(users.memberships, 'membership')} in {count(users.groups, 'group')}"
    if users.unknown is None:
        return line(text)
    if not users.unknown:
        return line(f"{text}, all known to the org" if users.groups else text)
    return line(f"{text}; {count(len(users.unknown), 'group')} unknown to the org: {listed(users.unknown, 5)}")


def people_json(users: PeopleCount) -> dict[str, Any]:
    """Return what people files hold, with every key. ``unknown_groups`` is null where the org was not read."""
    names = None if users.unknown is None else list(users.unknown)
    counts = {"users": users.users, "active": users.active, "memberships": users.memberships, "groups": users.groups}
    return {"files": list(users.files), **counts, "unknown_groups": names}


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return one problem with every key, null where it says nothing. Lines and columns count from 1."""
    file, line_number, column = problem.where or (None, None, None)
    return {
        "severity": problem.severity,
        "code": problem.code,
        "message": problem.message,
        "hint": problem.hint,
        "file": file,
        "line": line_number or None,
        "column": column or None,
    }


def problems_json(problems: Sequence[Problem], people: Sequence[PeopleCount] = ()) -> str:
    """Return ``{"problems": [...], "summary": {"errors", "warnings", "complete"}, "people": [...]}``; ``people`` only
    if there are people files, ``complete`` false if something could not be checked."""
    errors = sum(problem.severity == "error" for problem in problems)
    body = {
        "problems": [problem_json(problem) for problem in problems],
        "summary": {"errors": errors, "warnings": len(problems) - errors, "complete": not incomplete(problems)},
        **({"people": [people_json(users) for users in people]} if people else {}),
    }
    return json.dumps(body, ensure_ascii=True, indent=2) + "\n"


_STATE_STYLES: Mapping[State, Style] = {"ok": "dim", "warning": "warn", "wrong": "error", "skipped": "dim"}
_NAME_WIDTH = 11


def checkup_lines(checks: Sequence[Check]) -> Iterator[Line]:
    """Yield a line for each check, what is wrong and what to do below it, and how many there are of each."""
    for check in checks:
        texts = [check.said] if check.state in ("ok", "skipped") else []
        for problem in check.problems:
            where = f"{problem.where}: " if problem.where else ""
            texts += [f"{where}{problem.message}", *([f"→ {problem.hint}"] if problem.hint else [])]
        for at, text in enumerate(texts):
            start = f"{check.state:<9}{check.name:<{_NAME_WIDTH}}" if at == 0 else " " * (9 + _NAME_WIDTH)
            yield Line((Span(start, _STATE_STYLES[check.state]), Span(visible(text))), hang=9 + _NAME_WIDTH)
    yield Line((Span(checkup_summary(checks), "bold"),))


def checkup_summary(checks: Sequence[Check]) -> str:
    """Return ``2 wrong, 1 warning, 9 ok.``."""
    states = Counter(check.state for check in checks)
    counts = [f"{states['wrong']} wrong"] if states["wrong"] else []
    counts += [count(states["warning"], "warning")] if states["warning"] else []
    counts += [f"{states[state]} {state}" for state in ("ok", "skipped") if states[state]]
    return f"{', '.join(counts)}."


def checkup_json(checks: Sequence[Check]) -> str:
    """Return ``{"checks": [{"name", "state", "said", "problems": [...]}]}``, the problems as `validate` writes them."""
    body = [
        {
            "name": check.name,
            "state": check.state,
            "said": check.said or None,
            "problems": [problem_json(problem) for problem in check.problems],
        }
        for check in checks
    ]
    return json.dumps({"checks": body}, ensure_ascii=False, indent=1) + "\n"
