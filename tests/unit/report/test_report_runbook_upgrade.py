"""Test runbooks without a plan, and the upgrade as a separate runbook."""

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
from rolecall.report.builders.runbook.idp import GUIDES, IDPS, guide_document
from rolecall.report.builders.runbook.upgrade import readiness
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


def headings(text: str, *parts: str) -> list[int]:
    """Return where each part of a heading is."""
    return [text.index(f"## {part}") for part in parts]


def test_the_upgrade_is_a_runbook_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = upgrade_runbook(tmp_path, capsys)
    assert text.startswith("# The upgrade to the new SCIM endpoint on acme\n")
    assert "0 of 2 groups pushed" in text
    assert "**Not ready: do not select Upgrade.**" in text
    reason = "bo@acme.com would lose org admin. In the IdP, add bo@acme.com to Admins, then plan again."
    assert text.count(reason) == 2
    step = text.partition("## Step 1")[2]
    assert step.index(reason) < step.index("The list of IdP groups is empty then")
    assert "They are listed below.\n\n- Once complete" not in text
    assert "- bo@acme.com moves from org admin to member" in text
    places = headings(
        text, "Are you ready", "First, a break-glass", "The groups that give", "Step 1 · Start the", "Push every group"
    )
    assert places == sorted(places)
    assert "who can sign in: ann@acme.com" in text
    assert "- Admins: Org admin on Everyone" in text
    assert "Never select **Delete the group in the target app**" in text
    assert "Undo: None. There is no way back to the legacy endpoint. You can stop here" in text


def test_groups_are_mapped_in_the_upgrade_flow_and_then_it_is_completed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    org = {
        "scim": {**ORG["scim"], "endpoint": "upgrading"},
        "idp_groups": {"Admins": {}, "Legal": {}},
        "legacy_links": {"Legal": ["Legal"]},
    }
    text = upgrade_runbook(tmp_path, capsys, **org)
    places = headings(
        text, "Are you ready", "Map first, then complete", "Step 1 · Map 2 groups", "Step 2 · Complete", "After"
    )
    assert places == sorted(places)
    assert "Page: **Admin > Access & provisioning > SCIM, in the upgrade flow**" in text
    assert "If the flow does not list the groups: Admin > Access & provisioning > **IdP groups** > **Edit**" in text
    assert "a confirmation message that your endpoint has been updated in the bottom right corner" in text
    assert "Push every group" not in text
    first, _, second = text.partition("## Step 1")[2].partition("## Step 2")
    assert "- No access changes until the upgrade is completed." in first
    assert "loses" not in first
    assert "bo@acme.com" in second
    assert "before-upgrade.yaml" not in text
    assert "The break-glass admin can still open **Admin**: ann@acme.com." in text


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
    assert "Unknown: " in told
    assert "keep exactly" not in told


def test_readiness_in_one_line() -> None:
    row = UpgradeImpact("start", 2988, 12, 61, 58, (Who("1", "a@b.c"),))
    assert readiness(row, (4, 3)) == (
        "58 of 61 groups pushed · 2,988 of 3,000 users keep exactly their access · 12 change"
        " · org admins who stay: 3 of 4"
    )


LEGACY = "urn:custom:params:scim:schemas:extension:writer:2.0"


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("okta", ["**Push New Users**", "**Assign to People**", "several teams", "**Add Attribute**", "the gear icon"]),
        ("okta", ["**Refresh App Groups**", "**Find groups by name**", f"`{LEGACY}`", "**Go to Profile Editor**"]),
        (
            "entra",
            ["`mailNickname`", "`externalId`", "**Sync only assigned users and groups**", "SingleAppRoleAssignment"],
        ),
        ("entra", [f"`{LEGACY}:User`", "SingleAppRoleAssignment", "**Always**", "**None selected**"]),
        ("entra", ["**Provision Microsoft Entra ID Users**", "**Provisioning Status** to **On**"]),
        ("other", ["**Other IdP**", "**Bearer token**", "`https://app.writer.com/api/scim/v2`"]),
        ("token", ["revoke the old one", "ends the old one at once"]),
    ],
)
def test_checklists_need_no_plan(name: str, parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["runbook", name]) == Exit.OK
    text = capsys.readouterr().out
    assert [part for part in parts if part not in text] == []
    assert "- [ ] " in text
    page = html(guide_document(name))
    assert page.startswith("<!doctype html>")
    assert "<script" not in page


def test_every_idp_has_the_same_texts() -> None:
    idps = yaml.safe_load(package_text("report/data/idps.yaml"))
    shared = idps.pop("pushed")
    assert set(idps) == set(IDPS)
    assert shared
    assert {frozenset(texts) for texts in idps.values()} == {frozenset(idps["okta"])}
    assert not any("{" in runbook_markdown(guide_document(name)) for name in GUIDES)


def test_a_checklist_names_documents_support_and_the_older_menus() -> None:
    for name in IDPS:
        text = runbook_markdown(guide_document(name))
        assert "their documents go to an org admin" in text
        assert "support@writer.com" in text
        assert "In older consoles: Admin > Single sign-on > SCIM > Set up SCIM" in text
        assert "your CSM" in text
        assert "push &quot;everyone&quot;" in text or 'push "everyone"' in text


def test_a_group_that_is_called_like_a_placeholder_keeps_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = {"idp_groups": {"Legal": {"teams": ["Legal"]}, "{place}": {"teams": ["Legal"]}}}
    config = CONFIG.replace("  Legal:", "  '{place}': {role: member, teams: [Legal]}\n  Legal:")
    assert "- {place}: Member on Legal" in upgrade_runbook(tmp_path, capsys, config=config, **groups)


def test_the_new_token_is_tested_before_the_old_one_is_revoked() -> None:
    told = runbook_markdown(guide_document("token"))
    assert told.index("**Test Connection**") < told.index("Only after the test succeeded")
    assert "Undo: There is no undo" in told
    assert "- [ ] Check: In Okta, **Push Groups** shows **Active**" in told


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Admin > Access & provisioning", "Admin > Access & provisioning"),
        ("idp_groups/a_b", "idp_groups/a_b"),
        ("a *b* `c` <d>", "a &#42;b&#42; &#96;c&#96; &#60;d>"),
        ("_e_ [f](g) &lt;", "&#95;e&#95; &#91;f&#93;(g) &#38;lt;"),
        ("# x", "&#35; x"),
        ("1. x", "1&#46; x"),
    ],
)
def test_markdown_says_what_is_meant_and_stays_readable(text: str, shown: str) -> None:
    assert md(text) == shown
