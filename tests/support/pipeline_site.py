"""A company's repository in a runner's workspace: the example, its org served on loopback, a stand-in for the forge."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from actions_runner import Ran, run_action
from forge import REPOSITORY, TOKEN, Forge, account, commit
from served_org import Server

ROOT = Path(__file__).resolve().parents[2]
HEAD, MERGED = "a" * 40, "b" * 40


class Site(NamedTuple):
    """``repo`` is the checked-out repository; ``token`` opens the served org at ``url``."""

    repo: Path
    forge: Forge
    url: str
    token: str

    def run(self, command: str, event: Mapping[str, Any] | None = None, **more: Any) -> Ran:
        """One step with the action, in the environment of a push unless the event says otherwise."""
        inputs = {name.replace("_", "-"): text for name, text in more.items() if name.islower()}
        environ = {
            "GITHUB_API_URL": self.forge.url,
            "GITHUB_SERVER_URL": "https://forge.invalid",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": MERGED,
            "GITHUB_RUN_ID": "77",
            "GITHUB_REF_NAME": "main",
            "GITHUB_ACTOR": "rita",
            "GITHUB_TRIGGERING_ACTOR": "rita",
            "ROLECALL_TOKEN": self.token,
            "ROLECALL_TOKEN_HOST": "127.0.0.1",
            **{name: text for name, text in more.items() if name.isupper()},
        }
        inputs = {"command": command, "env": "prod", "python": sys.executable, "github-token": TOKEN, **inputs}
        return run_action(ROOT, self.repo, inputs, environ, event or {})

    def approve(self, login: str) -> None:
        """A reviewer of the environment approves this run; ann made the commit."""
        self.forge.commits.append(commit("ann"))
        self.forge.approvals.append({"state": "approved", "user": account(login), "environments": [{"name": "writer"}]})

    def change(self, file: str, old: str, new: str) -> None:
        path = self.repo / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def rolecall(self, *args: str) -> str:
        return rolecall("-C", str(self.repo), *args)


def rolecall(*args: str) -> str:
    """What rolecall prints; it has to leave with 0."""
    ended = subprocess.run([sys.executable, "-m", "rolecall", *args], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


class Loaded(NamedTuple):
    """A database that holds the example's org, to be copied, and a token that opens it."""

    database: Path
    token: str


def load_org(folder: Path) -> Loaded:
    """Make the example's org once, for many tests."""
    example, database = str(ROOT / "examples" / "acme"), folder / "org.db"
    where = ("-C", example, "-e", "prod", "local")
    rolecall(*where, "load", "--database", str(database), "live/prod.json")
    return Loaded(database, rolecall(*where, "token", "--admin", "--database", str(database)).split()[-1])


@contextmanager
def serve_site(tmp_path: Path, org: Loaded) -> Iterator[Site]:
    """The repository, its org served, the forge beside it; all gone at the end."""
    repo, database = tmp_path / "repo", tmp_path / "org.db"
    shutil.copytree(ROOT / "examples" / "acme", repo, ignore=shutil.ignore_patterns(".rolecall"))
    shutil.copy(org.database, database)
    server, forge = Server(str(database)), Forge()
    made = Site(repo, forge, f"http://127.0.0.1:{server.port}", org.token)
    made.change("env/prod.yaml", "url: local:.rolecall/prod.db", f"url: {made.url}\n  token: {{env: ROLECALL_TOKEN}}")
    made.change("rolecall.yaml", '"sqlite:.rolecall/journal.db"', '"sqlite:kept/journal.db"')
    (repo / "kept").mkdir()
    yield made
    server.stop()
    forge.close()


def pull_request(number: int = 7, *, fork: bool = False) -> dict[str, Any]:
    """The event of a pull request."""
    name = "somebody/access" if fork else REPOSITORY
    return {"pull_request": {"number": number, "head": {"sha": HEAD, "repo": {"full_name": name}}}}
