"""Test that `access`, `why`, `test` and `drift` report users who were not read, in every format."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from calm import CALM, NO_EFFECT, PHRASES
from cli_repo import CONFIG, SNAPSHOT, make_repo

from rolecall.cli.main import run
from rolecall.cli.report_options import FORMATS
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
OBSERVED = CONFIG.replace("local:org.db", "observed:live.json")
PERSONA = "access_tests:\n  - {name: brand, person: {groups: [Marketing]}, never: [org_admin]}\n"
USER = "access_tests:\n  - {name: cy, person: cy@tiny.co, never: [org_admin]}\n"
PARTIAL = {"people": {"state": "partial", "read": 2, "total": 5}}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def made(more: str = "", state: str = "unread") -> Path:
        org: dict[str, Any] = dict(SNAPSHOT)
        if state == "unread":
            del org["people"]
        else:
            org |= {"people": org["people"][:2], "coverage": PARTIAL}
        (tmp_path / "live.json").write_text(json.dumps(org))
        (tmp_path / "rolecall.yaml").write_text(OBSERVED + more)
        return tmp_path

    return made


COMPLETE: list[tuple[str, list[str]]] = [
    (CONFIG, ["plan", "-v"]),
    (CONFIG.replace("[Brand]", "[Marketing]"), ["plan"]),
    (CONFIG.replace("[Brand]", "[Marketing]"), ["drift", "--baseline", "live.json"]),
    (CONFIG, ["access", "--role", "team_admin"]),
]


def test_what_only_a_complete_read_prints_is_printed_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "repo"))
    capsys.readouterr()
    for config, command in COMPLETE:
        Path("rolecall.yaml").write_text(config)
        run(command)
    told = capsys.readouterr().out
    absent = [phrase for phrase in PHRASES if not re.search(phrase, told, re.MULTILINE)]
    assert absent == [r"no user temporarily"], "printed of users in several groups: test_plan_transient_words.py"


CODES = pytest.mark.parametrize(("state", "code"), [("unread", Exit.ERROR), ("partial", Exit.UNSEEN)])


@CODES
def test_access_says_so_in_each_format(write: Write, capsys: Capture, state: str, code: Exit) -> None:
    write(state=state)
    assert run(["access"]) == code
    text = capsys.readouterr()
    words = "NOT READ: users" if state == "unread" else "PARTIALLY READ: users (2 of 5)"
    assert words in text.out
    assert not CALM.search(text.out)
    assert run(["access", "--format", "json"]) == code
    coverage = json.loads(capsys.readouterr().out)["coverage"]
    assert (coverage["state"], coverage["total"]) == (state, None if state == "unread" else 5)
    assert run(["access", "--role", "org_admin", "--format", "csv"]) == code
    assert "users were " in capsys.readouterr().err


@CODES
def test_why_of_a_user_who_was_not_read_is_unknown(write: Write, capsys: Capture, state: str, code: Exit) -> None:
    write(state=state)
    assert run(["why", "cy@tiny.co"]) == code
    told = capsys.readouterr()
    assert "cy@tiny.co: unknown" in told.out
    assert not re.search("No user|nobody|spelling", told.out + told.err)
    assert run(["why", "cy@tiny.co", "--format", "json"]) == code
    answer = json.loads(capsys.readouterr().out)
    assert answer["coverage"]["state"] == state
    assert answer["combos"] is None


def test_why_of_a_user_among_some_is_answered_and_exits_with_7(write: Write, capsys: Capture) -> None:
    write(state="partial")
    assert run(["why", "ann@tiny.co", "--format", "json"]) == Exit.UNSEEN
    answer = json.loads(capsys.readouterr().out)
    assert (answer["org_admin"], answer["coverage"]["state"]) == (True, "partial")


@CODES
def test_a_test_that_needs_users_is_not_evaluated(write: Write, capsys: Capture, state: str, code: Exit) -> None:
    folder = write(PERSONA + USER.removeprefix("access_tests:\n"), state)
    assert run(["test", "--report", f"junit={folder / 'out.xml'}"]) == code
    told = capsys.readouterr().out
    assert "UNKNOWN  cy: Users were" in told
    assert "1 of 2 access tests passed; 1 not evaluated." in told
    root = ElementTree.parse(folder / "out.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("2", "0", "1")


def test_a_failing_test_exits_with_3_all_the_same(write: Write) -> None:
    write(PERSONA.replace("never: [org_admin]", "has: [org_admin]") + USER.removeprefix("access_tests:\n"))
    assert run(["test"]) == Exit.REFUSED


def test_what_needs_no_users_is_answered_without_them(write: Write) -> None:
    write(PERSONA)
    for args in (["test"], ["why", "--groups", "Marketing"], ["access", "--unmanaged"]):
        assert run(args) == Exit.OK


@pytest.mark.parametrize("state", ["unread", "partial"])
@pytest.mark.parametrize("form", FORMATS)
def test_drift_says_so_in_each_format(write: Write, capsys: Capture, state: str, form: str) -> None:
    write(PERSONA + USER.removeprefix("access_tests:\n"), state)
    assert run(["drift", "--detailed-exitcode", "--format", form, "--baseline", "live.json"]) == Exit.UNSEEN
    told = capsys.readouterr().out
    assert not CALM.search(told)
    assert re.search("people|users|Users", told), told


def test_the_json_of_drift_names_the_checks_that_were_not_evaluated(write: Write, capsys: Capture) -> None:
    write(USER + "watch: {roles: [org_admin]}\n")
    run(["drift", "--format", "json", "--baseline", "live.json"])
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, json.loads(schema_text("drift.schema.json")))
    assert found["coverage"]["people"]["state"] == "unread"
    assert found["not_evaluated"] == ["watch", "limit", "access_test"]
    assert found["roles"] is None


def test_metrics_count_people_among_what_was_not_read(write: Write) -> None:
    folder = write(PERSONA)
    run(["drift", "--metrics-file", "m.prom", "--baseline", "live.json"])
    text = (folder / "m.prom").read_text()
    labels = 'org="org_1",env=""'
    assert f"rolecall_unread_sections{{{labels}}} 1\n" in text
    assert f'rolecall_not_evaluated{{{labels},kind="limit"}} 1\n' in text
    assert f'rolecall_not_evaluated{{{labels},kind="access_test"}} 0\n' in text
    assert 'rolecall_alarms{org="org_1",env="",kind="limit"}' not in text
    assert f'rolecall_alarms{{{labels},kind="access_test"}} 0\n' in text


@CODES
def test_a_recorded_snapshot_without_all_users_says_so(write: Write, capsys: Capture, state: str, code: Exit) -> None:
    write(state=state)
    assert run(["snapshot", "--record", "--out", "s.yaml"]) == code
    assert "users were " in capsys.readouterr().err
    assert run(["snapshot", "--out", "s.yaml"]) == Exit.OK
    capsys.readouterr()
    looked = run(["access", "--at", "2099-01-01"])
    assert looked == (Exit.USAGE if state == "unread" else Exit.UNSEEN)


@pytest.mark.parametrize("form", FORMATS)
def test_a_plan_says_so_in_each_format(write: Write, capsys: Capture, form: str) -> None:
    write()
    assert run(["plan", "--assert", "no-access-change", "--format", form]) == Exit.REFUSED
    told = capsys.readouterr().out
    assert not CALM.search(told)
    assert not NO_EFFECT.search(told)
    assert re.search("people|users|Users|unknown", told), told


def test_the_way_out_names_the_token_of_the_people_source(
    write: Write, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write()
    source = 'people: {scim: "http://127.0.0.1:9/scim", token: {env: SCIM_TOKEN}}\n'
    (folder / "rolecall.yaml").write_text(OBSERVED + source)
    monkeypatch.setenv("SCIM_TOKEN", "x")
    assert run(["access"]) == Exit.ERROR
    assert "check the token in SCIM_TOKEN" in capsys.readouterr().err


@pytest.fixture
def unread_mappings(write: Write) -> Path:
    """An org whose mappings were not read, and a configuration that changes other settings."""
    folder = write()
    org = {key: value for key, value in SNAPSHOT.items() if key != "idp_groups"}
    (folder / "live.json").write_text(json.dumps(org))
    (folder / "rolecall.yaml").write_text(f"{OBSERVED}sso: {{allow_passwords: false}}\n")
    return folder


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("passwords", ["true", "false"])
def test_org_admins_are_not_counted_where_mappings_were_not_read(
    unread_mappings: Path, capsys: Capture, form: str, passwords: str
) -> None:
    config = unread_mappings / "rolecall.yaml"
    config.write_text(config.read_text().replace("allow_passwords: false", f"allow_passwords: {passwords}"))
    assert run(["plan", "-v", "--format", form]) == (Exit.REFUSED if passwords == "true" else Exit.OK)
    told = capsys.readouterr().out
    assert not CALM.search(told)
    assert "No org admins" not in told
    if form == "json":
        assert json.loads(told)["impact"]["org_admins"] is None


def test_unmanaged_mappings_are_unknown_where_mappings_were_not_read(unread_mappings: Path, capsys: Capture) -> None:
    assert run(["access", "--unmanaged"]) == Exit.ERROR
    told = capsys.readouterr()
    assert "unmanaged mappings are unknown, since idp_groups could not be read" in told.err
    assert "unmanaged mapped group" not in told.out


def test_a_runbook_names_the_sections_that_were_not_read(unread_mappings: Path, capsys: Capture) -> None:
    sentence = "Incomplete read: idp_groups could not be read, so it is not part of this plan."
    config = unread_mappings / "rolecall.yaml"
    for passwords in ("false", "true"):
        config.write_text(config.read_text().replace("allow_passwords: false", f"allow_passwords: {passwords}"))
        run(["plan", "--out", "p.json"])
        capsys.readouterr()
        assert run(["runbook", "p.json"]) == Exit.OK
        told = capsys.readouterr().out
        assert sentence in told
        assert "There are no manual steps." not in told


def test_nothing_to_revert_is_not_claimed_where_mappings_were_not_read(unread_mappings: Path, capsys: Capture) -> None:
    run(["drift", "--baseline", "live.json", "--revert", "--out", "r.json"])
    told = capsys.readouterr().out
    assert "Nothing to revert, but drift is only partially known. No plan was saved." in told
