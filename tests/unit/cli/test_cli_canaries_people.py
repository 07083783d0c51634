"""Test that no secret of a source of users and no URL of a webhook appears in any output or file."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import fake_idps
import people_sources
import pytest
from cli_repo import CONFIG, make_repo
from webhook import Webhook, webhook

from rolecall.cli.main import run

Capture = pytest.CaptureFixture[str]

TOKEN = people_sources.TOKEN
SECRET = "canary~client+secret/9f3a"
PEOPLE = {"ann@tiny.co": ["Admins"], "bo@tiny.co": ["Admins"], "cy@tiny.co": ["Marketing"], "di@tiny.co": ["New"]}
FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")
COMMANDS = [
    ["validate", "--online"],
    ["doctor"],
    ["doctor", "--format", "json"],
    ["render", "--origin"],
    *(["plan", "--format", form] for form in FORMATS),
    ["plan", "--out", "plan.json", "--report", "html=plan.html"],
    ["--log-format", "json", "plan"],
    ["show", "plan.json"],
    ["apply", "plan.json", "--auto-approve"],
    ["history", "--format", "json"],
    ["runbook", "1"],
    ["drift", "--format", "json", "--metrics-file", "drift.prom"],
    ["local", "load", "live.json", "--database", "org.db"],  # as somebody in the console who turns it back
    ["drift", "--notify", "{notify}"],
    ["access", "--format", "csv"],
    ["why", "ann@tiny.co"],
    ["test"],
    ["snapshot", "--out", "live.yaml", "--record"],
    ["export", "--out", "exported"],
]
IDPS = ("okta", "okta idp", "entra", "entra client", "entra idp")
KINDS = (*IDPS, "scim")


class Repo:
    """A config whose people come from somewhere else, and everything said so far."""

    def __init__(self, folder: Path, capsys: Capture, hook: Webhook) -> None:
        self.folder, self.capsys, self.hook, self.told = folder, capsys, hook, ""

    def go(self, *line: str) -> int:
        code = run(["-vv", "-C", str(self.folder), *(word.format(notify=self.hook.url) for word in line)])
        shown = self.capsys.readouterr()
        self.told += shown.out + shown.err
        return code

    def hunt(self) -> list[str]:
        """What was found where: in the output, in any file, and in every row of the journal."""
        places = {"the output": self.told.encode(), "the notices": repr(self.hook.posts).encode()}
        places |= {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        with closing(sqlite3.connect(self.folder / ".rolecall/journal.db")) as journal:
            places["the journal"] = "\n".join(journal.iterdump()).encode()
        secrets = (TOKEN, SECRET, "s3cret-path")
        looks = {form for one in secrets for form in (one.encode(), quote(one, safe="").encode(), _encoded(one))}
        return [f"{look!r} in {place}" for place, held in places.items() for look in looks if look in held]


def _encoded(secret: str) -> bytes:
    return base64.b64encode(secret.encode())[:-4]


def config(kind: str, url: str) -> str:
    where = {
        "okta": f"okta: '{url}', app: 0oa1, token: {{env: PEOPLE_TOKEN}}",
        "scim": f"scim: '{url}', token: {{env: PEOPLE_TOKEN}}",
        "entra": f"entra: acme, url: '{url}', app: {fake_idps.uid('app')}, token: {{env: PEOPLE_TOKEN}}",
        "entra client": f"entra: acme, url: '{url}', login_url: '{url}', app: {fake_idps.uid('app')}, "
        "client_id: c, client_secret: {env: CLIENT_SECRET}",
        "okta idp": f"url: '{url}', app: 0oa1, token: {{env: PEOPLE_TOKEN}}",
        "entra idp": f"tenant: acme, url: '{url}', login_url: '{url}', app: {fake_idps.uid('app')}, "
        "client_id: c, client_secret: {env: CLIENT_SECRET}",
    }[kind]
    if kind.endswith("idp"):
        return f"{CONFIG}people: idp\nidp: {{{kind.partition(' ')[0]}: {{{where}}}}}\n"
    return f"{CONFIG}people: {{{where}}}\n"


@pytest.fixture
def repo(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repo]:
    monkeypatch.setenv("PEOPLE_TOKEN", TOKEN)
    monkeypatch.setenv("CLIENT_SECRET", SECRET)
    made = make_repo(tmp_path / "repo")
    capsys.readouterr()
    with webhook() as hook:
        yield Repo(made, capsys, hook)


def source(kind: str, site: fake_idps.Site, stack: ExitStack, folder: Path) -> str:
    """The URL of such a source with the site's people."""
    if kind == "scim":
        world = people_sources.World(site.people)
        lying = next(one for one in people_sources.SOURCES if one.name == "scim: false totals")
        return stack.enter_context(lying.filled(world, folder)).at
    okta = kind.startswith("okta")
    answers = fake_idps.okta_answers if okta else fake_idps.graph_answers
    return stack.enter_context(fake_idps.served(site, answers, okta=okta))


def a_site() -> fake_idps.Site:
    groups = ["Admins", "Marketing", "New"]
    return fake_idps.Site(dict(PEOPLE), groups, groups, token=TOKEN, client_secret=SECRET)


def test_the_hunt_finds_what_is_there(repo: Repo) -> None:
    repo.go("snapshot", "--record")
    repo.told += quote(SECRET, safe="")
    (repo.folder / "leak").write_bytes(b"x" + _encoded(TOKEN))
    with closing(sqlite3.connect(repo.folder / ".rolecall/journal.db")) as journal:
        journal.execute("CREATE TABLE leak AS SELECT 's3cret-path' AS said")
        journal.commit()
    assert {found.rpartition(" in ")[2] for found in repo.hunt()} >= {"the output", "leak", "the journal"}


@pytest.mark.parametrize("kind", KINDS)
def test_no_command_tells_a_secret(kind: str, repo: Repo, tmp_path: Path) -> None:
    with ExitStack() as stack:
        url = source(kind, a_site(), stack, tmp_path)
        (repo.folder / "rolecall.yaml").write_text(config(kind, url))
        traces = [["why", "ann@tiny.co", "--trace"]] if kind in IDPS else []
        codes = {tuple(line): repo.go(*line) for line in (*COMMANDS, *traces)}
    assert codes["apply", "plan.json", "--auto-approve"] == 0, repo.told[-3000:]
    assert set(codes.values()) <= {0, 1}, codes
    assert [line for line, code in codes.items() if code == 1 and line[0] not in ("doctor", "runbook")] == []
    assert repo.hook.posts, "no notice was sent, so nothing was proved"
    assert repo.hunt() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_source_that_repeats_the_token_in_its_errors(kind: str, repo: Repo, tmp_path: Path) -> None:
    """As a careless proxy does, and a sign-in service that says which secret was wrong."""
    site = a_site()
    site.echo = True
    site.client_secret = "another"
    repo.hook.answers = [(404, {})]
    with ExitStack() as stack:
        url = source("okta" if kind == "scim" else kind, site, stack, tmp_path)
        (repo.folder / "rolecall.yaml").write_text(config(kind, url))
        for line in (["plan"], ["--log-format", "json", "plan"], ["validate", "--online"], ["doctor"], ["access"]):
            repo.go(*line)
        repo.go("why", "ann@tiny.co", "--trace")
        repo.go("drift", "--notify", "{notify}")
    assert "***" in repo.told or kind == "scim"
    assert repo.hunt() == []
