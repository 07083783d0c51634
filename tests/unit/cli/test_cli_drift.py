"""Test `drift`: its findings, the users it names, its exit codes, and that it writes nothing to the org."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import meddler
import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.cli.report_options import FORMATS
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
ADMIN = {"role": "team_admin", "teams": ["Marketing"]}


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo")
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    capsys.readouterr()
    return made


def found(capsys: Capture, *args: str) -> dict[str, Any]:
    run(["drift", "--format", "json", *args])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(said, json.loads(schema_text("drift.schema.json")))
    return said


def test_nothing_drifted(repo: Path, capsys: Capture) -> None:
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    told = capsys.readouterr().out
    assert told.startswith(
        "LOCAL REHEARSAL, not WRITER · tinyco · org_1 at local:org.db   all read: 2 groups, 4 users\n"
    )
    assert "  No drift.\n" in told
    assert "the last apply: run 1 (" in told


def test_a_change_by_another_admin_is_found_with_their_name_and_both_ways(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
    told = capsys.readouterr().out
    assert "~ idp_groups/Marketing   role: member → team_admin · teams: Brand → Marketing   rolecall.yaml:7\n" in told
    assert "Changed in the console by bo@tiny.co, " in told
    assert (
        "Effect on users: 2 users gain a role above member. 2 users lose Brand member and gain Marketing team" in told
    )
    assert "Effect of reverting: 2 users lose Marketing team admin and gain Brand member." in told
    assert run(["drift"]) == Exit.OK


def test_its_json_fits_the_schema_and_has_all_that_was_promised(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    first, second = found(capsys), found(capsys)
    (row,) = first["drift"]
    assert (row["address"], row["class"], row["who"]) == ("idp_groups/Marketing", "console", "bo@tiny.co")
    assert row["last"] == row["desired"] == {"role": "member", "teams": ["Brand"]}
    assert row["live"] == ADMIN
    assert row["people"] == {side: {"gain": 0, "lose": 0, "change": 2} for side in ("did", "revert")}
    assert row["fingerprint"] == second["drift"][0]["fingerprint"]
    assert [who["email"] for who in first["impact"]["did"]["details"]] == ["cy@tiny.co", "di@tiny.co"]


def test_each_field_has_the_name_of_who_wrote_it(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "team_admin", "teams": ["Brand"]})
    meddler.remap(repo / "org.db", "ann@tiny.co", "Marketing", ADMIN)
    (row,) = found(capsys)["drift"]
    assert row["who"] == "ann@tiny.co"
    assert [(field["address"], field["who"]) for field in row["fields"]] == [
        ("idp_groups/Marketing.role", "bo@tiny.co"),
        ("idp_groups/Marketing.teams", "ann@tiny.co"),
    ]
    assert row["fields"][1]["when"] == row["when"] >= row["fields"][0]["when"]
    assert run(["drift"]) == Exit.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "Of the fields: idp_groups/Marketing.role by bo@tiny.co, " in text
    assert "; idp_groups/Marketing.teams by ann@tiny.co, " in text


def test_a_later_write_of_another_field_is_not_the_one_that_drifted(repo: Path, capsys: Capture) -> None:
    """Ann maps another team and back, after Bo changed the role."""
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", {"role": "team_admin", "teams": ["Brand"]})
    meddler.remap(repo / "org.db", "ann@tiny.co", "Marketing", ADMIN)
    meddler.remap(repo / "org.db", "ann@tiny.co", "Marketing", {"role": "team_admin", "teams": ["Brand"]})
    (row,) = found(capsys)["drift"]
    (field,) = row["fields"]
    assert (field["address"], field["who"]) == ("idp_groups/Marketing.role", "bo@tiny.co")


def test_one_write_of_all_fields_is_named_once(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    (row,) = found(capsys)["drift"]
    assert (row["who"], "fields" in row) == ("bo@tiny.co", False)


def test_a_look_writes_nothing_to_the_org(repo: Path, capsys: Capture) -> None:
    with meddler.org(repo / "org.db") as org:
        before = org.get("/v1/audit-log")["total"]
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--detailed-exitcode"]) == Exit.CHANGES
    with meddler.org(repo / "org.db") as org:
        assert org.get("/v1/audit-log")["total"] == before + 2  # the token, and the change


def test_what_only_the_config_changed_is_no_drift_unless_asked_for(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG.replace("[Brand]", "[Marketing]"))
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    assert "Changed in the config, not applied yet  1\n" in capsys.readouterr().out
    assert run(["drift", "--detailed-exitcode", "--include-unapplied"]) == Exit.CHANGES


def test_without_a_record_it_compares_two_ways_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "new"))
    capsys.readouterr()
    assert run(["drift", "--detailed-exitcode"]) == Exit.UNSEEN
    told = capsys.readouterr().out
    assert "  Drift cannot be determined: no apply is recorded.\n  Drift is unknown. 1 setting differs from the" in told
    assert told.count("1 setting differs from the config.") == 1
    assert "Compared with the config only." in told
    assert "never applied: what an apply would change" in told
    assert run(["drift", "--detailed-exitcode", "--include-unapplied"]) == Exit.CHANGES


def test_an_address_is_left_out_for_once(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--detailed-exitcode", "--ignore", "idp_groups/Mark*"]) == Exit.OK
    monkeypatch.setenv("ROLECALL_DRIFT_IGNORE", "idp_groups/*")
    assert run(["drift"]) == Exit.USAGE
    assert "--ignore" in capsys.readouterr().err


def test_what_somebody_maps_in_an_authoritative_section_is_drift(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG.replace("  Admins: {role: org_admin, teams: [Everyone]}\n", ""))
    assert run(["apply", "--auto-approve", "--target", "idp_groups/Marketing"]) == Exit.OK
    capsys.readouterr()
    assert [row["class"] for row in found(capsys)["beside"]] == ["unapplied"]
    meddler.remap(repo / "org.db", "bo@tiny.co", "Admins", {"role": "org_admin", "teams": ["Brand"]})
    assert [row["class"] for row in found(capsys)["drift"]] == ["both"]


def test_a_snapshot_can_stand_in_for_the_journal(repo: Path, capsys: Capture) -> None:
    (repo / "rolecall.yaml").write_text(CONFIG.replace("[Brand]", "[Marketing]"))
    said = found(capsys, "--baseline", "live.json")
    assert said["basis"]["kind"] == "file"
    assert [(row["address"], row["class"]) for row in said["drift"]] == [("idp_groups/Marketing", "console")]
    assert run(["drift", "--baseline", "no-such.json"]) == Exit.ERROR


def test_in_a_pipeline_people_are_counted_and_the_one_who_did_it_is_named(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    monkeypatch.setenv("CI", "true")
    run(["drift"])
    told = capsys.readouterr().out
    assert "cy@tiny.co" not in told
    assert "by bo@tiny.co" in told
    run(["drift", "--people", "names"])
    assert "cy@tiny.co" in capsys.readouterr().out


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "text"])
def test_every_format_is_written(repo: Path, capsys: Capture, form: str) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift", "--format", form]) == Exit.OK
    told = capsys.readouterr().out
    assert "Marketing" in told or form == "gitlab"
    assert len(told.splitlines()) >= 1


def test_several_reports_are_written_at_once(repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    monkeypatch.setenv("CI", "1")
    wanted = [part for form in FORMATS for part in ("--report", f"{form}=drift.{form}")]
    assert run(["drift", "--format", "gitlab", *wanted, "--people", "counts"]) == Exit.OK
    assert capsys.readouterr().out == Path("drift.gitlab").read_text("utf-8")
    for form in FORMATS:
        told = Path(f"drift.{form}").read_text("utf-8")
        assert "Marketing" in told or form == "gitlab"
        assert "cy@tiny.co" not in told


def test_a_report_in_no_format_is_refused_before_anything_is_read(repo: Path, capsys: Capture) -> None:
    assert run(["drift", "--report", "pdf=drift.pdf"]) == Exit.USAGE
    assert "FORMAT one of text, json, markdown" in capsys.readouterr().err


def test_an_observed_org_leaves_7_as_console_changes_cannot_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "observed"
    made = make_repo(folder, CONFIG.replace("[Brand]", "[Marketing]"))
    text = (made / "rolecall.yaml").read_text().replace("local:org.db", "observed:live.json")
    (made / "rolecall.yaml").write_text(text)
    monkeypatch.chdir(made)
    assert run(["drift"]) == Exit.OK
    assert run(["drift", "--detailed-exitcode"]) == Exit.UNSEEN


def test_a_write_of_another_journal_is_told_as_such(repo: Path, capsys: Capture, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    text = CONFIG.replace("local:org.db", f"local:{repo / 'org.db'}").replace("[Brand]", "[Marketing]")
    (other / "rolecall.yaml").write_text(text)
    assert run(["-C", str(other), "apply", "--auto-approve"]) == Exit.REFUSED
    capsys.readouterr()
    assert run(["-C", str(other), "plan", "--format", "json"]) == Exit.OK
    digest = json.loads(capsys.readouterr().out)["digest"]
    assert run(["-C", str(other), "apply", "--approve", digest]) == Exit.OK
    capsys.readouterr()
    told = found(capsys, "-C", str(repo))
    assert [row["class"] for row in told["drift"]] == ["other_run"]


def test_nothing_is_recorded_of_a_snapshot(repo: Path, capsys: Capture) -> None:
    assert run(["drift", "--snapshot", "live.json"]) == Exit.OK
    capsys.readouterr()
    assert run(["drift", "--snapshot", "live.json", "--notify", "https://chat.acme.com/x"]) == Exit.USAGE
    assert "records what was already posted; leave out --snapshot" in capsys.readouterr().err
    assert run(["history", "--format", "json"]) == Exit.OK
    assert [row["kind"] for row in json.loads(capsys.readouterr().out)["runs"]] == ["apply"]


def test_history_tells_what_a_look_found(repo: Path, capsys: Capture) -> None:
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", ADMIN)
    assert run(["drift"]) == Exit.OK
    capsys.readouterr()
    assert run(["history"]) == Exit.OK
    assert "drift     done         1 setting changed outside rolecall  " in capsys.readouterr().out


def test_whose_reading_an_observed_org_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    made = make_repo(tmp_path / "observed")
    text = (made / "rolecall.yaml").read_text().replace("local:org.db", "observed:live.json")
    (made / "rolecall.yaml").write_text(text)
    monkeypatch.chdir(made)
    assert run(["drift"]) == Exit.OK
    assert "later changes in the console are not included" in capsys.readouterr().out


def test_a_mapping_that_has_lapsed_since_the_baseline_is_no_drift(repo: Path, capsys: Capture) -> None:
    text = CONFIG.replace("    owner: lead", "    expires: 2026-01-31\n    owner: lead")
    (repo / "rolecall.yaml").write_text(text)
    (repo / "then.yaml").write_text(text)
    meddler.remap(repo / "org.db", "bo@tiny.co", "Marketing", None)
    said = found(capsys, "--baseline", "then.yaml", "--as-of", "2026-02-01")
    assert (said["drift"], said["beside"]) == ([], [])
    assert [row["class"] for row in found(capsys, "--baseline", "then.yaml", "--as-of", "2026-01-31")["drift"]] == [
        "console"
    ]


def test_an_address_that_must_not_be_posted_to_is_refused_before_anything_is_read(repo: Path, capsys: Capture) -> None:
    assert run(["drift", "--notify", "http://chat.acme.com/s3cret"]) == Exit.USAGE
    told = capsys.readouterr()
    assert "not an https URL" in told.err
    assert "s3cret" not in told.err
    assert told.out == ""
