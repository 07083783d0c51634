"""Test a journal in PostgreSQL with the roles of docs/storage.md: a plan needs SELECT only, an apply the writer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from rolecall.cli.main import run
from rolecall.errors import Exit

ROOT = Path(__file__).resolve().parents[3]
CONFIG = """\
version: 1
org: {name: acme, url: "local:org.db"}
journal: {url: {env: ROLECALL_JOURNAL}}
idp_groups: {G: {role: member, teams: [IT]}}
guards: {require_self: false}
"""
SNAPSHOT = {
    "snapshot": 1,
    "org": {"id": "org_1", "name": "acme"},
    "teams": ["Everyone", "IT"],
    "roles": ["org_admin", "team_admin", "member"],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
    "scim": {"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False},
    "idp_groups": {"G": "blank"},
    "people": [{"email": "bo@acme.com", "groups": ["G"]}],
}
Capture = pytest.CaptureFixture[str]


def roles(url: str) -> dict[str, str]:
    """Run the page's statements on an empty database; each role's URL."""
    page = (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    suffix = urlsplit(url).path.strip("/")
    for name in ("writer", "reader"):
        statements = statements.replace(f"rolecall_{name}", f"{name}_{suffix}")
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(statements.replace("'…'", "'x'"))
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return {name: urlunsplit(parts._replace(netloc=f"{name}_{suffix}:x@{host}")) for name in ("writer", "reader")}


def test_a_plan_needs_a_role_that_selects_and_an_apply_one_that_writes(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    urls = roles(postgres_url)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CI", "true")
    Path("rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    Path("live.json").write_text(json.dumps(SNAPSHOT), encoding="utf-8")
    assert run(["local", "load", "live.json"]) == Exit.OK

    monkeypatch.setenv("ROLECALL_JOURNAL", urls["reader"])
    assert run(["apply", "--auto-approve"]) == Exit.ERROR, "nothing was set up yet, and the reader cannot"
    monkeypatch.setenv("ROLECALL_JOURNAL", urls["writer"])
    assert run(["apply", "--auto-approve"]) == Exit.OK

    monkeypatch.setenv("ROLECALL_JOURNAL", urls["reader"])
    Path("rolecall.yaml").write_text(CONFIG.replace("[IT]", "[Everyone]"), encoding="utf-8")
    for command in (
        ["plan", "--out", "plan.json"],
        ["why", "bo@acme.com"],
        ["access"],
        ["test"],
        ["history"],
        ["history", "--verify"],
        ["show", "1"],
    ):
        capsys.readouterr()
        assert run(command) == Exit.OK, f"{command}: {capsys.readouterr()}"
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert "permission denied" in told or "may not" in told, told
    monkeypatch.setenv("ROLECALL_JOURNAL", urls["writer"])
    assert run(["apply", "plan.json", "--auto-approve"]) == Exit.OK
