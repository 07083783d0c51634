"""Test what the org would refuse, in `plan`, `apply`, `validate --online` and saved plans."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import saml
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
HEAD = "version: 1\norg: {name: tinyco, url: 'local:org.db'}\n"
SSO_OFF = {**SNAPSHOT["sso"], "enabled": False}
SCIM_OFF = {**SNAPSHOT["scim"], "enabled": False}


def repo_of(folder: Path, config: str, **sections: Any) -> Path:
    return make_repo(folder, HEAD + config, {**copy.deepcopy(SNAPSHOT), **sections})


@pytest.mark.parametrize(
    ("config", "sections", "words", "line"),
    [
        ("domains: {tiny.co: {remove: true}}\n", {}, "last claimed domain while SSO is on (R33)", 3),
        ("sso: {enabled: true}\n", {"sso": SSO_OFF, "scim": SCIM_OFF}, "the org has no IdP metadata (R33)", 3),
        ("scim: {enabled: true}\n", {"sso": SSO_OFF, "scim": SCIM_OFF}, "SCIM cannot be turned on while SSO is off", 3),
        ("sso: {enabled: false}\n", {}, "SSO cannot be off while SCIM is on (R33)", 3),
        ("scim: {endpoint: legacy}\n", {}, "cannot be changed back to `legacy` (R20)", 3),
    ],
)
def test_plan_validate_and_apply_agree(
    tmp_path: Path, capsys: Capture, config: str, sections: dict[str, Any], words: str, line: int
) -> None:
    repo = repo_of(tmp_path, config, **sections)
    capsys.readouterr()
    assert run(["-C", str(repo), "validate"]) == Exit.OK
    capsys.readouterr()
    assert run(["-C", str(repo), "validate", "--online"]) == Exit.ERROR
    (told,) = [text for text in capsys.readouterr().out.splitlines() if words in text]
    assert re.match(rf"error: rolecall\.yaml:{line}:\d+: ", told)
    assert run(["-C", str(repo), "plan", "--out", str(repo / "p.json")]) == Exit.REFUSED
    assert re.search(rf"BLOCK\s+preconditions\n.*\n.*rolecall\.yaml:{line}", capsys.readouterr().out)
    assert run(["-C", str(repo), "apply", str(repo / "p.json"), "--auto-approve"]) == Exit.REFUSED
    assert run(["-C", str(repo), "apply", "--auto-approve"]) == Exit.REFUSED
    assert run(["-C", str(repo), "plan", "--allow", "preconditions=9"]) == Exit.USAGE


def test_a_saved_plan_names_the_idp_and_the_metadata_file_for_its_runbook(tmp_path: Path, capsys: Capture) -> None:
    repo = repo_of(tmp_path, "sso: {metadata: {file: saml/okta.xml}}\n")
    (repo / "saml").mkdir()
    (repo / "saml/okta.xml").write_text(saml.METADATA)
    capsys.readouterr()
    run(["-C", str(repo), "plan", "--format", "json"])
    plan = json.loads(capsys.readouterr().out)
    assert (plan["idp"], plan["metadata_file"]) == ("okta", "saml/okta.xml")
    assert run(["-C", str(repo), "runbook", "setup", "--idp", "okta"]) == Exit.OK
    assert "Save the file as `saml/okta.xml` in the directory of the configuration" in capsys.readouterr().out


def test_the_plan_says_what_metadata_it_writes(tmp_path: Path, capsys: Capture) -> None:
    repo = repo_of(tmp_path, "sso: {metadata: {file: okta.xml}}\n")
    (repo / "okta.xml").write_text(saml.metadata(saml.OKTA, saml.EXPIRED))
    capsys.readouterr()
    assert run(["-C", str(repo), "plan", "--as-of", "2026-11-29"]) == Exit.OK
    told = "".join(capsys.readouterr())
    assert "http://www.okta.com/exk1acmewriter4x7 (certificate " in told
    assert "valid until 30 Jun 2025)" in told
    assert "sso.metadata expired on 30 Jun 2025: users cannot sign in with it" in told
    assert run(["-C", str(repo), "plan", "--format", "json"]) == Exit.OK
    plan = json.loads(capsys.readouterr().out)
    jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json"))).validate(plan)
    assert plan["sso_metadata"]["entity_id"] == saml.OKTA
    assert plan["sso_metadata"]["ends"] == "2025-06-30T12:00:00+00:00"
    (certificate,) = plan["sso_metadata"]["certificates"]
    assert certificate["not_after"] == "2025-06-30T12:00:00+00:00"
    assert run(["-C", str(repo), "apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    assert run(["-C", str(repo), "plan", "--format", "json"]) == Exit.OK
    assert "sso_metadata" not in json.loads(capsys.readouterr().out)


def test_an_idp_that_only_the_org_names_is_compared_with_the_metadata(tmp_path: Path, capsys: Capture) -> None:
    repo = repo_of(tmp_path, "sso: {metadata: {file: idp.xml}}\n")
    (repo / "idp.xml").write_text(saml.metadata("https://sts.windows.net/8f0c/"))
    capsys.readouterr()
    assert run(["-C", str(repo), "plan"]) == Exit.OK
    told = "sso.metadata does not look like metadata from okta: its entity ID is https://sts.windows.net/8f0c/"
    assert told in "".join(capsys.readouterr())
    assert run(["-C", str(repo), "validate", "--online"]) == Exit.OK
    assert told in capsys.readouterr().out


def test_removing_everybodys_domain_names_everybody(tmp_path: Path, capsys: Capture) -> None:
    """With `sso` not in the configuration, and only org admins needed for the rest of the plan."""
    domains = {
        "tiny.co": {"discoverable": True, "join": "approval"},
        "other.co": {"discoverable": True, "join": "approval"},
    }
    config = "domains: {tiny.co: {remove: true}}\nguards: {required_org_admins: [ann@tiny.co]}\n"
    repo = repo_of(tmp_path, config, domains=domains)
    capsys.readouterr()
    assert run(["-C", str(repo), "plan"]) == Exit.REFUSED
    told = " ".join(capsys.readouterr().out.split())
    assert "BLOCK sign_in 1 user can no longer sign in but must be able to" in told
    assert "In total, 4 users can no longer sign in." in told
    assert run(["-C", str(repo), "plan", "--allow", "sign_in=3"]) == Exit.REFUSED
