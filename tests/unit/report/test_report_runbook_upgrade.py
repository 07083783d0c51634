"""Runbooks: checklists that need no plan, and the upgrade as a runbook of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.package_data import package_text
from rolecall.plan.value import UpgradeImpact, Who
from rolecall.report.builders.runbook import guide_document
from rolecall.report.builders.runbook_prose import GUIDES, readiness
from rolecall.report.renderers.html import html
from rolecall.report.renderers.runbook import md, runbook_markdown

CONFIG = """\
version: 1
org: {name: acme, url: observed:org.json}
defaults: {role: member, teams: [Everyone]}
scim: {enabled: true, idp: IDP, endpoint: new}
idp_groups:
  Admins: {role: org_admin, teams: [Everyone]}
  Legal: {role: member, teams: [Legal]}
guards: {required_org_admins: [ann@acme.com]}
"""

ORG: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "acme", "name": "acme"},
    "teams": ["Everyone", "Legal"],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {"enabled": True},
    "scim": {"enabled": True, "idp": "okta", "endpoint": "legacy", "manual_editing": False},
    "idp_groups": {"Legal": {"teams": ["Legal"]}},
    "people": [
        {"email": "ann@acme.com", "groups": ["Admins"], "role_attribute": "admin"},
        {"email": "bo@acme.com", "groups": [], "role_attribute": "admin"},
        {"email": "cy@acme.com", "groups": ["Legal"]},
    ],
}


def upgrade_runbook(
    folder: Path, capsys: pytest.CaptureFixture[str], idp: str = "okta", config: str = CONFIG, **changed: Any
) -> str:
    (folder / "rolecall.yaml").write_text(config.replace("IDP", idp))
    (folder / "org.json").write_text(json.dumps({**ORG, **changed}))
    run(["-C", str(folder), "plan", "--out", "plan.json"])
    capsys.readouterr()
    assert run(["-C", str(folder), "runbook", "plan.json"]) == Exit.OK
    return capsys.readouterr().out


def test_the_upgrade_is_a_runbook_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = upgrade_runbook(tmp_path, capsys)
    assert told.startswith("# The upgrade to the new SCIM endpoint on acme\n")
    assert "0 of 2 groups pushed" in told
    assert "bo@acme.com would no longer be org admin" in told
    order = ["Are you ready", "First, a break-glass admin", "The groups that", "Start, and push", "Map, then complete"]
    places = [told.index(f"## {heading}") for heading in order]
    assert places == sorted(places)
    assert "who can sign in: ann@acme.com" in told
    assert "- [ ] Admins: Org admin on Everyone" in told
    assert "Never choose Delete the group in the target app" in told
    assert "There is no undo, and no way back" in told
    assert "## Step 1 · scim" in told
    assert "Undo: There is none." in told


@pytest.mark.parametrize(
    ("idp", "said", "unsaid"),
    [("okta", "Push now", "Restart provisioning"), ("entra", "Restart provisioning", "Push now")],
)
def test_what_to_press_is_the_idps_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], idp: str, said: str, unsaid: str
) -> None:
    told = upgrade_runbook(tmp_path, capsys, idp)
    assert said in told
    assert unsaid not in told


def test_without_people_nobody_says_that_it_is_ready(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upgrade_runbook(tmp_path, capsys)
    (tmp_path / "org.json").write_text(json.dumps({key: said for key, said in ORG.items() if key != "people"}))
    run(["-C", str(tmp_path), "plan", "--out", "plan.json"])
    capsys.readouterr()
    assert run(["-C", str(tmp_path), "runbook", "plan.json"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Not known: " in told
    assert "keep exactly" not in told


def test_readiness_in_one_line() -> None:
    row = UpgradeImpact("start", 2988, 12, 61, 58, (Who("1", "a@b.c"),))
    assert readiness(row, (4, 3)) == (
        "58 of 61 groups pushed · 2,988 of 3,000 keep exactly what they have · 12 change · org admins 4 → 3"
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("okta", ["Push New Users", "Assignments"]),
        ("entra", ["mailNickname to externalId", "Sync only assigned users and groups", "SingleAppRoleAssignment"]),
        ("token", ["Revoke the old token"]),
    ],
)
def test_checklists_need_no_plan(name: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", name]) == Exit.OK
    told = capsys.readouterr().out
    assert all(word in told for word in words)
    assert "- [ ] " in told
    page = html(guide_document(name))
    assert page.startswith("<!doctype html>")
    assert "<script" not in page


def test_every_guide_of_the_prose_has_its_name() -> None:
    assert set(yaml.safe_load(package_text("report/data/guides.yaml"))) == set(GUIDES)
    assert not any("{" in runbook_markdown(guide_document(name)) for name in GUIDES)


def test_a_group_that_is_called_like_a_placeholder_keeps_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = {"idp_groups": {"Legal": {"teams": ["Legal"]}, "{place}": {"teams": ["Legal"]}}}
    config = CONFIG.replace("  Legal:", "  '{place}': {role: member, teams: [Legal]}\n  Legal:")
    assert "- [ ] {place}: Member on Legal" in upgrade_runbook(tmp_path, capsys, config=config, **groups)


def test_the_new_token_is_tested_before_the_old_one_is_revoked() -> None:
    told = runbook_markdown(guide_document("token"))
    assert told.index("test, save") < told.index("Revoke the old token")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Admin > Access & provisioning", "Admin > Access & provisioning"),
        ("idp_groups/a_b", "idp_groups/a_b"),
        ("a *b* `c` <d> _e_ [f](g) &lt;", "a \\*b\\* \\`c\\` &lt;d> \\_e\\_ \\[f\\](g) \\&lt;"),
        ("# x", "\\# x"),
        ("1. x", "1\\. x"),
    ],
)
def test_markdown_says_what_is_meant_and_stays_readable(text: str, shown: str) -> None:
    assert md(text) == shown
