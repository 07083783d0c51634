"""Test that the configuration is found from a subdirectory of its repository."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """A repository with the configuration at its root, and a folder two levels below as working directory."""
    made = make_repo(tmp_path / "repo")
    (made / ".git").mkdir()
    (made / "teams" / "legal").mkdir(parents=True)
    monkeypatch.chdir(made / "teams" / "legal")
    capsys.readouterr()
    return made


def test_it_is_found_upwards_and_named(repo: Path, capsys: Capture) -> None:
    assert run(["plan", "--out", "plan.json"]) == Exit.OK
    shown = capsys.readouterr()
    assert shown.err == "Configuration: ../../rolecall.yaml\n"
    assert "idp_groups/Marketing" in shown.out
    assert (repo / "teams" / "legal" / "plan.json").is_file()
    assert run(["apply", "--auto-approve"]) == Exit.OK
    assert (repo / ".rolecall" / "journal.db").is_file()


def test_the_nearest_one_counts(repo: Path, capsys: Capture) -> None:
    (repo / "teams" / "rolecall.yaml").write_text("version: 1\norg: {name: teams, url: local:x.db}\n")
    assert run(["render", "--format", "json"]) == Exit.OK
    shown = capsys.readouterr()
    assert json.loads(shown.out)["org"]["name"] == "teams"
    assert shown.err == "Configuration: ../rolecall.yaml\n"


def test_one_in_the_working_directory_is_not_named(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(repo)
    assert run(["validate"]) == Exit.OK
    assert capsys.readouterr().err == ""


def test_with_json_it_is_an_object_and_with_q_nothing(repo: Path, capsys: Capture) -> None:
    assert run(["validate", "--log-format", "json"]) == Exit.OK
    (row,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert (row["code"], row["message"]) == ("config_found", "Configuration: ../../rolecall.yaml")
    assert run(["validate", "-q"]) == Exit.OK
    assert capsys.readouterr().err == ""


def test_the_root_of_the_repository_is_the_end(repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    (repo / "teams" / ".git").mkdir()
    assert run(["validate"]) == Exit.ERROR
    assert "Configuration:" not in capsys.readouterr().err


def test_outside_of_a_repository_nothing_is_searched(repo: Path) -> None:
    (repo / ".git").rmdir()
    assert run(["validate"]) == Exit.ERROR


@pytest.mark.parametrize("flags", [["-c", "rolecall.yaml"], ["-C", "."]])
def test_what_is_named_is_not_searched_for(repo: Path, flags: list[str]) -> None:
    assert run([*flags, "validate"]) == Exit.ERROR
    assert run(["-c", "../../rolecall.yaml", "validate"]) == Exit.OK
    assert run(["-C", "../..", "validate"]) == Exit.OK


@pytest.mark.parametrize("words", [["version"], ["schema"], ["--help"], ["help", "guards"]])
def test_commands_that_need_none_do_not_name_it(repo: Path, words: list[str], capsys: Capture) -> None:
    assert run(words) == Exit.OK
    assert capsys.readouterr().err == ""


def test_a_plan_is_shown_without_naming_it(repo: Path, capsys: Capture) -> None:
    assert run(["plan", "--out", "plan.json", "-q"]) == Exit.OK
    capsys.readouterr()
    assert run(["show", "plan.json"]) == Exit.OK
    assert capsys.readouterr().err == ""
