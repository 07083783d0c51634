"""Test a journal in PostgreSQL that is dumped and restored as `docs/storage.md` describes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import meddler
import psycopg
import pytest
from cli_repo import CONFIG, make_repo
from postgres_server import programs

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
SCHEMA = "?options=-csearch_path%3Drolecall"
"""The journal has a schema of its own, as the page sets it up."""
TEAMS = ("Brand", "Everyone", "Marketing")


def tool(name: str, *args: str, text: str | None = None) -> str:
    folder = programs()
    assert folder is not None
    ended = subprocess.run(
        [str(folder / name), *args], input=text, capture_output=True, text=True, check=False, env={**os.environ}
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(params=["", SCHEMA], ids=["whole database", "schema of its own"])
def journal(request: pytest.FixtureRequest, postgres_url: str) -> str:
    """The url of the journal, in a database of its own or in a schema."""
    if request.param:
        with psycopg.connect(postgres_url, autocommit=True) as admin:
            admin.execute("CREATE SCHEMA rolecall")
    return f"{postgres_url}{request.param}"


@pytest.fixture
def restored(postgres_server: str, journal: str) -> Iterator[str]:
    """The url of another database of the server, where a dump is put back."""
    name = f"{urlsplit(journal).path.removeprefix('/')}_restored"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"'.encode())
        yield f"{postgres_server.rpartition('/')[0]}/{name}{SCHEMA if SCHEMA in journal else ''}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    monkeypatch.setenv("ROLECALL_ACTOR", "ann")
    return made


def configure(folder: Path, journal: str, team: str) -> None:
    text = CONFIG.replace("[Brand]", f"[{team}]")
    (folder / "rolecall.yaml").write_text(f"{text}journal: {{url: '{journal}'}}\n", encoding="utf-8")


def apply(folder: Path, journal: str, *teams: str) -> None:
    for team in teams:
        configure(folder, journal, team)
        assert run(["apply", "--auto-approve"]) == Exit.OK


def dump_and_restore(journal: str, restored: str) -> None:
    schema = ["--schema", "rolecall"] if SCHEMA in journal else []
    text = tool("pg_dump", *schema, journal.removesuffix(SCHEMA))
    tool("psql", "-q", "-v", "ON_ERROR_STOP=1", restored.removesuffix(SCHEMA), text=text)


def document(capsys: Capture, *command: str) -> dict[str, object]:
    capsys.readouterr()
    run([*command, "--format", "json"])
    made: dict[str, object] = json.loads(capsys.readouterr().out)
    return made


def keys(folder: Path) -> list[str]:
    with meddler.org(folder / "org.db") as org:
        return [row["key"] for row in org.get("/v1/audit-log?limit=1000")["data"] if row["key"]]


def test_a_restored_journal_goes_on_where_it_was(repo: Path, journal: str, restored: str, capsys: Capture) -> None:
    apply(repo, journal, *TEAMS)
    before = document(capsys, "history")
    dump_and_restore(journal, restored)
    configure(repo, restored, TEAMS[-1])
    assert run(["history", "--verify"]) == Exit.OK
    assert document(capsys, "history") == before
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    apply(repo, restored, *TEAMS)
    assert run(["history", "--verify"]) == Exit.OK
    assert len(keys(repo)) == len(set(keys(repo))) == 2 * len(TEAMS)


def test_a_backup_without_the_last_runs(repo: Path, journal: str, restored: str, capsys: Capture) -> None:
    """No key of a lost run is sent again, and no run is applied unseen: their policy is not known."""
    apply(repo, journal, TEAMS[0])
    dump_and_restore(journal, restored)
    apply(repo, journal, *TEAMS[1:])
    used = keys(repo)
    configure(repo, restored, TEAMS[0])
    assert run(["history", "--verify"]) == Exit.OK
    assert run(["apply", "--auto-approve"]) == Exit.REFUSED
    digest = str(document(capsys, "plan")["digest"])
    assert run(["apply", "--approve", digest]) == Exit.OK
    apply(repo, restored, *TEAMS[1:], *TEAMS)
    sent = keys(repo)
    assert sent[: len(used)] == used
    assert len(sent) == len(set(sent)) == len(TEAMS) + 1 + len(TEAMS[1:]) + len(TEAMS)
    assert run(["history", "--verify"]) == Exit.OK
