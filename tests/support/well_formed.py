"""Problems and findings are checked when rolecall makes them in a test: a known code, and texts for a person.

Codes of problems are a promised format; they are listed in ``fixtures/problem_codes.txt``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import rolecall
from rolecall.errors import Where

SRC = str(Path(rolecall.__file__).parent)
DECODER = str(Path(SRC, "codec", "record.py"))
"""Makes records of JSON, which may be a test's."""
LIST = Path(__file__).resolve().parents[1] / "fixtures" / "problem_codes.txt"
CODES = frozenset(LIST.read_text(encoding="utf-8").split())
FAMILY = re.compile(
    r"(org|scim|okta|graph|audit|usage)_"
    r"(url|proxy|tls|unreachable|timeout|cut|too_large|unauthorized|forbidden|busy|failed|contract|redirect|\d{3})"
    r"|guard\.[a-z_]+"
)
"""Codes made of the server's and of what is wrong, and those that name a guard."""
PYTHON = re.compile(r"\bNone\b(?! of)|\bUNSET\b|\bfrozenset\(|<[a-z_]+(\.[a-z_]+)* object at ")
Check = Callable[..., str | None]


def problem_fault(code: Any, message: Any, where: Any = None, hint: Any = None, severity: Any = "error") -> str | None:
    """Return what is wrong with the parts of a problem."""
    if not isinstance(code, str) or not (code in CODES or FAMILY.fullmatch(code)):
        return f"the code {code!r} is not in {LIST.name}"
    if where is not None and not isinstance(where, Where):
        return f"the place of {code} is {where!r}"
    if severity not in ("error", "warning"):
        return f"the severity of {code} is {severity!r}"
    return text_fault(message, *(() if hint is None else (hint,)))


def finding_fault(
    verdict: Any, message: Any = "", *_: Any, fixes: Any = (), details: Any = (), **__: Any
) -> str | None:
    """Return what is wrong with the parts of a guard's finding."""
    if verdict not in ("pass", "review", "block", "not judged"):
        return f"the verdict is {verdict!r}"
    return text_fault(message, *fixes, *(detail.text for detail in details))


def unmet_fault(message: Any, fix: Any = None, *_: Any) -> str | None:
    """Return what is wrong with the parts of a demand that a step does not meet."""
    return text_fault(message, fix)


def text_fault(*texts: Any) -> str | None:
    """Return the first text that is none, is in capitals, or shows a value as Python writes it."""
    wrong: Iterable[Any] = (
        text for text in texts if not isinstance(text, str) or text.isupper() or PYTHON.search(text) is not None
    )
    return next((f"{text!r} is no text for a person" for text in wrong), None)


CHECKS: dict[tuple[str, str], Check] = {
    ("rolecall.errors", "Problem"): problem_fault,
    ("rolecall.plan.guards.guard", "Finding"): finding_fault,
    ("rolecall.plan.guards.precondition_rules", "Unmet"): unmet_fault,
}
_checked: set[type] = set()


def check_records() -> None:
    """Let a record that rolecall's own code makes in this process fail if it is not well formed; of modules loaded."""
    for (module, name), fault in CHECKS.items():
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and kind not in _checked:
            _checked.add(kind)
            kind.__new__ = _checking(kind.__new__, fault)


def _checking(make: Callable[..., Any], fault: Check) -> Callable[..., Any]:
    def checked(kind: type, *args: Any, **named: Any) -> Any:
        maker = sys._getframe(1).f_code.co_filename
        if maker.startswith(SRC) and maker != DECODER and (wrong := fault(*args, **named)):
            raise AssertionError(wrong)
        return make(kind, *args, **named)

    return checked
