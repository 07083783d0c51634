"""Test plans with pending changes only: users are read if their source knows the groups, and reported separately."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]

CONFIG = """\
version: 1
org: {name: tinyco, url: local:org.db}
people: {file: people.csv}
idp_groups:
  Not-Pushed: {role: org_admin, teams: [Brand]}
"""
PEOPLE = "email,groups\nann@tiny.co,Admins\ncy@tiny.co,Not-Pushed\n"


def repo(folder: Path, monkeypatch: pytest.MonkeyPatch, config: str = CONFIG, people: str | None = PEOPLE) -> None:
    made = make_repo(folder, config, {**SNAPSHOT, "people": []})
    if people is not None:
        (made / "people.csv").write_text(people, encoding="utf-8")
    monkeypatch.chdir(made)


def pending(capsys: Capture, *options: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["plan", "--format", "json", *options]) == Exit.OK
    plan = json.loads(capsys.readouterr().out)
    (row,) = [row for row in plan["impact"]["apart"] if row["kind"] == "waiting"]
    return {**row, "read": plan["impact"]["people"]}


@pytest.mark.parametrize("mode", ["names", "counts"])
def test_who_will_gain_access_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, mode: str
) -> None:
    repo(tmp_path / "repo", monkeypatch)
    row = pending(capsys, "--people", mode)
    assert (row["people"]["gain"] + row["people"]["change"], row["read"]) == (1, 2)
    assert ("cy@tiny.co" in row["sentences"][0]) is (mode == "names")
    assert "1 user" in row["sentences"][0]
    run(["plan", "--people", "names"])
    assert "Once the IdP pushes the pending groups: 1 user" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (None, "since users were not read: people.csv: file not found."),
        (PEOPLE.replace("Not-Pushed", "Admins"), "the source of users has no such group."),
    ],
    ids=["not read", "no such group"],
)
def test_what_is_not_known_is_not_told_as_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, people: str | None, said: str
) -> None:
    repo(tmp_path / "repo", monkeypatch, people=people)
    assert pending(capsys)["sentences"][0].endswith(said)


def test_the_org_knows_no_group_before_it_is_pushed_so_nobody_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    repo(tmp_path / "repo", monkeypatch, CONFIG.replace("people: {file: people.csv}\n", ""))
    row = pending(capsys)
    assert (row["sentences"], row["read"]) == ([], 0)


def test_what_is_cut_away_is_not_read_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    repo(tmp_path / "repo", monkeypatch, people=None)
    capsys.readouterr()
    assert run(["plan", "--format", "json", "--exclude", "idp_groups/Not-Pushed"]) == Exit.OK
    assert json.loads(capsys.readouterr().out)["impact"]["apart"] == []
