"""Test `doctor` on pipelines: environments without reviewers or that cannot be read, and lax policies."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run

Capture = pytest.CaptureFixture[str]
WORKFLOW = """\
on: {push: {branches: [main]}}
jobs:
  plan:
    runs-on: ubuntu-24.04
    steps: [{uses: acme/rolecall@v1, with: {command: check}}]
  apply:
    environment: ENVIRONMENT
    steps:
      - uses: actions/checkout@v6
      - {uses: acme/rolecall@v1, with: {command: apply, digest: x}}
"""
GITLAB = """\
deploy:
  environment: {name: writer}
  script:
    - !reference [.setup, script]
    - rolecall apply --no-input
"""
REVIEWERS = {"type": "required_reviewers", "prevent_self_review": True, "reviewers": [{"type": "User"}]}


class Forge:
    """A stand-in for the forges' API on loopback: one answer for every request."""

    def __init__(self) -> None:
        self.status, self.answer = 200, b"{}"
        self.requests: list[tuple[str, str | None]] = []
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                forge.requests.append(
                    (self.path, self.headers.get("Authorization") or self.headers.get("PRIVATE-TOKEN"))
                )
                self.send_response(forge.status)
                self.send_header("Content-Length", str(len(forge.answer)))
                self.end_headers()
                self.wfile.write(forge.answer)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, answer: Any, status: int = 200) -> None:
        self.status, self.answer = status, answer if isinstance(answer, bytes) else json.dumps(answer).encode()


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    made = Forge()
    for name, text in {
        "GITHUB_API_URL": made.url,
        "GITHUB_TOKEN": "ghs_x",
        "GITHUB_REPOSITORY": "acme/access",
        "CI_API_V4_URL": f"{made.url}/api/v4",
        "CI_PROJECT_ID": "5",
        "ROLECALL_GITLAB_TOKEN": "glpat-x",
    }.items():
        monkeypatch.setenv(name, text)
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_repo(tmp_path / "repo", CONFIG.replace("guards: {", "guards: {approval: other_person, "))
    monkeypatch.chdir(made)
    return made


def write(repo: Path, name: str, text: str) -> None:
    path = repo / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def pipeline(capsys: Capture) -> tuple[str, str]:
    """The state of the check, and its messages."""
    capsys.readouterr()
    run(["doctor", "--format", "json"])
    checks = json.loads(capsys.readouterr().out)["checks"]
    check = next(check for check in checks if check["name"] == "pipeline")
    return check["state"], "; ".join(problem["message"] for problem in check["problems"])


def workflow(repo: Path, environment: str = "writer") -> None:
    write(repo, ".github/workflows/apply.yml", WORKFLOW.replace("ENVIRONMENT", environment))


def test_without_a_pipeline_there_is_nothing_to_say(repo: Path, forge: Forge, capsys: Capture) -> None:
    assert pipeline(capsys) == ("ok", "")
    assert forge.requests == []


def test_an_environment_with_reviewers_is_right(repo: Path, forge: Forge, capsys: Capture) -> None:
    workflow(repo, "writer prod")
    forge.says({"protection_rules": [{"type": "wait_timer"}, REVIEWERS]})
    assert pipeline(capsys) == ("ok", "")
    assert forge.requests == [("/repos/acme/access/environments/writer%20prod", "Bearer ghs_x")]


@pytest.mark.parametrize("rules", [[], [{"type": "branch_policy"}], [{**REVIEWERS, "reviewers": []}]])
def test_an_environment_without_reviewers_is_warned_of(
    repo: Path, forge: Forge, rules: list[Any], capsys: Capture
) -> None:
    workflow(repo)
    forge.says({"protection_rules": rules})
    assert pipeline(capsys) == ("warning", "the deployment environment `writer` has no required reviewers")


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ({}, 404, "GitHub does not have this environment"),
        ({}, 403, "GitHub returned 403"),
        (b"<html>", 200, "GitHub returned a response that is not JSON"),
        ([], 200, "GitHub returned 200"),
    ],
)
def test_what_cannot_be_determined_is_no_all_clear(
    repo: Path, forge: Forge, answer: Any, status: int, reason: str, capsys: Capture
) -> None:
    workflow(repo)
    forge.says(answer, status)
    state, message = pipeline(capsys)
    assert state == "warning"
    assert "could not check whether the deployment environment `writer` has required reviewers" in message
    assert reason in message


def test_without_a_token_it_is_not_known(
    repo: Path, forge: Forge, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    workflow(repo)
    monkeypatch.delenv("GITHUB_TOKEN")
    assert "has required reviewers: GITHUB_TOKEN is not set" in pipeline(capsys)[1]
    assert forge.requests == []


def test_a_job_without_an_environment_applies_for_anybody(repo: Path, forge: Forge, capsys: Capture) -> None:
    text = WORKFLOW.replace("    environment: ENVIRONMENT\n", "")
    write(repo, ".github/workflows/apply.yaml", text)
    assert pipeline(capsys) == ("warning", "the job `apply` runs rolecall apply without a deployment environment")


def test_gitlabs_environment_is_asked_about_too(repo: Path, forge: Forge, capsys: Capture) -> None:
    write(repo, ".gitlab-ci.yml", GITLAB)
    forge.says({"name": "writer", "approval_rules": [{"required_approvals": 1}]})
    assert pipeline(capsys) == ("ok", "")
    assert forge.requests == [("/api/v4/projects/5/protected_environments/writer", "glpat-x")]
    forge.says({"name": "writer", "approval_rules": []})
    assert pipeline(capsys) == ("warning", "the deployment environment `writer` has no required reviewers")


def test_a_policy_that_needs_no_other_person_is_warned_of(repo: Path, forge: Forge, capsys: Capture) -> None:
    workflow(repo)
    forge.says({"protection_rules": [REVIEWERS]})
    write(repo, "rolecall.yaml", CONFIG)
    state, message = pipeline(capsys)
    assert (state, "without approval by another user" in message) == ("warning", True)
