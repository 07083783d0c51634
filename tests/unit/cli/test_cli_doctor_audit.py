"""`doctor` checks the connection to WRITER's audit log: each failure names what to do, and nothing is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_exports import PATH, WRITER, asked_query, export, record
from cli_repo import SNAPSHOT
from faulty_org import Asked, Close, Faulty, Reply, error, faulty_org, reply

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def org() -> Iterator[Faulty]:
    with faulty_org(export([record(n) for n in range(5)])) as served:
        yield served


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, org: Faulty) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "org.json").write_text(json.dumps(SNAPSHOT))
    write(folder, org.base)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", "canary-audit-key")
    return folder


def write(folder: Path, url: str) -> None:
    text = f"audit: {{writer: {WRITER}, token: {{env: KEY}}, keep: 30d, url: '{url}'}}\n"
    (folder / "rolecall.yaml").write_text(f"version: 1\norg: {{name: tinyco, url: observed:org.json}}\n{text}")


def checked(capsys: Capture) -> dict[str, Any]:
    capsys.readouterr()
    run(["doctor", "--format", "json"])
    printed = capsys.readouterr().out
    assert "canary-audit-key" not in printed
    body: dict[str, Any] = json.loads(printed)
    (check,) = [check for check in body["checks"] if check["name"] == "audit"]
    return dict(check)


def test_one_page_of_the_kept_period_is_read_and_nothing_is_stored(repo: Path, capsys: Capture, org: Faulty) -> None:
    check = checked(capsys)
    assert check["state"] == "ok"
    assert "WRITER's audit log can be read: 2 records on the first page" in json.dumps(check)
    (asked,) = org.asked
    assert asked.path == PATH
    start = datetime.fromisoformat(asked_query(asked)["start_date"])
    assert abs(datetime.now(start.tzinfo) - start - timedelta(days=30)) < timedelta(minutes=5)
    assert not (repo / ".rolecall").exists()
    assert run(["doctor"]) in (Exit.OK, Exit.ERROR)
    assert "audit " in capsys.readouterr().out


def html(asked: Asked) -> Reply:
    return reply(b"<html>proxy</html>", content_type="text/html")


FAILURES: dict[str, tuple[Callable[[Asked], Reply], str, str]] = {
    "a key that is not accepted": (lambda asked: error(401), "does not accept the token", "check that `audit.token`"),
    "a key of another organization": (
        lambda asked: error(403),
        "does not allow",
        "use a key of the organization that `audit.writer` names",
    ),
    "an unknown organization": (lambda asked: error(404), "refused", "check that `audit.writer` is the ID"),
    "too many requests": (lambda asked: error(429, retry_after="0"), "rate limit", "run the command again later"),
    "a page that is not JSON": (html, "it is not JSON", "check that no proxy answers in WRITER's place"),
    "a redirect": (lambda asked: reply({}, 302, location="https://login.example/"), "redirected", "no proxy answers"),
    "a page without records": (
        lambda asked: reply({"status": "fine"}),
        "it has no list of records",
        "rolecall audit --shape",
    ),
    "an answer that ends early": (
        lambda asked: Close(b"HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\n{"),
        "was cut off",
        "try again",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_each_failure_is_a_warning_with_an_action(repo: Path, capsys: Capture, org: Faulty, name: str) -> None:
    org.answer, message, hint = FAILURES[name]
    check = checked(capsys)
    assert check["state"] == "warning"
    (problem,) = check["problems"]
    assert message in problem["message"]
    assert problem["hint"]
    assert hint in problem["hint"]


def test_a_key_that_is_not_set_is_a_warning_and_nothing_is_sent(
    repo: Path, capsys: Capture, org: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEY")
    check = checked(capsys)
    assert (check["state"], org.asked) == ("warning", [])
    assert "KEY is not set" in check["problems"][0]["message"]
    assert "KEY" in check["problems"][0]["hint"]


def test_a_host_that_cannot_be_reached(repo: Path, capsys: Capture) -> None:
    write(repo, "http://127.0.0.1:9")
    check = checked(capsys)
    assert check["state"] == "warning"
    assert "127.0.0.1:9" in json.dumps(check)
    assert check["problems"][0]["hint"] == "check the network"


def test_a_host_of_others_is_an_error_of_the_configuration(repo: Path, capsys: Capture) -> None:
    write(repo, "https://api.writer.example")
    run(["doctor", "--format", "json"])
    assert "`audit.url` may only be an address of this machine" in capsys.readouterr().out


def test_a_period_beyond_the_retention_is_read_from_now(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = lambda asked: error(422) if "start_date" in asked.target else reply({"data": [], "cursor": "1"})
    check = checked(capsys)
    assert check["state"] == "ok"
    assert "0 records on the first page" in json.dumps(check)


def test_records_that_cannot_be_evaluated_are_counted(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = export([record(1), record(2, result=None)])
    check = checked(capsys)
    assert check["state"] == "warning"
    assert "1 record of the audit log could not be evaluated (unknown result: 1)" in check["problems"][0]["message"]
    assert "rolecall audit --shape" in check["problems"][0]["hint"]
