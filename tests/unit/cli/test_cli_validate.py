"""Test `validate` and `render`: all problems at once, in each format, and the origin of a value."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from cli_repo import CONFIG, EXAMPLES, SNAPSHOT, copy_example, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit

BROKEN = CONFIG.replace("role: member\n", "rol: member\n").replace("Brand", "")


@pytest.mark.parametrize("name", ["minimal", "acme"])
def test_examples_are_valid(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(EXAMPLES / name), "validate"]) == Exit.OK
    assert capsys.readouterr().out == "No problems found.\n"


def test_problems_go_to_stdout_with_place_and_near_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    assert run(["validate"]) == Exit.ERROR
    told = capsys.readouterr().out
    assert "error: rolecall.yaml:8:5: " in told
    assert "did you mean `role`?" in told
    assert told.splitlines()[-1].endswith("errors.") or told.splitlines()[-1].endswith("error.")


def test_no_config_at_all_is_an_error_with_a_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate"]) == Exit.ERROR
    assert "rolecall.yaml" in capsys.readouterr().out


def test_several_reports_are_written_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    forms = ["text", "json", "markdown", "github", "sarif", "junit"]
    reports = [part for form in forms for part in ("--report", f"{form}=found.{form}")]
    assert run(["validate", *reports]) == Exit.ERROR
    assert capsys.readouterr().out == Path("found.text").read_text("utf-8")
    assert all("rol" in Path(f"found.{form}").read_text("utf-8") for form in forms)
    assert Path("found.markdown").read_text("utf-8").startswith("<!-- rolecall:validate:: -->\n### ⛔ ")


def test_a_report_in_no_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["validate", "--report", "csv=x.csv"]) == Exit.USAGE
    assert "FORMAT one of text, json, markdown, github, sarif, junit" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "github", "sarif", "junit"])
def test_each_format_reads_back(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    assert run(["validate", "--format", form]) == Exit.ERROR
    told = capsys.readouterr().out
    if form == "json":
        assert json.loads(told)["problems"][0]["line"]
    elif form == "sarif":
        assert json.loads(told)["runs"][0]["results"]
    elif form == "junit":
        assert ElementTree.fromstring(told).attrib["failures"] != "0"
    else:
        assert told.startswith("::error title=rolecall config.")


def test_annotations_name_files_from_the_root_of_the_repository(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    run(["-C", "conf", "validate", "--format", "github"])
    assert "file=conf/rolecall.yaml" in capsys.readouterr().out


def test_the_workspace_of_a_pipeline_is_such_a_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    run(["-c", "a/b/rolecall.yaml", "validate", "--format", "github"])
    assert "file=a/b/rolecall.yaml" in capsys.readouterr().out


def test_without_env_every_overlay_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = copy_example("acme", tmp_path / "acme")
    (repo / "env" / "prod.yaml").write_text("gards: {min_org_admins: 1}\n", encoding="utf-8")
    assert run(["-C", str(repo), "validate"]) == Exit.ERROR
    assert "env/prod.yaml:1" in capsys.readouterr().out
    assert run(["-C", str(repo), "validate", "-e", "staging"]) == Exit.OK


def test_online_checks_names_against_the_org(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    repo = make_repo(tmp_path / "r", CONFIG.replace("[Brand]", "[Brnd]"))
    assert run(["-C", str(repo), "validate"]) == Exit.OK
    assert run(["-C", str(repo), "validate", "--online"]) == Exit.ERROR
    assert "the org has no team `Brnd`; did you mean `Brand`?" in capsys.readouterr().out


def test_online_lints_with_everybody_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    live = {**SNAPSHOT["idp_groups"], "Leads": {"role": "team_admin", "teams": ["Brand"]}, "Odd": "blank"}
    people = [
        *SNAPSHOT["people"],
        {"email": "ed@tiny.co", "groups": ["Marketing", "Leads"]},
        {"email": "flo@tiny.co", "groups": ["Odd"]},
    ]
    config = CONFIG.replace("  Marketing:\n", "  Leads: {role: team_admin, teams: [Brand]}\n  Marketing:\n")
    config = config.replace("owner: lead@tiny.co", "owner: lead@tiny.co\n    expires: 2031-01-02")
    repo = make_repo(tmp_path / "r", config, {**SNAPSHOT, "idp_groups": live, "people": people})
    assert run(["-C", str(repo), "validate"]) == Exit.OK
    assert capsys.readouterr().out.endswith("No problems found.\n")
    assert run(["-C", str(repo), "--as-of", "2031-01-01", "validate", "--online"]) == Exit.OK
    told = capsys.readouterr().out
    assert "lead@tiny.co, the owner of idp_groups/Marketing, is not a user in this org" in told
    assert "1 user has default access only (Everyone member): none of their groups is mapped" in told
    assert "`Leads` and `Marketing` (1)" in told
    assert "idp_groups/Marketing expires after 2 Jan 2031" in told
    assert told.endswith("4 warnings.\n")


def test_online_says_what_nobody_could_look_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIG.replace("local:org.db", "observed:live.json")
    repo = make_repo(tmp_path / "r", text, {key: said for key, said in SNAPSHOT.items() if key != "people"})
    assert run(["-C", str(repo), "validate"]) == Exit.OK
    assert run(["-C", str(repo), "validate", "--online"]) == Exit.UNSEEN
    assert "users were not read, so owners who left" in capsys.readouterr().out


def test_online_exits_with_7_if_a_managed_section_was_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot = {key: value for key, value in SNAPSHOT.items() if key != "domains"}
    config = f"{CONFIG}\ndomains: {{tiny.co: {{join: approval}}}}\n"
    repo = make_repo(tmp_path / "r", config.replace("local:org.db", "observed:live.json"), snapshot)
    assert run(["-C", str(repo), "validate", "--online"]) == Exit.UNSEEN
    assert "domains could not be completely read, so it was not completely checked" in capsys.readouterr().out


def test_render_is_the_config_that_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(EXAMPLES / "acme"), "render", "-e", "prod"]) == Exit.OK
    told = yaml.safe_load(capsys.readouterr().out)
    assert told["org"]["id"] == "org_8817"
    assert "Writer-Legal" in told["idp_groups"]


def test_render_says_who_set_what(capsys: pytest.CaptureFixture[str]) -> None:
    run(["-C", str(EXAMPLES / "acme"), "render", "-e", "prod", "--origin"])
    rows = [row.split() for row in capsys.readouterr().out.splitlines() if row.startswith("org / ")]
    places = {row[2]: row[-1].partition(":")[0] for row in rows}
    assert (places["name"], places["id"]) == ("rolecall.yaml", "env/prod.yaml")


def test_render_shows_what_cannot_be_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIG.replace("  Marketing:", '  "a\\u202Eb": blank\n  Marketing:')
    (tmp_path / "rolecall.yaml").write_text(text, encoding="utf-8")
    assert run(["render"]) == Exit.OK
    told = capsys.readouterr().out
    assert "\u202e" not in told
    assert "a\u202eb" in yaml.safe_load(told)["idp_groups"]


def test_render_refuses_a_config_with_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rolecall.yaml").write_text(BROKEN, encoding="utf-8")
    assert run(["render"]) == Exit.ERROR
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "error: rolecall.yaml:8:5" in shown.err
