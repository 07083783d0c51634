"""Test logs on stderr: their level, and their format as text or JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from rolecall.cli.logs import configure
from rolecall.cli.options import Invocation


@pytest.fixture(autouse=True)
def _quiet_after() -> Iterator[None]:
    log = logging.getLogger("rolecall")
    before = (log.handlers, log.propagate, log.level)
    yield
    log.handlers, log.propagate, _ = before
    log.setLevel(before[2])


def say_all() -> None:
    log = logging.getLogger("rolecall.live")
    for level in ("debug", "info", "warning", "error"):
        getattr(log, level)("a %s\x1b[31m", level)


@pytest.mark.parametrize(("verbosity", "lines"), [(-1, 1), (0, 2), (1, 3), (2, 4), (5, 4)])
def test_as_much_as_was_asked_for(verbosity: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    configure(Invocation(verbosity=verbosity))
    say_all()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == lines
    assert shown.err.splitlines()[-1] == "error: a error\\x1b[31m"


def test_json_has_one_id_for_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Invocation(verbosity=2, log_format="json"))
    say_all()
    rows = [json.loads(row) for row in capsys.readouterr().err.splitlines()]
    assert [row["level"] for row in rows] == ["debug", "info", "warning", "error"]
    assert len({row["run"] for row in rows}) == 1
    assert rows[0]["time"].endswith("+00:00")


def test_configuring_twice_says_nothing_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Invocation())
    configure(Invocation())
    say_all()
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_what_is_said_beside_the_message_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Invocation(verbosity=1))
    logging.getLogger("rolecall.live").info("answered", extra={"status": 200, "path": "/v1/org"})
    configure(Invocation(verbosity=1, log_format="json"))
    logging.getLogger("rolecall.live").info("answered", extra={"status": 200})
    text, row = capsys.readouterr().err.splitlines()
    assert text == "info: answered status=200 path=/v1/org"
    assert json.loads(row)["status"] == 200


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (Invocation(), "waiting for acme.example.com, 10 s\n"),
        (Invocation(verbosity=-1), ""),
    ],
)
def test_progress_is_a_plain_line_unless_quiet(call: Invocation, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure(call)
    logging.getLogger("rolecall.progress").info("waiting for acme.example.com, 10 s", extra={"code": "waiting"})
    assert capsys.readouterr().err == line


def test_progress_is_an_object_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Invocation(log_format="json"))
    logging.getLogger("rolecall.progress").info("waiting for acme.example.com, 10 s", extra={"code": "waiting"})
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["code"], line["message"]) == ("info", "waiting", "waiting for acme.example.com, 10 s")
