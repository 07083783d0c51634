"""Test that no secret appears in any output or file: canaries are planted in every secret."""

from __future__ import annotations

import base64
import itertools
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from cli_repo import CONFIG, make_repo
from faulty_org import Asked, Reply, error, faulty_org
from served_org import Server

from rolecall.cli.main import run
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

Capture = pytest.CaptureFixture[str]

PASSWORD = "canary-journal-p4ss"
MASK = "canary-mask-key-77aa"
STRAY = "canary-of-another-tool-0b1d"

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")
HUNT = [
    ["validate"],
    ["render", "--origin"],
    *(["plan", "--format", form, "--people", "masked"] for form in FORMATS),
    ["-vv", "plan", "--out", "plan.json", "--report", "html=plan.html", "--report", "json=report.json"],
    ["-vv", "--log-format", "json", "plan"],
    ["show", "plan.json"],
    ["-vv", "apply", "plan.json", "--auto-approve"],
    ["-vv", "plan", "--detailed-exitcode"],
    ["history"],
    ["history", "1"],
    ["history", "--format", "json"],
    ["history", "--verify"],
    ["show", "1"],
    ["-vv", "rollback", "1", "--out", "back.json"],
    ["-vv", "drift"],
    ["-vv", "access"],
    ["-vv", "why", "ann@tiny.co"],
    ["-vv", "snapshot", "--out", "live.yaml"],
    ["-vv", "export", "--out", "exported"],
]


class Site:
    """A repo whose org is behind HTTP, its secrets, and everything said so far."""

    def __init__(self, folder: Path, capsys: Capture, secrets: Mapping[str, str]) -> None:
        self.folder, self.capsys, self.secrets, self.told = folder, capsys, dict(secrets), ""

    def go(self, *line: str) -> int:
        code = run([*line])
        shown = self.capsys.readouterr()
        self.told += shown.out + shown.err
        return code

    def hunt(self) -> list[str]:
        """Where a canary was found."""
        places = [("the output", self.told.encode())]
        places += [
            (str(path.relative_to(self.folder)), path.read_bytes())
            for path in self.folder.rglob("*")
            if path.is_file() and path.parent.name != "vault"
        ]
        return [
            f"{name} in {place}"
            for (name, look), (place, held) in itertools.product(_forms(self.secrets), places)
            if look in held
        ]


def _forms(secrets: Mapping[str, str]) -> list[tuple[str, bytes]]:
    """Each secret as it is, in base64, and quoted for a URL."""
    found = []
    for name, secret in secrets.items():
        found += [(name, secret.encode()), (f"{name}, base64", base64.b64encode(secret.encode())[:-4])]
        if quote(secret) != secret:
            found.append((f"{name}, quoted", quote(secret).encode()))
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, postgres_url: str) -> Iterator[Site]:
    repo = make_repo(tmp_path / "repo")
    database = open_database(str(repo / "org.db"))
    secrets = {"admin token": make_token(database, "admin").secret, "scim token": make_token(database, "scim").secret}
    database.close()
    journal = postgres_url.replace("rolecall@", f"rolecall:{PASSWORD}@")
    for name, value in {
        "T": secrets["admin token"],
        "J": journal,
        "ROLECALL_MASK_KEY": MASK,
        "OTHER_API_TOKEN": STRAY,
        "ROLECALL_SCIM_TOKEN": secrets["scim token"],
    }.items():
        monkeypatch.setenv(name, value)
    server = Server(str(repo / "org.db"))
    text = CONFIG.replace("url: local:org.db", f"url: 'http://127.0.0.1:{server.port}', token: {{env: T}}")
    (repo / "rolecall.yaml").write_text(text.replace("manage:", "journal: {url: {env: J}}\nmanage:"), encoding="utf-8")
    monkeypatch.chdir(repo)
    capsys.readouterr()
    yield Site(repo, capsys, {**secrets, "journal password": PASSWORD, "mask key": MASK, "stray": STRAY})
    server.stop()


def with_token(site: Site, reference: str) -> None:
    config = site.folder / "rolecall.yaml"
    config.write_text(config.read_text(encoding="utf-8").replace("{env: T}", reference), encoding="utf-8")


