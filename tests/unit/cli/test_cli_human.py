"""Test `runbook` and `done`: manual steps, and reporting them done."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT, apply_approved, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """An observed org with one step to take, recorded as run 1."""
    made = make_repo(tmp_path / "repo", CONFIG.replace("local:org.db", "observed:live.json"))
    monkeypatch.chdir(made)
    apply_approved(capsys, "--out", "plan.json")
    capsys.readouterr()
    return made


def observe(repo: Path, mapping: Any) -> None:
    """What a person then sees in the console goes into the observed file."""
    groups = {**SNAPSHOT["idp_groups"], "Marketing": mapping}
    (repo / "live.json").write_text(json.dumps({**SNAPSHOT, "idp_groups": groups}), encoding="utf-8")


def test_the_runbook_of_a_plan_says_where_what_check_and_undo(repo: Path, capsys: Capture) -> None:
    assert run(["runbook", "plan.json"]) == Exit.OK
    told = capsys.readouterr().out
    assert "# 1 manual step on tinyco" in told
    assert "## Step 1 · Change the mapping of Marketing" in told
    assert "Page: **Admin > Access & provisioning > IdP groups**" in told
    assert "| ☐ 1 | Marketing | **Member** on **Marketing** | **Member** on **Brand** |" in told
    assert "2 users move from Marketing to Brand" in told
    assert "- [ ] Check: Reload the page." in told
    assert "Undo: Select **Edit**, set each group of the table as in the column Before" in told
    assert "Have a second org admin available" in told


def test_the_runbook_of_a_run_names_run_and_step_and_how_to_say_done(repo: Path, capsys: Capture) -> None:
    assert run(["runbook", "1"]) == Exit.OK
    told = capsys.readouterr().out
    assert "## Run 1 · step 1 · Change the mapping of Marketing" in told
    assert "Report it done: `rolecall done 1 1 --by YOUR-EMAIL`" in told


def test_the_runbook_as_html_loads_nothing(repo: Path, capsys: Capture) -> None:
    assert run(["runbook", "1", "--format", "html"]) == Exit.OK
    told = capsys.readouterr().out
    assert told.startswith("<!doctype html>")
    assert "<h2>Run 1 · step 1 · Change the mapping of Marketing</h2>" in told
    assert "<script" not in told
    assert "src=" not in told


def test_a_plan_without_such_steps_says_so(repo: Path, capsys: Capture) -> None:
    observe(repo, {"role": "member", "teams": ["Brand"]})
    run(["plan", "--out", "plan.json"])
    capsys.readouterr()
    assert run(["runbook", "plan.json"]) == Exit.OK
    assert "There are no manual steps." in capsys.readouterr().out


def test_done_records_the_word_and_writes_it_into_the_observed_file(repo: Path, capsys: Capture) -> None:
    (repo / "shot.png").write_bytes(b"a picture")
    assert run(["done", "1", "1", "--by", "ann@tiny.co", "--evidence", "shot.png"]) == Exit.OK
    told = capsys.readouterr().out
    assert "Recorded: step 1 of run 1, update idp_groups/Marketing." in told
    assert "Updated live.json. Commit it." in told
    assert "Reported done; rolecall cannot read this org to verify it." in told
    groups = json.loads((repo / "live.json").read_text())["idp_groups"]
    assert groups == {**SNAPSHOT["idp_groups"], "Marketing": {"role": "member", "teams": ["Brand"]}}
    run(["history", "1"])
    told = capsys.readouterr().out
    assert "reported done" in told
    assert "attested" not in told
    assert "by ann@tiny.co" in told
    run(["history", "1", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["runs"][0]["steps"][0]["state"] == "attested"
    assert run(["plan", "--detailed-exitcode"]) == Exit.UNSEEN


def test_what_was_found_instead_is_written_down_and_asked_for_again(repo: Path, capsys: Capture) -> None:
    assert run(["done", "1", "1", "--found", "Team admin: Marketing, Brand"]) == Exit.OK
    assert "This is not the value in the step" in capsys.readouterr().out
    groups = json.loads((repo / "live.json").read_text())["idp_groups"]
    assert groups["Marketing"] == {"role": "team_admin", "teams": ["Marketing", "Brand"]}
    assert run(["plan", "--detailed-exitcode"]) == Exit.CHANGES


def test_a_step_that_is_done_is_not_recorded_once_more_without_a_correction(repo: Path, capsys: Capture) -> None:
    assert run(["done", "1", "1", "--by", "ann@tiny.co"]) == Exit.OK
    assert run(["done", "1", "1", "--by", "bo@tiny.co"]) == Exit.USAGE
    assert "step 1 of run 1 was already reported done by ann@tiny.co" in capsys.readouterr().err
    assert run(["done", "1", "1", "--by", "bo@tiny.co", "--found", "Member: Brand"]) == Exit.OK


@pytest.mark.parametrize("found", ["Boss: Brand", "Member: Brnd", "Member", "{role: [}", ""])
def test_a_value_that_cannot_be_is_refused_and_nothing_is_recorded(repo: Path, found: str, capsys: Capture) -> None:
    before = (repo / "live.json").read_text()
    assert run(["done", "1", "1", "--found", found]) in (Exit.USAGE, Exit.ERROR)
    assert (repo / "live.json").read_text() == before
    capsys.readouterr()
    run(["history", "1"])
    assert "reported done" not in capsys.readouterr().out


def test_a_value_that_was_reported_done_is_shown_as_such_and_not_as_read(repo: Path, capsys: Capture) -> None:
    taken = {"state": "complete", "taken_at": "2026-11-22T10:00:00Z", "taken_by": "ann@tiny.co"}
    (repo / "live.json").write_text(json.dumps({**SNAPSHOT, "coverage": {"idp_groups": taken, "defaults": taken}}))
    assert run(["done", "1", "1", "--by", "bo@tiny.co"]) == Exit.OK
    reported = json.loads((repo / "live.json").read_text())["reported"]
    assert {address: report["by"] for address, report in reported.items()} == {"idp_groups/Marketing": "bo@tiny.co"}
    config = CONFIG.replace("local:org.db", "observed:live.json").replace("[Brand]", "[Everyone]")
    (repo / "rolecall.yaml").write_text(config.replace("teams: [Everyone]}\nidp", "teams: [Brand]}\nidp"))
    run(["plan", "--out", "plan.json"])
    capsys.readouterr()
    assert run(["runbook", "plan.json"]) == Exit.OK
    text = capsys.readouterr().out
    assert "The column Before was reported done by bo@tiny.co on " in text
    assert text.count("The column Before was read by ann@tiny.co on 22 Nov 2026.") == 1


@pytest.mark.parametrize("args", [["1", "9"], ["9", "1"]])
def test_a_step_that_is_not_there(repo: Path, args: list[str]) -> None:
    assert run(["done", *args]) == Exit.USAGE


def test_evidence_that_is_not_there_is_a_usage_error(repo: Path) -> None:
    assert run(["done", "1", "1", "--evidence", "nowhere.png"]) == Exit.USAGE


@pytest.fixture
def two_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    """An observed org with one step of two items to take, recorded as run 1."""
    config = CONFIG.replace("local:org.db", "observed:live.json")
    config = config.replace("org_admin, teams: [Everyone]", "org_admin, teams: [Brand]")
    made = make_repo(tmp_path / "repo", config)
    monkeypatch.chdir(made)
    apply_approved(capsys)
    capsys.readouterr()
    return made


@pytest.mark.parametrize("texts", [["all"], ["1-2"], ["1"], ["1.1", "1.2"], ["1.1", "1"], ["1001", "1.2"]])
def test_several_steps_are_recorded_at_once(two_steps: Path, texts: list[str], capsys: Capture) -> None:
    assert run(["done", "1", *texts]) == Exit.OK
    out = capsys.readouterr().out
    assert "Recorded: step 1.1 of run 1" in out
    assert "Recorded: step 1.2 of run 1" in out
    assert out.endswith("No manual step of the run is left.\n")
    groups = json.loads((two_steps / "live.json").read_text())["idp_groups"]
    assert (groups["Admins"]["teams"], groups["Marketing"]["teams"]) == (["Brand"], ["Brand"])


def test_a_step_that_is_left_is_named_and_exits_with_6(two_steps: Path, capsys: Capture) -> None:
    assert run(["done", "1", "1.2"]) == Exit.HUMAN
    assert "1 manual step left: 1.1." in capsys.readouterr().out
    assert run(["done", "1", "all"]) == Exit.OK


def test_an_apply_counts_steps_as_the_runbook_numbers_them(two_steps: Path, capsys: Capture) -> None:
    shutil.rmtree(two_steps / ".rolecall")  # an open run has these steps; without it, the next apply records them
    run(["plan", "--format", "json"])
    run(["apply", "--approve", json.loads(capsys.readouterr().out)["digest"]])
    out = capsys.readouterr().out
    assert "1 manual step with 2 changes:\n 1.1  update idp_groups/Admins\n 1.2  update idp_groups/Marketing\n" in out
    assert "For instructions for the manual steps: rolecall runbook 1" in out
    assert "When one is done: rolecall done 1 1.1" in out


def test_nothing_is_recorded_when_one_of_the_steps_does_not_exist(two_steps: Path, capsys: Capture) -> None:
    before = (two_steps / "live.json").read_text()
    assert run(["done", "1", "1", "9"]) == Exit.USAGE
    assert "run 1 has no manual step 9" in capsys.readouterr().err
    assert run(["done", "1", "1", "--found", "blank"]) == Exit.USAGE
    assert (two_steps / "live.json").read_text() == before
    assert run(["done", "1", "1-2"]) == Exit.OK
