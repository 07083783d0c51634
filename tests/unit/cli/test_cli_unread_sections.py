"""Test what plans, traces and online checks report where a section, the users or the IdP could not be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_repo import CONFIG, SNAPSHOT

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
OBSERVED = CONFIG.replace("local:org.db", "observed:org.json")
APP, CLIENT = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
OKTA = "people: {okta: 'http://127.0.0.1:9', app: 0oa1, token: {env: IDP_TOKEN}}\n"
ENTRA = (
    f"people: {{entra: acme, app: {APP}, client_id: {CLIENT}, client_secret: {{env: IDP_TOKEN}}, "
    "url: 'http://127.0.0.1:9', login_url: 'http://127.0.0.1:9'}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an observed org of which SCIM was not read, and a change of Marketing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDP_TOKEN", "canary-5d1c")
    monkeypatch.setattr("rolecall.live.http.exchange.backoff", lambda *_: 0.0)
    write({name: part for name, part in SNAPSHOT.items() if name != "scim"}, OBSERVED)
    return tmp_path


def write(snapshot: dict[str, Any], config: str) -> None:
    Path("org.json").write_text(json.dumps(snapshot), encoding="utf-8")
    Path("rolecall.yaml").write_text(config, encoding="utf-8")


def output(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*command]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_section_that_decides_access_is_not_read_in_the_header(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "plan")
    assert text.splitlines()[0].endswith("NOT READ: scim")
    assert "all read" not in text
    assert json.loads(output(capsys, "plan", "--format", "json"))["impact"]["missing"] == ["scim"]


def test_numbers_from_an_incomplete_read_say_so(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "plan")
    assert "  From what was read, 2 users move from Marketing to Brand, as members.\n" in text
    headline = json.loads(output(capsys, "plan", "--format", "json"))["impact"]["headline"]
    assert headline == "From what was read, 2 users move from Marketing to Brand, as members."
    write(SNAPSHOT, OBSERVED)
    assert "  2 users move from Marketing to Brand, as members.\n" in output(capsys, "plan")


def test_what_to_do_is_to_read_the_section(folder: Path, capsys: Capture) -> None:
    text = output(capsys, "plan")
    assert text.count("To read scim: rolecall observe --only scim\n") == 2, "the guards not evaluated, and `unread`"
    assert "people file" not in text
    write({name: part for name, part in SNAPSHOT.items() if name != "defaults"}, OBSERVED)
    text = output(capsys, "plan", code=Exit.REFUSED)
    assert "It is not part of this plan; to read it: rolecall observe --only defaults" in text
    assert "To read defaults: rolecall observe --only defaults" in text


def test_users_who_were_not_read_are_a_warning_with_the_action(folder: Path, capsys: Capture) -> None:
    write({name: part for name, part in SNAPSHOT.items() if name != "people"}, OBSERVED)
    warnings = json.loads(output(capsys, "plan", "--format", "json"))["warnings"]
    (warning,) = [warning for warning in warnings if warning["code"] == "users_unread"]
    assert warning["message"].startswith("users were not read")
    assert warning["hint"] == "set the source of users in `people:`"


def test_users_of_whom_some_were_read_are_a_lower_bound(folder: Path, capsys: Capture) -> None:
    counted = {**SNAPSHOT["idp_groups"], "Marketing": {**SNAPSHOT["idp_groups"]["Marketing"], "members": 40}}
    write({**SNAPSHOT, "idp_groups": counted}, OBSERVED)
    assert "At least 2 users move from Marketing to Brand, as members." in output(capsys, "plan")


def test_an_unreachable_source_of_users_names_its_key(folder: Path, capsys: Capture) -> None:
    write(SNAPSHOT, OBSERVED + OKTA)
    error = output(capsys, "plan", code=Exit.ERROR)
    assert "127.0.0.1:9 cannot be reached" in error
    assert "check `people.okta` and the network" in error


@pytest.mark.parametrize("people", [OKTA, ENTRA])
def test_an_online_check_without_users_still_checks_the_org(folder: Path, capsys: Capture, people: str) -> None:
    write(SNAPSHOT, OBSERVED.replace("teams: [Brand]", "teams: [Nope]") + people)
    assert "Nope" in output(capsys, "validate", "--online", code=Exit.ERROR)
    write(SNAPSHOT, OBSERVED + people)
    text = output(capsys, "validate", "--online", code=Exit.UNSEEN)
    assert "and not everything could be checked.\n" in text
    assert "users were not read: " in text
    assert "so owners who left, users without a mapped group, and conflicting roles were not checked" in text


def test_each_format_marks_a_check_as_incomplete(folder: Path, capsys: Capture) -> None:
    write(SNAPSHOT, OBSERVED + OKTA)
    texts = {
        form: output(capsys, "validate", "--online", "--format", form, code=Exit.UNSEEN)
        for form in ("text", "json", "markdown", "github", "sarif", "junit")
    }
    assert json.loads(texts["json"])["summary"]["complete"] is False
    assert "⚠️" in texts["markdown"].splitlines()[1]
    assert "not everything could be checked" in texts["markdown"]
    assert "::warning title=rolecall config.not_linted::" in texts["github"]
    assert '"ruleId": "config.not_linted"' in texts["sarif"]
    assert '<error type="not evaluated"' in texts["junit"]
    assert "✅" not in texts["markdown"]


def test_an_org_that_cannot_be_read_is_an_error_in_each_format(folder: Path, capsys: Capture) -> None:
    write(SNAPSHOT, CONFIG.replace("local:org.db", "http://127.0.0.1:9, token: {env: IDP_TOKEN}"))
    problems = json.loads(output(capsys, "validate", "--online", "--format", "json", code=Exit.ERROR))["problems"]
    assert [problem["code"] for problem in problems if problem["severity"] == "error"] == ["org_unreachable"]


def test_a_trace_without_the_sign_in_service_is_partial(folder: Path, capsys: Capture) -> None:
    write(SNAPSHOT, OBSERVED + ENTRA)
    text = output(capsys, "why", "cy@tiny.co", "--trace", code=Exit.UNSEEN)
    assert "Entra's sign-in service (127.0.0.1:9) could not be reached" in text
    assert "Check the network and the proxy, and `people.login_url` if it is set" in text
    assert "Error" not in text
    assert "5 of 6 steps could not be read.\n" in text
