"""What was applied and is no longer in the config: reported as no longer managed, and no drift; and drift in sections
that rolecall does not manage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import meddler
import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]

HEAD = "version: 1\norg: {name: tinyco, url: local:org.db}\n"
GUARDS = (
    "guards: {require_self: false, escalations: allow, max_people_losing_access: {review: 100%, block: 100%}, "
    "max_removals: {review: 100%, block: 100%}}\n"
)
ADMINS = "  Admins: {role: org_admin, teams: [Everyone]}\n"
MARKETING = "  Marketing: {role: team_admin, teams: [Marketing]}\n"
SSO = "sso: {allow_passwords: false, name: Okta}\n"
SCIM = "scim: {enabled: true, manual_editing: false}\n"
DOMAINS = "domains: {tiny.co: {discoverable: true, join: approval}}\n"
ALL = f"{HEAD}{SSO}{SCIM}{DOMAINS}idp_groups:\n{ADMINS}{MARKETING}{GUARDS}"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo", ALL)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made


def told(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    return capsys.readouterr().out


def report(capsys: Capture, *command: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(told(capsys, *command, "--format", "json"))
    return document


@pytest.mark.parametrize(
    ("config", "rows"),
    [
        (
            ALL.replace(ADMINS, ""),
            [("idp_groups/Admins", 2, [], {"role": "org_admin", "teams": ["Everyone"]})],
        ),
        (ALL.replace(SSO, ""), [("sso", None, [], {"name": "Okta", "allow_passwords": False})]),
        (
            ALL.replace(", manual_editing: false", "").replace(", join: approval", ""),
            [
                ("domains/tiny.co", None, ["join"], {"join": "approval"}),
                ("scim", None, ["manual_editing"], {"manual_editing": False}),
            ],
        ),
        (
            f"{HEAD}idp_groups:\n{ADMINS}{MARKETING}manage: {{idp_groups: unmanaged, scim: authoritative}}\n{GUARDS}",
            [
                ("domains/tiny.co", None, [], {"discoverable": True, "join": "approval"}),
                ("idp_groups/Admins", 2, [], {"role": "org_admin", "teams": ["Everyone"]}),
                ("idp_groups/Marketing", 2, [], {"role": "team_admin", "teams": ["Marketing"]}),
                ("scim", None, [], {"enabled": True, "manual_editing": False}),
                ("sso", None, [], {"name": "Okta", "allow_passwords": False}),
            ],
        ),
    ],
    ids=["a mapping", "a section", "fields", "all, by different ways"],
)
def test_it_is_reported_with_value_and_users_and_is_no_drift(
    repo: Path, capsys: Capture, config: str, rows: list[tuple[Any, ...]]
) -> None:
    (repo / "rolecall.yaml").write_text(config, encoding="utf-8")
    for command in (["plan"], ["drift"], ["access", "--unmanaged"]):
        found = report(capsys, *command)
        if command[0] != "access":
            jsonschema.validate(found, json.loads(schema_text(f"{command[0]}.schema.json")))
        keys = ("address", "people", "fields", "value")
        assert [tuple(row[key] for key in keys) for row in found["released"]] == rows
        assert not any(row["new"] for row in found["unmanaged"])
        text = told(capsys, *command)
        assert all(address in text for address, *_ in rows)
        assert "no longer managed" in text.lower()
        assert "new" not in text
    assert "  No drift.\n" in told(capsys, "drift", "--detailed-exitcode")
    told(capsys, "plan", "--out", "p.json")
    assert "no longer managed" in told(capsys, "show", "p.json").lower()
    run(["apply", "--auto-approve", "--allow", "policy=9"])
    for command in (["plan"], ["drift"]):
        found = report(capsys, *command)
        assert found["released"] == []
        assert not any(row["new"] for row in found["unmanaged"])


@pytest.mark.parametrize("entries", [f"idp_groups:\n{ADMINS}{MARKETING}", ""], ids=["entries kept", "entries removed"])
def test_a_section_that_is_unmanaged_is_named_and_nothing_is_said_of_its_entries(
    repo: Path, capsys: Capture, entries: str
) -> None:
    """What stands in the config is not removed from it, and `blank` has no effect there."""
    config = f"{HEAD}{entries}manage: {{idp_groups: unmanaged}}\n{GUARDS}{SSO}{SCIM}{DOMAINS}"
    (repo / "rolecall.yaml").write_text(config, encoding="utf-8")
    told(capsys, "plan", "--out", "p.json")
    for command in (["plan"], ["drift"], ["show", "p.json"]):
        text = " ".join(told(capsys, *command).split())
        says = "idp_groups/Marketing (manage.idp_groups is unmanaged)"
        says += ". Unchanged in the org: team_admin on Marketing; 2 users"
        assert f"No longer managed: {says}" in text
        assert "removed from config" not in text
        assert "To unmap" not in text
    for command, schema in ((["plan"], "plan"), (["drift"], "drift")):
        document = report(capsys, *command)
        jsonschema.validate(document, json.loads(schema_text(f"{schema}.schema.json")))
        assert {row["unmanaged"] for row in document["released"]} == {True}


def test_it_is_drift_where_it_then_gives_org_admin_by_hand(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(ALL.replace(MARKETING, ""), encoding="utf-8")
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "org_admin", "teams": ["Marketing"]})
    found = json.loads(told(capsys, "drift", "--detailed-exitcode", "--format", "json", code=Exit.CHANGES))
    (row,) = found["drift"]
    assert (row["last"]["role"], row["live"]["role"]) == ("team_admin", "org_admin")
    assert run(["drift", "--revert", "--out", "back.json"]) == Exit.OK
    plan = json.loads((repo / "back.json").read_text())
    assert [change["after"] for change in plan["changes"]] == [{"role": "team_admin", "teams": ["Marketing"]}]


UNMAPPED = {**SNAPSHOT, "idp_groups": {**SNAPSHOT["idp_groups"], "Marketing": "blank"}}
UNMANAGED = f"{HEAD}{SCIM}manage: {{idp_groups: unmanaged}}\n{GUARDS}"


def test_drift_in_an_unmanaged_section_has_its_true_effect_and_cannot_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    repo = make_repo(tmp_path / "other", UNMANAGED, UNMAPPED)
    monkeypatch.chdir(repo)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "org_admin", "teams": ["Marketing"]})
    text = told(capsys, "drift", "--detailed-exitcode", code=Exit.CHANGES)
    assert "Effect on users: 2 users" in text
    assert "Org admins: 2 → 4" in text
    assert "Effect of reverting" not in text
    assert "Reverting it" not in text
    assert "drift --accept" not in text
    assert "ignore: [{address: idp_groups/Marketing, reason: ...}]" in text
    assert run(["drift", "--accept"]) == Exit.REFUSED
    assert "add `ignore: [{address: idp_groups/Marketing" in capsys.readouterr().err
    assert (repo / "rolecall.yaml").read_text() == UNMANAGED
    text = told(capsys, "drift", "--revert", "--out", "back.json")
    assert "Not reverted: idp_groups/Marketing" in text
    assert not (repo / "back.json").exists()
    (repo / "rolecall.yaml").write_text(
        f"{UNMANAGED}ignore: [{{address: idp_groups/Marketing, reason: test}}]\n", encoding="utf-8"
    )
    told(capsys, "drift", "--detailed-exitcode")


def test_accepting_into_an_absent_authoritative_section_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    config = UNMANAGED.replace("unmanaged", "authoritative")
    repo = make_repo(tmp_path / "other", config, UNMAPPED)
    monkeypatch.chdir(repo)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "org_admin", "teams": ["Marketing"]})
    assert run(["drift", "--accept"]) == Exit.REFUSED
    assert "every other entry would be removed" in capsys.readouterr().err
    assert (repo / "rolecall.yaml").read_text() == config


METADATA = "<EntityDescriptor/>"


@pytest.mark.parametrize("said", ["", ", name: Okta"], ids=["one field", "two fields"])
def test_drift_of_sso_is_accepted_where_the_config_names_no_metadata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    config = f"{HEAD}sso: {{allow_passwords: false{said}}}\n{GUARDS}"
    snapshot = {**SNAPSHOT, "sso": {**SNAPSHOT["sso"], "metadata": METADATA}}
    repo = make_repo(tmp_path / "other", config, snapshot)
    monkeypatch.chdir(repo)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    meddler.put(repo / "org.db", "bo@tiny.co", "/v1/access/sso", allow_passwords=True)
    assert run(["drift", "--accept"]) == Exit.OK
    assert (repo / "rolecall.yaml").read_text() == config.replace("allow_passwords: false", "allow_passwords: true")
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
