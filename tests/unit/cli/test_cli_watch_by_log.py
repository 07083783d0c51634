"""New holders of watched roles by the audit log, without users: exit code, metrics, notices, acknowledgements."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from audit_exports import WATCHING, export, record, repo_with_log
from cli_repo import SNAPSHOT, apply_approved
from faulty_org import Faulty, error, faulty_org
from webhook import webhook

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
ROLE = {"area": "User", "action": "Role changed", "object": "bo@tiny.co", "newRole": "Org admin"}


def granted(**more: Any) -> dict[str, Any]:
    return record(1, **{"createdAt": datetime.now(UTC).isoformat(), **ROLE, **more})


@pytest.fixture
def org() -> Iterator[Faulty]:
    with faulty_org(export([])) as served:
        yield served


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, org: Faulty, capsys: Capture) -> Path:
    """An observed org without users, after an apply whose step was reported done."""
    snapshot = {name: value for name, value in SNAPSHOT.items() if name != "people"}
    repo_with_log(tmp_path, monkeypatch, WATCHING, org.base, snapshot)
    apply_approved(capsys)
    assert run(["done", "1", "all"]) == Exit.OK
    return tmp_path


def output(capsys: Capture, *words: str, code: int = Exit.OK) -> str:
    capsys.readouterr()
    assert run(["drift", *words]) == code
    return capsys.readouterr().out


def test_a_new_holder_is_drift_although_users_were_not_read(repo: Path, capsys: Capture, org: Faulty) -> None:
    assert json.loads(output(capsys, "--format", "json"))["alarms"] == []
    org.answer = export([granted()])
    text = output(capsys, "--detailed-exitcode", code=Exit.CHANGES)
    assert re.search(r"bo@tiny\.co is now org admin, by ann@acme\.com, .* UTC \(audit log\)", text)
    found = json.loads(output(capsys, "--format", "json"))
    jsonschema.validate(found, json.loads(schema_text("drift.schema.json")))
    (alarm,) = found["alarms"]
    assert (alarm["kind"], alarm["name"], alarm["who"]["email"]) == ("watch", "org_admin", "bo@tiny.co")
    assert "watch" in found["not_evaluated"]


def test_silence_is_not_proof(repo: Path, capsys: Capture) -> None:
    found = json.loads(output(capsys, "--format", "json", "--detailed-exitcode", code=Exit.UNSEEN))
    assert (found["alarms"], found["not_evaluated"]) == ([], ["watch", "limit"])


@pytest.mark.parametrize("changes", [{"newRole": None}, {"object": "Bo"}, {"result": "??"}, {"createdAt": None}])
def test_an_unclear_role_change_is_a_warning(repo: Path, capsys: Capture, org: Faulty, changes: Any) -> None:
    org.answer = export([granted(**changes)])
    found = json.loads(output(capsys, "--format", "json"))
    assert found["alarms"] == []
    assert "watch_unclear" in [warning["code"] for warning in found["warnings"]]


def test_without_watched_roles_nothing_is_said(repo: Path, capsys: Capture, org: Faulty) -> None:
    path = repo / "rolecall.yaml"
    path.write_text(path.read_text().replace("watch: {roles: [org_admin]}\n", ""), encoding="utf-8")
    org.answer = export([granted(), granted(newRole=None)])
    found = json.loads(output(capsys, "--format", "json"))
    assert found["alarms"] == []
    assert "watch_unclear" not in [warning["code"] for warning in found["warnings"]]


def test_a_change_before_the_last_apply_is_not_new(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = export([granted(createdAt=(datetime.now(UTC) - timedelta(hours=1)).isoformat())])
    assert json.loads(output(capsys, "--format", "json"))["alarms"] == []


def test_a_log_that_cannot_be_read_shows_no_one_and_says_so(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = lambda _: error(403)
    found = json.loads(output(capsys, "--format", "json"))
    assert found["alarms"] == []
    assert "audit_unread" in [warning["code"] for warning in found["warnings"]]


@pytest.mark.parametrize("mode", ["masked", "counts"])
def test_users_are_hidden(repo: Path, capsys: Capture, org: Faulty, mode: str) -> None:
    org.answer = export([granted()])
    for form in ("text", "json", "markdown"):
        text = output(capsys, "--format", form, "--people", mode)
        assert "bo@tiny.co" not in text
        assert "is now org admin" in text


def test_the_metric_the_notice_once_and_acknowledging_it(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = export([granted()])
    with webhook() as hook:
        for _ in range(2):
            output(capsys, "--metrics-file", "m.prom", "--notify", f"slack:{hook.url}", "--people", "names")
        assert [text.count("bo@tiny.co is now org admin") for text in hook.texts] == [1]
    assert re.search(r'^rolecall_alarms\{\S*kind="watch"\} 1$', Path("m.prom").read_text(), re.MULTILINE)
    (alarm,) = json.loads(output(capsys, "--format", "json"))["alarms"]
    output(capsys, "--acknowledge", alarm["fingerprint"], "--reason", "the new IT lead")
    assert json.loads(output(capsys, "--format", "json", "--detailed-exitcode", code=Exit.UNSEEN))["alarms"] == []


def test_users_that_were_read_before_the_change(repo: Path, capsys: Capture, org: Faulty) -> None:
    (repo / "org.json").write_text(
        json.dumps({**SNAPSHOT, "taken_at": (datetime.now(UTC) - timedelta(hours=2)).isoformat()}), encoding="utf-8"
    )
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    cy, ann = ({"createdAt": hour_ago, "object": f"{name}@tiny.co"} for name in ("cy", "ann"))
    org.answer = export([granted(**cy), granted(id="2", **ann)])
    found = json.loads(output(capsys, "--format", "json"))
    assert [alarm["who"]["email"] for alarm in found["alarms"]] == ["cy@tiny.co"]
