"""Test `export --update` for values other than entries: metadata in its file, empty names, refused updates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT, make_repo
from saml import METADATA, OTHER

from rolecall.cli.main import run

Capture = pytest.CaptureFixture[str]
OLD, NEW = METADATA, OTHER.replace("><", ">\n<")
CONFIG = "version: 1\norg: {name: tinyco, url: local:org.db}\n"


def repo_of(tmp_path: Path, config: str, **sso: Any) -> Path:
    return make_repo(tmp_path / "repo", CONFIG + config, {**SNAPSHOT, "sso": {**SNAPSHOT["sso"], **sso}})


def updated(repo: Path, *env: str) -> str:
    assert run(["-C", str(repo), *env, "export", "--update"]) == 0
    assert run(["-C", str(repo), *env, "validate"]) == 0
    assert run(["-C", str(repo), *env, "plan", "--detailed-exitcode"]) == 0
    return (repo / "rolecall.yaml").read_text()


def test_metadata_in_a_file_is_rewritten_there(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "sso: {metadata: {file: idp/okta.xml}} # from Okta\n", metadata=NEW)
    (repo / "idp").mkdir()
    (repo / "idp/okta.xml").write_text(OLD)
    (repo / "idp/okta.xml").chmod(0o640)
    assert "sso: {metadata: {file: idp/okta.xml}} # from Okta\n" in updated(repo)
    assert (repo / "idp/okta.xml").read_text() == f"{NEW}\n"
    assert (repo / "idp/okta.xml").stat().st_mode & 0o777 == 0o640


def test_metadata_in_the_config_is_rewritten_in_place(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, f"sso:\n  name: Okta # as the console shows it\n  metadata: '{OLD}'\n", metadata=NEW)
    assert "  name: Okta # as the console shows it\n  metadata: " in updated(repo)


def test_metadata_that_an_overlay_inherits_is_left_to_the_other_orgs(tmp_path: Path) -> None:
    repo = repo_of(tmp_path, "sso: {metadata: {file: okta.xml}}\n", metadata=NEW)
    (repo / "okta.xml").write_text(OLD)
    (repo / "env").mkdir()
    (repo / "env/prod.yaml").write_text("defaults: {role: member}\n")
    updated(repo, "--env", "prod")
    assert (repo / "okta.xml").read_text() == OLD
    assert "file: env/prod.sso-metadata.xml" in (repo / "env/prod.yaml").read_text()
    assert (repo / "env/prod.sso-metadata.xml").read_text() == f"{NEW}\n"


@pytest.mark.parametrize("sso", ["sso: {name: Gone}\n", "sso:\n  name: Gone\n"])
def test_a_name_that_is_empty_in_the_org_is_no_longer_spoken_of(tmp_path: Path, sso: str) -> None:
    assert "Gone" not in updated(repo_of(tmp_path, f"{sso}defaults: {{role: member}}\n", name=""))


def test_what_would_still_not_be_right_is_refused_and_nothing_is_written(tmp_path: Path, capsys: Capture) -> None:
    """A group that waits for the IdP stays, and names a team that is gone."""
    waiting = "defaults: {role: team_admin}\nidp_groups:\n  Later: {role: member, teams: [Gone]}\n"
    repo = repo_of(tmp_path, waiting)
    before = {path: path.read_bytes() for path in repo.glob("*.yaml")}
    capsys.readouterr()
    assert run(["-C", str(repo), "export", "--update"]) == 1
    assert "the org has no team `Gone`" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in repo.glob("*.yaml")} == before
