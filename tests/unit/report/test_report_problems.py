"""Test problems as text and JSON."""

from __future__ import annotations

import json

from rolecall.errors import Problem, Where
from rolecall.report.builders.problems import problem_lines, problems_json
from rolecall.report.line import plain

UNKNOWN = Problem("unknown_key", "unknown key `rol`", Where("rolecall.yaml", 4, 7), "did you mean `role`?")
STALE = Problem("expires_soon", "it ends.", None, "Renew it", "warning")


def test_text_has_place_message_and_way_out_errors_first() -> None:
    assert plain(problem_lines([STALE, UNKNOWN])) == (
        "error: rolecall.yaml:4:7: unknown key `rol`; did you mean `role`?\n"
        "warning: it ends. Renew it\n"
        "1 error, 1 warning.\n"
    )


def test_a_way_out_goes_on_with_the_sentence_or_begins_one() -> None:
    def shown(message: str, hint: str) -> str:
        return plain(problem_lines([Problem("x", message, None, hint)])).splitlines()[0]

    assert shown("it is UTF-16", "Save it as UTF-8") == "error: it is UTF-16; save it as UTF-8"
    assert shown("nobody did.", "answer it") == "error: nobody did. Answer it"
    assert shown("it is not set", "ROLECALL_TOKEN is its name") == "error: it is not set; ROLECALL_TOKEN is its name"
    assert shown("it is none", "`rolecall init` makes one") == "error: it is none; `rolecall init` makes one"


def test_no_problem_is_said() -> None:
    assert plain(problem_lines([])) == "No problems found.\n"


def test_json_has_every_key() -> None:
    told = json.loads(problems_json([UNKNOWN, STALE]))
    assert told["summary"] == {"errors": 1, "warnings": 1, "complete": True}
    assert told["problems"][0] == {
        "severity": "error",
        "code": "unknown_key",
        "message": "unknown key `rol`",
        "hint": "did you mean `role`?",
        "file": "rolecall.yaml",
        "line": 4,
        "column": 7,
    }
    assert told["problems"][1]["file"] is None


def test_json_survives_what_no_encoding_can_hold() -> None:
    shown = problems_json([Problem("x", "half \ud800 a pair")])
    assert shown.encode("ascii")


def test_a_name_cannot_paint_the_terminal() -> None:
    assert "\x1b" not in plain(problem_lines([Problem("x", "\x1b[31m", Where("a\x1b.yaml"))]))
