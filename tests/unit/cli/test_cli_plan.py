"""Test `plan` and `show`: output, saved plans and exit codes."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cli_repo import CONFIG, SNAPSHOT, copy_example, make_repo

from rolecall.cli.main import run
from rolecall.cli.options import Invocation
from rolecall.cli.output import mask_key
from rolecall.cli.report_options import FORMATS
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
UNCHANGED = CONFIG.replace("[Brand]", "[Marketing]")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    capsys.readouterr()
    return made


def config(repo: Path, text: str) -> None:
    (repo / "rolecall.yaml").write_text(text, encoding="utf-8")


def test_the_plan_names_org_change_people_and_place(repo: Path, capsys: Capture) -> None:
    assert run(["plan"]) == Exit.OK
    told = capsys.readouterr().out
    assert told.startswith("LOCAL REHEARSAL, not WRITER · tinyco · org_1 at local:org.db   all read: ")
    assert "  ~ idp_groups/Marketing   teams: Marketing → Brand   rolecall.yaml:7\n" in told
    assert "2 users (cy@tiny.co, di@tiny.co) move from Marketing to Brand, as members" in told
    assert "Owner: lead@tiny.co" in told
    assert "Plan: 1 to update.\n" in told


def test_a_plan_from_a_snapshot_needs_no_org(repo: Path, capsys: Capture) -> None:
    (repo / "org.db").unlink()
    assert run(["plan", "--snapshot", "live.json", "--detailed-exitcode"]) == Exit.CHANGES
    told = capsys.readouterr().out
    assert told.startswith("tinyco · org_1 at observed:live.json   all read: ")
    assert "~ idp_groups/Marketing" in told


@pytest.mark.parametrize(("text", "code"), [(CONFIG, Exit.CHANGES), (UNCHANGED, Exit.OK)])
def test_the_detailed_exit_code_tells_changes(repo: Path, text: str, code: Exit) -> None:
    config(repo, text)
    assert run(["plan", "--detailed-exitcode"]) == code
    assert run(["plan"]) == Exit.OK


def test_waiting_alone_is_no_change(repo: Path, capsys: Capture) -> None:
    config(repo, UNCHANGED.replace("  Marketing:", "  Not-Pushed: {role: member, teams: [Brand]}\n  Marketing:"))
    assert run(["plan", "--detailed-exitcode"]) == Exit.OK
    assert "Pending (the IdP has not pushed these groups yet)" in capsys.readouterr().out


def test_an_observed_org_without_changes_is_not_all_seen(repo: Path) -> None:
    config(repo, UNCHANGED.replace("local:org.db", "observed:live.json"))
    assert run(["plan", "--detailed-exitcode"]) == Exit.UNSEEN
    config(repo, CONFIG.replace("local:org.db", "observed:live.json"))
    assert run(["plan", "--detailed-exitcode"]) == Exit.CHANGES


def test_a_block_leaves_with_three_and_shows_the_plan(repo: Path, capsys: Capture) -> None:
    config(repo, CONFIG.replace("  Admins: {role: org_admin, teams: [Everyone]}\n", "  Admins: blank\n"))
    capsys.readouterr()
    assert run(["plan"]) == Exit.REFUSED
    told = capsys.readouterr().out
    assert "- idp_groups/Admins" in told
    assert "BLOCK" in told
    assert "Users of an unmapped group keep access" in told


@pytest.mark.parametrize(("promise", "code"), [("no-access-change", 3), ("no-escalation", 0), ("no-removal", 3)])
def test_promises_are_held_against_the_plan(repo: Path, promise: str, code: int, capsys: Capture) -> None:
    assert run(["plan", "--assert", promise]) == code
    shown = capsys.readouterr()
    assert "~ idp_groups/Marketing" in shown.out
    assert (f"--assert {promise} failed" in shown.err) == bool(code)


def test_targets_cut_the_plan_and_say_so(repo: Path, capsys: Capture) -> None:
    assert run(["plan", "--target", "idp_groups/Admins", "--detailed-exitcode"]) == Exit.OK
    assert "Limited by --target" in capsys.readouterr().out
    assert run(["plan", "--exclude", "idp_groups/*", "--detailed-exitcode"]) == Exit.OK


def test_the_json_has_the_digest_that_the_text_shows(repo: Path, capsys: Capture) -> None:
    run(["plan"])
    shown = capsys.readouterr().out.rpartition("--approve ")[2].split()[0]
    run(["plan", "--format", "json"])
    told = json.loads(capsys.readouterr().out)
    assert told["digest"].startswith(shown.replace("-", ""))
    assert told["changes"][0]["source"] == {"file": "rolecall.yaml", "line": 7, "column": 3}


def test_several_reports_at_once(repo: Path, capsys: Capture) -> None:
    reports = [f"--report={form}=out.{form}" for form in FORMATS]
    assert run(["plan", *reports]) == Exit.OK
    assert (repo / "out.text").read_text(encoding="utf-8") == capsys.readouterr().out
    assert json.loads((repo / "out.json").read_text(encoding="utf-8"))["format_version"] == "1.0"
    assert "::notice title=rolecall change.update" in (repo / "out.github").read_text(encoding="utf-8")
    assert ElementTree.fromstring((repo / "out.junit").read_text(encoding="utf-8")) is not None
    assert (repo / "out.markdown").read_text(encoding="utf-8").startswith("<!-- rolecall:plan:org_1: -->\n")
    assert (repo / "out.csv").read_text(encoding="utf-8").count("@tiny.co") == 2
    assert json.loads((repo / "out.gitlab").read_text(encoding="utf-8"))["update"] == 1
    assert json.loads((repo / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


@pytest.mark.parametrize("value", ["json", "nope=x", "json=", "=x"])
def test_a_report_that_is_none_is_a_usage_error(repo: Path, value: str) -> None:
    assert run(["plan", "--report", value]) == Exit.USAGE


@pytest.mark.parametrize(
    "value", ["max_removals", "max_removals=", "max_removals=-1", "nope=3", "max_removals=x", "require-self=1"]
)
def test_an_allowance_that_is_none_is_a_usage_error(repo: Path, value: str, capsys: Capture) -> None:
    assert run(["plan", "--allow", value]) == Exit.USAGE
    assert "--allow" in capsys.readouterr().err


def test_an_allowance_takes_hyphens(repo: Path) -> None:
    assert run(["plan", "--allow", "max-removals=3"]) == Exit.OK


def people_in(text: str) -> bool:
    return "cy@tiny.co" in text


def test_in_a_pipeline_people_are_counted_unless_somebody_says_otherwise(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    run(["plan"])
    assert not people_in(capsys.readouterr().out)
    run(["plan", "--people", "names"])
    assert people_in(capsys.readouterr().out)
    config(repo, CONFIG + "reports: {people: names}\n")
    run(["plan"])
    assert people_in(capsys.readouterr().out)


def test_outside_a_pipeline_people_are_named_unless_the_config_says_otherwise(repo: Path, capsys: Capture) -> None:
    config(repo, CONFIG + "reports: {people: counts}\n")
    run(["plan", "--format", "json"])
    assert not people_in(capsys.readouterr().out)


def test_masks_are_alike_from_run_to_run_and_their_key_is_private(repo: Path, capsys: Capture) -> None:
    run(["plan", "--people", "masked"])
    first = capsys.readouterr().out
    run(["plan", "--people", "masked"])
    assert capsys.readouterr().out == first
    assert "person-" in first
    assert not people_in(first)
    assert (repo / ".rolecall" / "mask.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("held", [b"", b"short"])
def test_half_a_key_hides_nobody(repo: Path, held: bytes, capsys: Capture) -> None:
    (repo / ".rolecall").mkdir(exist_ok=True)
    (repo / ".rolecall" / "mask.key").write_bytes(held)
    assert run(["plan", "--people", "masked"]) == Exit.ERROR
    shown = capsys.readouterr()
    assert "mask.key: the key in this file is too short to mask users" in shown.err
    assert "person-" not in shown.out


def test_the_key_is_made_whole_though_many_want_it_at_once(tmp_path: Path) -> None:
    call = Invocation(environ={})
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: mask_key(call, tmp_path), range(64)))
    assert {len(key) for key in keys} == {32}
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / ".rolecall").iterdir()] == ["mask.key"]


def test_a_saved_plan_is_shown_as_it_was(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    shown = capsys.readouterr().out.partition("Saved the plan to ")[0]
    assert (repo / "plan.json").stat().st_mode & 0o077 == 0
    (repo / "org.db").unlink()
    assert run(["show", "plan.json"]) == Exit.OK
    assert capsys.readouterr().out == shown


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", 1),
        (b"{}", 1),
        (b"[" * 100_000, 1),
        (b"\xff\xfe\x00", 1),
        (b'{"format_version": "2.0"}', 5),
        (b'{"format_version": "1.0"}', 1),
    ],
)
def test_what_is_no_plan_is_told_without_a_traceback(repo: Path, content: bytes, code: int, capsys: Capture) -> None:
    (repo / "plan.json").write_bytes(content)
    assert run(["show", "plan.json"]) == code
    assert capsys.readouterr().err.startswith("error: plan.json: ")


@pytest.mark.parametrize("path", ["nowhere.json", "."])
def test_a_plan_that_is_not_there(repo: Path, path: str, capsys: Capture) -> None:
    assert run(["show", path]) == Exit.ERROR
    assert capsys.readouterr().err.startswith("error: ")


def test_an_edited_plan_is_refused(repo: Path, capsys: Capture) -> None:
    run(["plan", "--out", "plan.json"])
    said: dict[str, Any] = json.loads((repo / "plan.json").read_text(encoding="utf-8"))
    said["changes"][0]["after"]["role"] = "org_admin"
    (repo / "plan.json").write_text(json.dumps(said), encoding="utf-8")
    assert run(["show", "plan.json"]) == Exit.STALE
    assert "the plan was edited" in capsys.readouterr().err


def test_where_there_are_overlays_one_has_to_be_chosen(tmp_path: Path, capsys: Capture) -> None:
    repo = copy_example("acme", tmp_path / "acme")
    assert run(["-C", str(repo), "plan"]) == Exit.USAGE
    assert "--env or ROLECALL_ENV: prod, staging" in capsys.readouterr().err
    assert run(["-C", str(repo), "plan", "-e", "nope"]) == Exit.ERROR


def test_names_that_the_org_does_not_have_are_all_told(repo: Path, capsys: Capture) -> None:
    config(repo, CONFIG.replace("[Brand]", "[Brnd, Nowhere]"))
    assert run(["plan"]) == Exit.ERROR
    told = capsys.readouterr().err
    assert "the org has no team `Brnd`; did you mean `Brand`?" in told
    assert "`Nowhere`" in told


def test_a_missing_local_org_says_how_to_make_one(repo: Path, capsys: Capture) -> None:
    (repo / "org.db").unlink()
    assert run(["plan"]) == Exit.ERROR
    assert "rolecall local load" in capsys.readouterr().err


def test_a_pinned_org_is_the_only_one(repo: Path, capsys: Capture) -> None:
    config(repo, CONFIG.replace("name: tinyco,", "name: tinyco, id: org_2,"))
    assert run(["plan"]) == Exit.ERROR
    assert "`org.id` is org_2" in capsys.readouterr().err


def test_a_full_disk_under_the_saved_plan_leaves_nothing_behind(repo: Path, capsys: Capture) -> None:
    assert run(["plan", "--out", "no/such/folder/plan.json"]) == Exit.ERROR
    assert "error: " in capsys.readouterr().err
    assert sorted(path.name for path in repo.glob("*.json*")) == ["live.json"]


def test_two_orgs_in_one_process_do_not_mix(tmp_path: Path, repo: Path, capsys: Capture) -> None:
    other = make_repo(tmp_path / "other", UNCHANGED, {**SNAPSHOT, "org": {"id": "org_9", "name": "else"}})
    capsys.readouterr()
    run(["-C", str(other), "plan"])
    run(["-C", str(repo), "plan"])
    first, second = capsys.readouterr().out.split("LOCAL REHEARSAL")[1:]
    assert "org_9" in first
    assert "No changes." in first
    assert "org_1" in second
    assert "Plan: 1 to update." in second


@pytest.mark.parametrize(
    ("flags", "stream", "text"),
    [
        (
            [],
            "out",
            "\nNext\n  To apply it: rolecall apply 'my plan.json' --approve DIGEST\nSaved the plan to my plan.json.\n",
        ),
        (
            ["--format", "json"],
            "err",
            "Saved the plan to my plan.json. To apply exactly this plan: rolecall apply "
            "'my plan.json' --approve DIGEST\n",
        ),
        (["--format", "json", "-q"], "err", ""),
    ],
)
def test_a_saved_plan_is_named_with_the_next_command(
    tmp_path: Path, flags: list[str], stream: str, text: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "saved"))
    capsys.readouterr()
    assert run(["plan", "--out", "my plan.json", *flags]) == Exit.OK
    shown = getattr(capsys.readouterr(), stream)
    assert re.sub(r"--approve [0-9a-f-]{19}\n", "--approve DIGEST\n", shown).endswith(text)
    assert shown.count("rolecall apply") == text.count("rolecall apply")
    assert bool(shown) or not text


def test_a_blocked_plan_is_saved_and_not_offered_for_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    config = CONFIG.replace("{review: 10, block: 100%}", "{block: 1}").replace("teams: [Brand]", "teams: [Everyone]")
    monkeypatch.chdir(make_repo(tmp_path / "blocked", config))
    capsys.readouterr()
    assert run(["plan", "--out", "plan.json"]) == Exit.REFUSED
    assert capsys.readouterr().out.endswith("Saved the plan to plan.json.\n")
