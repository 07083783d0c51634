"""The GitLab template's own scripts, job after job, against a served org and a stand-in for GitLab's API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipeline_site import ROOT, Site

TEMPLATE = yaml.safe_load((ROOT / "pipelines/gitlab/rolecall.gitlab-ci.yml").read_text(encoding="utf-8"))
API: dict[str, Any] = {
    "/api/v4/projects/5/repository/commits/abc/merge_requests": [
        {"iid": 3, "state": "merged", "author": {"username": "ann"}, "web_url": "https://gitlab.invalid/mr/3"},
        {"iid": 4, "state": "closed", "author": {"username": "eve"}, "web_url": "https://gitlab.invalid/mr/4"},
    ],
    "/api/v4/projects/5/merge_requests/3/approvals": {
        "approved_by": [
            {"user": {"username": "ann"}, "approved_at": "2026-11-22T09:00:00Z"},
            {"user": {"username": "bo"}, "approved_at": "2026-11-22T09:30:00Z"},
        ]
    },
}


class Answers(BaseHTTPRequestHandler):
    """GitLab, as far as the template asks it."""

    def do_GET(self) -> None:
        known = self.headers.get("PRIVATE-TOKEN") == "glpat" and API.get(self.path)
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps(known).encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing on stderr."""


@pytest.fixture
def gitlab() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/api/v4"
    server.shutdown()
    server.server_close()


def run_job(site: Site, name: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The job's lines as GitLab's runner gives them to a shell: one after the other, the first failure ends it."""
    job = TEMPLATE[f"rolecall:{name}"]
    lines = [*TEMPLATE[job["extends"]]["before_script"], *job["script"]]
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI": "true",
        "ROLECALL_REPORTS": TEMPLATE["variables"]["ROLECALL_REPORTS"],
        "ROLECALL_ENV": "prod",
        "ROLECALL_TOKEN": site.token,
        "ROLECALL_TOKEN_HOST": "127.0.0.1",
        **more,
    }
    script = "\n".join(("set -eu", *lines))
    return subprocess.run(
        ["bash", "-c", script], cwd=site.repo, env=environ, capture_output=True, text=True, check=False, timeout=120
    )


def test_from_the_merge_request_to_the_schedule(site: Site, gitlab: str) -> None:
    site.change("env/prod.yaml", "min_org_admins: 3", "min_org_admins: 3\n  approval: other_person")
    reports = site.repo / "rolecall-reports"
    valid = run_job(site, "validate")
    assert valid.returncode == 0, valid.stderr
    assert "<testsuites" in (reports / "validate.xml").read_text(encoding="utf-8")

    planned = run_job(site, "plan")
    assert planned.returncode == 0, planned.stderr
    assert json.loads((reports / "counts.json").read_text()) == {"create": 3, "update": 8, "delete": 1}
    name, _, digest = (reports / "digest.env").read_text().strip().partition("=")
    assert (name, len(digest)) == ("ROLECALL_DIGEST", 64)

    alone = run_job(site, "apply", ROLECALL_DIGEST=digest, GITLAB_USER_LOGIN="ann")
    assert alone.returncode == 3, "nobody's approval is on record"
    known = {"CI_API_V4_URL": gitlab, "CI_PROJECT_ID": "5", "CI_COMMIT_SHA": "abc", "ROLECALL_GITLAB_TOKEN": "glpat"}
    applied = run_job(site, "apply", ROLECALL_DIGEST=digest, GITLAB_USER_LOGIN="ann", **known)
    assert applied.returncode == 0, applied.stdout + applied.stderr
    approvals = json.loads((reports / "approvals.json").read_text())
    assert [(row["by"], row["url"]) for row in approvals] == [("bo", "https://gitlab.invalid/mr/3")]

    quiet = run_job(site, "drift")
    assert quiet.returncode == 0, quiet.stdout + quiet.stderr


def test_the_button_is_pressed_by_a_person_and_never_cancelled() -> None:
    job = TEMPLATE["rolecall:apply"]
    assert job["rules"][0]["when"] == "manual"
    assert job["interruptible"] is False
    assert job["resource_group"] == "rolecall-$ROLECALL_ENV"
    assert job["allow_failure"] == {"exit_codes": [6]}, "only human steps that remain are no failure"