def rows(url: str) -> bytes:
    """Every value of every table of a journal."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        held = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in tables]
    return repr(held).encode()


def test_the_hunt_finds_what_is_there(site: Site) -> None:
    (site.folder / "leak.txt").write_text(f"x{base64.b64encode(PASSWORD.encode()).decode()}y", encoding="utf-8")
    site.told = f"Bearer {site.secrets['admin token']}"
    assert site.hunt() == ["admin token in the output", "journal password, base64 in leak.txt"]


def test_no_command_leaves_a_secret_anywhere(site: Site, postgres_url: str) -> None:
    codes = {tuple(line): site.go(*line) for line in HUNT}
    assert codes["-vv", "apply", "plan.json", "--auto-approve"] == 0, site.told
    assert codes["history", "--verify"] == 0
    assert not [line for line, code in codes.items() if code == 64], codes
    assert "GET" in site.told, "nothing was logged, so nothing was proved"
    assert site.hunt() == []
    held = rows(postgres_url)
    assert b"rolecall" in held
    assert [name for name, look in _forms(site.secrets) if look in held] == []


@pytest.mark.parametrize("kind", ["file", "exec"])
def test_a_token_from_a_file_or_a_command_stays_there(site: Site, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = site.folder / "vault"
    vault.mkdir()
    (vault / "token").write_text(site.secrets["admin token"] + "\n", encoding="utf-8")
    monkeypatch.setenv("ROLECALL_ALLOW_EXEC", "1")
    with_token(site, "{file: vault/token}" if kind == "file" else "{exec: [cat, vault/token]}")
    assert site.go("-vv", "apply", "--auto-approve") == 0, site.told
    assert site.hunt() == []


def test_a_command_that_fails_may_say_what_it_likes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = site.folder / "vault"
    vault.mkdir()
    script = vault / "fail.sh"
    script.write_text(f"#!/bin/sh\necho {site.secrets['admin token']}\nexit 3\n", encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("ROLECALL_ALLOW_EXEC", "1")
    with_token(site, "{exec: [vault/fail.sh]}")
    assert site.go("-vv", "plan") == 1
    assert site.hunt() == []


def test_an_org_that_gives_the_token_back_in_its_errors(site: Site) -> None:
    """A careless proxy repeats headers in its error pages; they end in our messages and logs."""

    def echo(asked: Asked) -> Reply:
        said = asked.headers.get("authorization", "")
        return error(403, f"forbidden: {said}", key=said, x_echo=said)

    with faulty_org(echo) as org:
        config = site.folder / "rolecall.yaml"
        text = re.sub(r"http://127\.0\.0\.1:\d+", org.base, config.read_text(encoding="utf-8"))
        config.write_text(text, encoding="utf-8")
        assert site.go("-vv", "plan") == 1
        assert site.go("-vv", "--log-format", "json", "apply", "--auto-approve") == 1
        assert org.asked[0].headers["authorization"].endswith(site.secrets["admin token"])
    assert site.hunt() == []


@pytest.mark.parametrize("place", ["127.0.0.1:1/none", "nowhere.invalid/x", "[::1/x", "127.0.0.1:99999999/x"])
def test_a_journal_that_cannot_be_reached_keeps_its_password(
    site: Site, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("J", f"postgresql://rolecall:{PASSWORD}@{place}")
    assert site.go("-vv", "plan") == 1
    assert site.go("-vv", "history", "--format", "json") == 1
    assert site.hunt() == []


def test_a_secret_written_into_the_config_is_refused_without_repeating_it(site: Site) -> None:
    with_token(site, f"'{site.secrets['admin token']}'")
    site.secrets = {"admin token": site.secrets["admin token"]}
    assert site.go("validate") == 1
    (site.folder / "rolecall.yaml").unlink()
    assert site.hunt() == []


def test_a_bug_does_not_write_a_secret_to_its_log(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    from rolecall.cli.messages import on_bug

    secret: dict[str, Any] = {"Authorization": f"Bearer {site.secrets['admin token']}", "url": f"x://u:{PASSWORD}@h"}
    monkeypatch.setattr("tempfile.tempdir", str(site.folder))
    try:
        raise RuntimeError(f"{secret} {STRAY} {MASK}")
    except RuntimeError as bug:
        on_bug(type(bug), bug, bug.__traceback__)
    site.told += site.capsys.readouterr().err
    assert list(site.folder.glob("rolecall-*.log"))
    assert site.hunt() == []
    assert sys.exc_info() == (None, None, None)
