"""Faults of the audit log while a step is reported done: nothing is confirmed wrongly, and silence is not proof."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from audit_exports import export, record, repo_with_log
from cli_repo import apply_approved
from faulty_org import Asked, Close, Faulty, Reply, error, faulty_org, reply

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
CONFIG = """\
version: 1
org: {{name: tinyco, url: observed:org.json}}
sso: {{enabled: true, allow_passwords: true}}
audit: {{writer: {writer}, token: {{env: KEY}}, url: '{base}'}}
"""


@pytest.fixture
def org() -> Iterator[Faulty]:
    with faulty_org(export([])) as served:
        yield served


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, org: Faulty, capsys: Capture) -> Path:
    """An observed org with one manual step, recorded as run 1."""
    repo_with_log(tmp_path, monkeypatch, CONFIG, org.base)
    apply_approved(capsys)
    return tmp_path


def now() -> str:
    return datetime.now(UTC).isoformat()


def changed(**more: Any) -> dict[str, Any]:
    return record(1, **{"createdAt": now(), **more})


def pages(*answers: Callable[[], Reply]) -> Callable[[Asked], Reply]:
    """Answers one after the other, then empty pages."""
    left = list(answers)
    return lambda _: left.pop(0)() if left else reply({"data": [], "cursor": "end"})


def report(capsys: Capture) -> tuple[str, Any]:
    """What `done` prints, and what `history` knows of the step."""
    capsys.readouterr()
    assert run(["done", "1", "all", "--by", "ann@acme.com"]) == Exit.OK
    text = capsys.readouterr().out
    assert run(["history", "1", "--format", "json"]) == Exit.OK
    (step,) = json.loads(capsys.readouterr().out)["runs"][0]["steps"]
    return text, step["audit"]


CUT = Close(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"data": [')


@pytest.mark.parametrize(
    "fault",
    [
        lambda: error(401, "revoked"),
        lambda: error(403, "other organization"),
        lambda: error(404),
        lambda: reply(b"<html>"),
        lambda: reply(b'{"data": [{"id": "1"'),
        lambda: CUT,
        lambda: reply({"items_count": 0}),
        lambda: reply({"data": [], "hasMore": True}),
        lambda: reply({"data": [record(9)], "cursor": "end"}),
    ],
    ids=["401", "403", "404", "html", "cut JSON", "truncated", "no list", "no cursor", "repeated page"],
)
@pytest.mark.parametrize("first", [True, False], ids=["first page", "second page"])
def test_a_log_that_is_not_read_to_its_end_never_lacks_the_change(
    repo: Path, capsys: Capture, org: Faulty, fault: Callable[[], Reply], first: bool
) -> None:
    page = lambda: reply({"data": [record(8)], "cursor": "end"})  # noqa: E731
    org.answer = lambda _: fault()
    if not first:
        org.answer = pages(page, *[fault] * 50)
    text, audit = report(capsys)
    assert "ot in the audit log" not in text
    assert "Not confirmed: " in text
    assert (audit["status"], audit["records"]) == ("unread", [])


@pytest.mark.parametrize(
    "answers",
    [
        [lambda: reply({"data": [], "cursor": "a"}), lambda: reply({"data": [changed()], "cursor": "b"})],
        [lambda: reply({"data": [changed(), record(3), changed(), record(2)], "cursor": "a"})],
        [lambda: error(429, retry_after="0"), lambda: reply({"data": [changed()], "cursor": None})],
        [lambda: reply({"data": [changed(source="v9", extra={"a": 1})], "cursor": None})],
    ],
    ids=["empty page with a cursor", "out of order", "429", "unknown source"],
)
def test_the_record_is_found_all_the_same(
    repo: Path, capsys: Capture, org: Faulty, answers: list[Callable[[], Reply]]
) -> None:
    org.answer = pages(*answers)
    text, audit = report(capsys)
    assert "Confirmed by the audit log: ann@acme.com, " in text
    assert audit["status"] == "confirmed"


@pytest.mark.parametrize("changes", [{"createdAt": None}, {"createdAt": "2026-11-12T09:00:00"}, {"result": "??"}])
def test_a_record_without_time_or_result_confirms_nothing(
    repo: Path, capsys: Capture, org: Faulty, changes: dict[str, Any]
) -> None:
    org.answer = pages(lambda: reply({"data": [changed(**changes)], "cursor": None}))
    text, audit = report(capsys)
    assert "Not confirmed: 1 record of the audit log may be about it (" in text
    assert audit["status"] == "unclear"


@pytest.mark.parametrize(("hours", "expected"), [(0, "confirmed"), (5, "not_in_log"), (-5, "not_in_log")])
def test_a_server_with_another_clock(repo: Path, capsys: Capture, org: Faulty, hours: int, expected: str) -> None:
    """Its records have its time; one with this machine's time is from before the run."""
    skew = timedelta(hours=5)
    date = format_datetime(datetime.now(UTC) + skew, usegmt=True)
    at = datetime.now(UTC) + skew - timedelta(hours=hours)
    org.answer = lambda _: reply({"data": [changed(createdAt=at.isoformat())], "cursor": None}, date=date)
    capsys.readouterr()
    assert run(["done", "1", "all", "--by", "ann@acme.com"]) == Exit.OK
    text = capsys.readouterr().out
    assert "after it was reported done" not in text
    assert ("Confirmed by the audit log" in text) == (expected == "confirmed")
