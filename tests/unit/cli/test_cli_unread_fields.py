"""Test a managed field that was not read: plan and drift name it, exit with 7 and never report "No changes"."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT, make_repo
from saml import METADATA

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]

MANAGED = {
    "sso.allow_passwords": "sso: {enabled: true, allow_passwords: false}\n",
    "sso.metadata": f"sso: {{enabled: true, metadata: '{METADATA}'}}\n",
    "scim.manual_editing": "scim: {manual_editing: false}\n",
    "defaults.role": "defaults: {role: member}\n",
    "defaults.teams": "defaults: {teams: [Everyone]}\n",
    "domains/tiny.co.join": "domains: {tiny.co: {join: approval}}\n",
    "domains/tiny.co.discoverable": "domains: {tiny.co: {discoverable: true, join: approval}}\n",
}
HEAD = "version: 1\norg: {name: tinyco, url: 'local:org.db'}\n"


def without(field: str) -> dict[str, Any]:
    """The snapshot without one field of one value."""
    snapshot = copy.deepcopy(SNAPSHOT)
    at, _, name = field.rpartition(".")
    section, _, key = at.partition("/")
    (snapshot[section][key] if key else snapshot[section]).pop(name, None)
    return snapshot


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_repo(tmp_path))
    return tmp_path


@pytest.mark.parametrize("field", MANAGED)
@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a_snapshot_without_a_managed_field(repo: Path, capsys: Capture, field: str, command: str) -> None:
    (repo / "rolecall.yaml").write_text(HEAD + MANAGED[field], encoding="utf-8")
    (repo / "cut.json").write_text(json.dumps(without(field)), encoding="utf-8")
    capsys.readouterr()
    assert run([command, "--snapshot", "cut.json", "--detailed-exitcode"]) == Exit.UNSEEN
    told = capsys.readouterr().out
    assert f"NOT READ: {field}" in told
    assert f"{field} was not read" in told
    assert "No changes." not in told
    assert "No drift." not in told


def test_an_observed_org_without_a_managed_field(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(
        "version: 1\norg: {name: tinyco, url: 'observed:org.json'}\nsso: {enabled: true, allow_passwords: false}\n",
        encoding="utf-8",
    )
    (repo / "org.json").write_text(json.dumps(without("sso.allow_passwords")), encoding="utf-8")
    assert run(["plan"]) == Exit.OK
    assert "NOT READ: sso.allow_passwords" in capsys.readouterr().out


def test_a_change_beside_a_field_that_was_not_read_is_blocked(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(HEAD + "sso: {name: Entra, allow_passwords: false}\n", encoding="utf-8")
    (repo / "cut.json").write_text(json.dumps(without("sso.allow_passwords")), encoding="utf-8")
    capsys.readouterr()
    assert run(["plan", "--snapshot", "cut.json", "--format", "json"]) == Exit.REFUSED
    plan = json.loads(capsys.readouterr().out)
    assert plan["coverage"]["sso"]["state"] == "complete"
    assert plan["coverage"]["sso.allow_passwords"]["state"] == "unread"
    assert plan["relied"]["sections"] == ["sso"]
    assert [change["after"] for change in plan["changes"]] == [{"name": "Entra"}]
    unread = next(guard for guard in plan["guards"] if guard["name"] == "unread")
    assert unread["verdict"] == "block"
    assert "sso.allow_passwords" in unread["message"]
    assert "remove it from the configuration" in str(unread["ways"])


def test_an_ignored_address_has_no_unread_fields(repo: Path) -> None:
    ignored = "ignore: [{address: sso, reason: elsewhere}]\n" + MANAGED["sso.allow_passwords"]
    (repo / "rolecall.yaml").write_text(HEAD + ignored, encoding="utf-8")
    (repo / "cut.json").write_text(json.dumps(without("sso.allow_passwords")), encoding="utf-8")
    assert run(["plan", "--snapshot", "cut.json", "--detailed-exitcode"]) == Exit.OK


def test_a_mapping_without_its_teams_makes_the_groups_partial(repo: Path, capsys: Capture) -> None:
    snapshot = copy.deepcopy(SNAPSHOT)
    del snapshot["idp_groups"]["Admins"]["teams"]
    (repo / "cut.json").write_text(json.dumps(snapshot), encoding="utf-8")
    (repo / "rolecall.yaml").write_text(HEAD + "idp_groups: {Marketing: {role: member, teams: [Marketing]}}\n")
    capsys.readouterr()
    for command in ("plan", "drift"):
        assert run([command, "--snapshot", "cut.json", "--detailed-exitcode"]) == Exit.UNSEEN
        assert "the teams of `Admins` are missing" in capsys.readouterr().out
    assert run(["access", "--snapshot", "cut.json"]) != Exit.OK


def test_a_metric_counts_the_section_once(repo: Path) -> None:
    (repo / "rolecall.yaml").write_text(HEAD + "sso: {name: Okta, idp: okta}\n", encoding="utf-8")
    snapshot = without("sso.name")
    del snapshot["sso"]["idp"]
    (repo / "cut.json").write_text(json.dumps(snapshot), encoding="utf-8")
    run(["drift", "--snapshot", "cut.json", "--metrics-file", "m.prom"])
    told = (repo / "m.prom").read_text(encoding="utf-8")
    assert re.search(r"^rolecall_unread_sections\S* 1$", told, re.MULTILINE)
    assert 'section="sso.name"' not in told


def test_export_names_fields_that_were_not_read(repo: Path, capsys: Capture) -> None:
    (repo / "cut.json").write_text(json.dumps(without("sso.allow_passwords")), encoding="utf-8")
    capsys.readouterr()
    run(["export", "--snapshot", "cut.json"])
    told = capsys.readouterr()
    assert "sso.allow_passwords: not read" in told.out + told.err


def test_local_load_names_what_it_assumes(repo: Path, capsys: Capture) -> None:
    snapshot = without("sso.allow_passwords")
    del snapshot["domains"]["tiny.co"]["join"]
    del snapshot["defaults"]
    (repo / "cut.json").write_text(json.dumps(snapshot), encoding="utf-8")
    capsys.readouterr()
    assert run(["local", "load", "cut.json"]) == Exit.OK
    told = "Not in the snapshot, set as in a new org: domains/tiny.co.join, defaults, sso.allow_passwords.\n"
    assert told in capsys.readouterr().out
    assert run(["local", "load", "live.json"]) == Exit.OK
    assert "Not in the snapshot" not in capsys.readouterr().out
