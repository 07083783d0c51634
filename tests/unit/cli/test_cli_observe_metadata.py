"""Test that `observe` asks which SAML metadata an observed org has, so that a plan of a managed one is not blocked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from terminal import ROLECALL, answered

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.live.snapshot.file import read_snapshot
from support.saml import METADATA, OTHER

Capture = pytest.CaptureFixture[str]
CONFIG = "version: 1\norg: {name: acme, url: observed:org.json}\nsso: {enabled: true, metadata: {file: okta.xml}}\n"
ORG: dict[str, Any] = {
    "snapshot": 1,
    "org": {"id": "org_1", "name": "acme"},
    "taken_at": "2026-11-29T08:00:00Z",
    "taken_by": "ann@acme.com",
    "teams": ["Everyone"],
    "domains": {"acme.com": {"discoverable": True, "join": "approval"}},
    "defaults": {"role": "member", "teams": ["Everyone"]},
    "sso": {"enabled": True, "name": "Okta", "idp": "okta", "allow_uninvited": False, "allow_passwords": False},
    "scim": {"enabled": False},
    "idp_groups": {},
    "people": [{"email": "ann@acme.com", "origin": "invite", "manual": [{"team": "Everyone", "role": "org_admin"}]}],
}
QUESTION = "IdP metadata in WRITER: yes if it is that of okta.xml, none, or the file of what it is"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rolecall.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "org.json").write_text(json.dumps(ORG), encoding="utf-8")
    (tmp_path / "okta.xml").write_text(METADATA, encoding="utf-8")
    (tmp_path / "other.xml").write_text(OTHER, encoding="utf-8")
    (tmp_path / "bad.xml").write_text("<html/>", encoding="utf-8")
    return tmp_path


def observe(folder: Path, *answers: tuple[str, str]) -> str:
    """Read SSO in a terminal, with these prompts and answers; return what was shown."""
    return answered([*ROLECALL, "observe", "--by", "ann@acme.com", "--only", "sso"], folder, *answers)


def recorded(folder: Path) -> Any:
    return read_snapshot(folder / "org.json").value["sso"].get("metadata", "unread")


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    return capsys.readouterr().out


def test_unread_metadata_names_the_command_that_asks_for_it(folder: Path, capsys: Capture) -> None:
    (folder / "rolecall.yaml").write_text(
        CONFIG.replace("enabled: true", "enabled: true, name: Other"), encoding="utf-8"
    )
    text = output(capsys, "plan", code=Exit.REFUSED)
    assert "Not read: sso.metadata" in text
    assert "To read sso: rolecall observe --only sso" in text


def test_the_same_metadata_is_no_change(folder: Path, capsys: Capture) -> None:
    observe(folder, ("Is this still correct", ""), (QUESTION, "yes"))
    assert recorded(folder) == METADATA.strip()
    assert "No changes." in output(capsys, "plan")


def test_it_is_confirmed_with_enter_the_next_time(folder: Path) -> None:
    observe(folder, ("Is this still correct", ""), (QUESTION, "yes"))
    observe(folder, ("Is this still correct", ""), (f"{QUESTION} [yes]", ""))
    assert recorded(folder) == METADATA.strip()


@pytest.mark.parametrize(("answer", "value"), [("none", None), ("other.xml", OTHER.strip())])
def test_no_metadata_and_another_are_a_manual_step(folder: Path, capsys: Capture, answer: str, value: Any) -> None:
    observe(folder, ("Is this still correct", ""), (QUESTION, answer))
    assert recorded(folder) == value
    plan = json.loads(output(capsys, "plan", "--format", "json"))
    assert [(change["address"], change["via"]) for change in plan["changes"]] == [("sso", "human")]
    assert [field["path"] for field in plan["changes"][0]["fields"]] == ["metadata"]


def test_what_is_no_metadata_is_asked_again(folder: Path) -> None:
    shown = observe(
        folder,
        ("Is this still correct", ""),
        (QUESTION, "bad.xml"),
        (QUESTION, "missing.xml"),
        (QUESTION, ""),
        (QUESTION, "skip"),
    )
    assert "is not the metadata of an IdP: it is not SAML metadata" in shown
    assert "missing.xml cannot be read; enter yes, none or a file, or skip" in shown
    assert recorded(folder) == "unread"


def test_it_is_not_asked_where_the_config_does_not_manage_it(folder: Path) -> None:
    (folder / "rolecall.yaml").write_text(CONFIG.replace(", metadata: {file: okta.xml}", ""), encoding="utf-8")
    assert "metadata" not in observe(folder, ("Is this still correct", ""))
    assert recorded(folder) == "unread"


def test_the_file_with_new_metadata_is_recorded_by_done(folder: Path, capsys: Capture) -> None:
    observe(folder, ("Is this still correct", ""), (QUESTION, "other.xml"))
    output(capsys, "apply", "--auto-approve", code=Exit.HUMAN)
    output(capsys, "done", "1", "1", "--by", "ann@acme.com")
    assert recorded(folder) == METADATA.strip()
    assert "No changes." in output(capsys, "plan")
