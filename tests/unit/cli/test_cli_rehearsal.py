"""Test one journal for a rehearsal and for the org itself: they have one ID, and their values are never mixed."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from cli_repo import CONFIG, make_repo
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import open_journal
from rolecall.localorg.asgi import create_app
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

Capture = pytest.CaptureFixture[str]
MOVED = CONFIG.replace("teams: [Brand]", "teams: [Marketing]")
OVERLAY = "org: {{url: {url}, token: {{env: ORG_TOKEN}}}}\n"
JOURNAL = "journal: {url: 'sqlite:prod.db'}\n"


def not_local(app: ASGIApp) -> ASGIApp:
    """The app behind a gateway: its org does not call itself local."""

    async def gateway(scope: Scope, receive: Receive, send: Send) -> None:
        start: list[Message] = []

        async def forward(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            body = (
                message["body"].replace(b'"local":true', b'"local":false').replace(b'"local": true', b'"local": false')
            )
            headers = [pair for pair in start[0]["headers"] if pair[0].lower() != b"content-length"]
            length = (b"content-length", str(len(body)).encode())
            await send({**start[0], "headers": [*headers, length]})
            await send({**message, "body": body})

        await app(scope, receive, forward)

    return gateway


@contextmanager
def gateway(database: Path) -> Iterator[tuple[str, str]]:
    """The URL of the org in a database while it is served as an org that is not local, and an admin token."""
    opened = open_database(database)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(not_local(create_app(opened)), log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", make_token(opened, "admin").secret
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
        opened.close()


@pytest.fixture
def prod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Iterator[Path]:
    """A folder whose overlay `local`, the default, has a local org, and `prod` one of the same ID over HTTP."""
    folder = make_repo(tmp_path / "repo")
    copy = make_repo(tmp_path / "served")
    (folder / "env").mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ROLECALL_ENV", "local")
    with gateway(copy / "org.db") as (url, token):
        monkeypatch.setenv("ORG_TOKEN", token)
        (folder / "env" / "prod.yaml").write_text(OVERLAY.format(url=url), encoding="utf-8")
        (folder / "env" / "local.yaml").write_text("org: {name: tinyco}\n", encoding="utf-8")
        capsys.readouterr()
        yield folder


def refusal(capsys: Capture, *args: str) -> str:
    """What a command that is refused writes to stderr."""
    capsys.readouterr()
    assert run([*args]) == Exit.ERROR
    return capsys.readouterr().err


def test_the_journal_of_a_rehearsal_is_refused_for_the_org_itself(prod: Path, capsys: Capture) -> None:
    assert run(["plan", "-e", "prod", "--out", "plan.json"]) == Exit.OK
    assert run(["apply", "--auto-approve"]) == Exit.OK
    for command in (["plan"], ["apply", "--auto-approve"], ["apply", "plan.json", "--auto-approve"], ["drift"]):
        error = refusal(capsys, *command, "-e", "prod")
        assert "the last apply in the journal was to a local org with the ID org_1, not to this org" in error
        assert "`journal.url` in its overlay, or ROLECALL_JOURNAL" in error
    assert run(["plan"]) == Exit.OK


def test_a_journal_of_its_own_is_not_mixed(prod: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    overlay = (prod / "env" / "prod.yaml").read_text(encoding="utf-8")
    (prod / "env" / "prod.yaml").write_text(overlay + JOURNAL, encoding="utf-8")
    assert run(["apply", "-e", "prod", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["drift", "-e", "prod"]) == Exit.OK
    assert "No drift" in capsys.readouterr().out


def test_a_rehearsal_with_the_journal_of_the_org_is_refused(prod: Path, capsys: Capture) -> None:
    assert run(["apply", "-e", "prod", "--auto-approve"]) == Exit.OK
    error = refusal(capsys, "apply", "--auto-approve")
    assert "the last apply in the journal was to an org with the ID org_1, not to this local org" in error


def test_a_plan_that_is_not_applied_records_nothing(prod: Path, capsys: Capture) -> None:
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    (prod / "rolecall.yaml").write_text(MOVED, encoding="utf-8")
    assert run(["apply", "--approve", "0000-0000-0000-0000"]) == Exit.STALE
    assert run(["plan", "-e", "prod"]) == Exit.OK


def test_a_journal_of_an_earlier_version_is_not_refused(prod: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with sqlite3.connect(prod / ".rolecall" / "journal.db") as journal:
        assert journal.execute("DELETE FROM rolecall_memory WHERE name = 'note:org.local'").rowcount == 1
    journal.close()
    assert run(["plan", "-e", "prod"]) == Exit.OK


def test_a_note_that_is_no_truth_value_is_damage(prod: Path, capsys: Capture) -> None:
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with open_journal("sqlite:.rolecall/journal.db", prod) as journal:
        assert journal.applied("org_1").local is True
        journal.keep("org_1", "org.local", json.loads('"yes"'))
    assert "is damaged at rolecall_memory, org org_1, note:org.local" in refusal(capsys, "plan")
