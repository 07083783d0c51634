"""What `doctor` found, for people and for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rolecall.model.checkup import Check, State
from rolecall.report.builders.problems import problem_json
from rolecall.report.line import Line, Span, Style
from rolecall.report.phrases import count, visible

_STYLES: Mapping[State, Style] = {"ok": "dim", "warning": "warn", "wrong": "error", "skipped": "dim"}
_WIDTH = 11


def checkup_lines(checks: Sequence[Check]) -> Iterator[Line]:
    """A line for each check, what is wrong and what to do below it, and how many there are of each."""
    for check in checks:
        told = [check.said] if check.state in ("ok", "skipped") else []
        for problem in check.problems:
            where = f"{problem.where}: " if problem.where else ""
            told += [f"{where}{problem.message}", *([f"→ {problem.hint}"] if problem.hint else [])]
        for at, text in enumerate(told):
            start = f"{check.state:<9}{check.name:<{_WIDTH}}" if at == 0 else " " * (9 + _WIDTH)
            yield Line((Span(start, _STYLES[check.state]), Span(visible(text))), hang=9 + _WIDTH)
    yield Line((Span(checkup_summary(checks), "bold"),))


def checkup_summary(checks: Sequence[Check]) -> str:
    """``2 wrong, 1 warning, 9 ok.``."""
    found = Counter(check.state for check in checks)
    told = [f"{found['wrong']} wrong"] if found["wrong"] else []
    told += [count(found["warning"], "warning")] if found["warning"] else []
    told += [f"{found[state]} {state}" for state in ("ok", "skipped") if found[state]]
    return f"{', '.join(told)}."


def checkup_json(checks: Sequence[Check]) -> str:
    """``{"checks": [{"name", "state", "said", "problems": [...]}]}``, the problems as `validate` writes them."""
    rows = [
        {
            "name": check.name,
            "state": check.state,
            "said": check.said or None,
            "problems": [problem_json(problem) for problem in check.problems],
        }
        for check in checks
    ]
    return json.dumps({"checks": rows}, ensure_ascii=False, indent=1) + "\n"
