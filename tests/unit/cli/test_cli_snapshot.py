"""Test `rolecall snapshot`: an org as a file, with users as `--people` allows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_repo import SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.live.snapshot.file import read_snapshot


@pytest.fixture
def repo(tmp_path: Path, capsys) -> Path:
    made = make_repo(tmp_path / "repo")
    capsys.readouterr()
    return made


def taken(repo: Path, *flags: str, name: str = "now.yaml") -> dict:
    assert run(["-C", str(repo), "snapshot", "--out", name, *flags]) == 0
    return read_snapshot(repo / name).value


@pytest.mark.parametrize("name", ["now.yaml", "now.json"])
def test_a_snapshot_reads_back_and_plans_as_the_org_itself(repo: Path, capsys, name: str) -> None:
    said = taken(repo, name=name)
    assert {row["email"] for row in said["people"]} == {"ann@tiny.co", "bo@tiny.co", "cy@tiny.co", "di@tiny.co"}
    capsys.readouterr()
    assert run(["-C", str(repo), "plan", "--format", "json"]) == 0
    live = json.loads(capsys.readouterr().out)
    assert run(["-C", str(repo), "--snapshot", name, "plan", "--format", "json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["changes"] == live["changes"]
    assert again["impact"]["changed"] == live["impact"]["changed"]


def test_masked_people_are_nobody_and_plan_alike(repo: Path, capsys) -> None:
    said = taken(repo, "--people", "masked")
    text = (repo / "now.yaml").read_text()
    assert "tiny.co" not in text.replace("  tiny.co: {", "")
    assert all(row["email"].startswith("person-") and "id" not in row for row in said["people"])
    assert [row["email"] for row in taken(repo, "--people", "masked")["people"]] == [
        row["email"] for row in said["people"]
    ]
    capsys.readouterr()
    assert run(["-C", str(repo), "--snapshot", "now.yaml", "plan", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["impact"]["changed"] == 2


@pytest.mark.parametrize(("mode", "counts"), [("counts", {"people": 4, "active_people": 4}), ("none", None)])
def test_without_people_the_file_says_that_they_were_left_out(repo: Path, mode: str, counts) -> None:
    said = taken(repo, "--people", mode)
    assert "people" not in said
    assert said["org"].get("counts") == counts
    assert said["coverage"]["people"]["state"] == "unread"
    assert f"--people {mode}" in said["coverage"]["people"]["problem"]


def test_a_pipeline_keeps_counts_unless_told(repo: Path, monkeypatch) -> None:
    monkeypatch.setenv("CI", "true")
    assert "people" not in taken(repo)
    assert "people" in taken(repo, "--people", "names")


def test_very_many_people_go_to_a_file_beside(repo: Path, monkeypatch) -> None:
    monkeypatch.setattr("rolecall.jobs.snapshot.INLINE", 3)
    assert taken(repo)["people"] == "now-people.jsonl"
    assert (repo / "now-people.jsonl").read_text().count("\n") == 4
    assert run(["-C", str(repo), "--snapshot", "now.yaml", "plan"]) == 0
    masked = taken(repo, "--people", "masked", name="m.yaml")
    assert "tiny.co" not in (repo / masked["people"]).read_text()


def test_without_out_it_is_yaml_on_stdout(repo: Path, capsys) -> None:
    assert run(["-C", str(repo), "snapshot", "--people", "none"]) == 0
    assert capsys.readouterr().out.startswith("snapshot: 1\ntaken_at: ")


def test_record_keeps_who_was_seen_in_the_journal(repo: Path, capsys) -> None:
    taken(repo, "--record")
    capsys.readouterr()
    assert run(["-C", str(repo), "history", "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["runs"]
    assert found["kind"] == "snapshot"
    assert found["outcome"] == "done"


def test_a_snapshot_of_a_snapshot_keeps_its_moment(repo: Path) -> None:
    old = {**SNAPSHOT, "taken_at": "2026-01-02T03:04:05Z", "taken_by": "ann@tiny.co"}
    (repo / "live.json").write_text(json.dumps(old))
    assert run(["-C", str(repo), "--snapshot", "live.json", "snapshot", "--out", "copy.json"]) == 0
    copy = read_snapshot(repo / "copy.json").value
    assert (copy["taken_at"], copy["taken_by"]) == ("2026-01-02T03:04:05Z", "ann@tiny.co")


def test_there_is_no_secret_in_it(repo: Path, capsys) -> None:
    assert run(["-C", str(repo), "local", "token", "--scim", "--database", "org.db"]) == 0
    secret = capsys.readouterr().out.split()[-1]
    taken(repo)
    assert secret not in (repo / "now.yaml").read_text()
