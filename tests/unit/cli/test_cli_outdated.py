"""Sections that were changed in the console after they were read: what plan, drift and apply of an observed org say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_exports import WRITER, asked_query, export, record
from cli_repo import SNAPSHOT
from faulty_org import Faulty, error, faulty_org
from webhook import webhook

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import find_journal

Capture = pytest.CaptureFixture[str]
READ = datetime.now(UTC).replace(microsecond=0) - timedelta(days=5)
CHANGED = READ + timedelta(days=1)
SAID = f"SSO was changed by ann@acme.com on {CHANGED.day} {CHANGED:%b %Y}, {CHANGED:%H:%M} UTC, after it was last read."
RUN = "rolecall observe --only sso"


def changed(number: int, **more: Any) -> dict[str, Any]:
    return record(number, createdAt=CHANGED.isoformat(), **more)


@pytest.fixture
def org() -> Iterator[Faulty]:
    with faulty_org(export([changed(1)])) as served:
        yield served


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, org: Faulty) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    snapshot = {**SNAPSHOT, "taken_at": READ.isoformat(), "taken_by": "lead@tiny.co"}
    (folder / "org.json").write_text(json.dumps(snapshot))
    write(folder, org)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", "canary-audit-key")
    return folder


def write(folder: Path, org: Faulty | None, passwords: bool = False) -> None:
    audit = f"audit: {{writer: {WRITER}, token: {{env: KEY}}, url: '{org.base}'}}\n" if org else ""
    sso = f"sso: {{enabled: true, allow_passwords: {str(passwords).lower()}}}\n"
    text = f"version: 1\norg: {{name: tinyco, url: observed:org.json}}\n{sso}{audit}"
    (folder / "rolecall.yaml").write_text(text, encoding="utf-8")


def output(capsys: Capture, *words: str, code: int = Exit.OK) -> str:
    capsys.readouterr()
    assert run([*words]) == code
    return capsys.readouterr().out


def stored(folder: Path) -> int:
    journal = find_journal("sqlite:.rolecall/journal.db", folder)
    if journal is None:
        return 0
    with journal:
        return len(journal.audit.records(WRITER))


@pytest.mark.parametrize("command", ["plan", "drift"])
@pytest.mark.parametrize("form", ["text", "markdown", "html", "github", "sarif"])
def test_every_format_says_it(repo: Path, capsys: Capture, command: str, form: str) -> None:
    text = output(capsys, command, "--format", form)
    plain = re.sub(r"<[^>]*>", "", text).replace("&#64;", "@").replace("\\", "")
    assert SAID[:-1] in plain.replace("<!-- -->", "")
    assert RUN in plain
    assert "all read" not in plain
    assert "No changes. The org matches" not in plain


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_json_has_it(repo: Path, capsys: Capture, command: str) -> None:
    coverage = json.loads(output(capsys, command, "--format", "json"))["coverage"]["sso"]
    assert coverage["state"] == "complete"
    assert coverage["changed_since"] == {"at": CHANGED.isoformat(), "by": "ann@acme.com"}
    assert output(capsys, command, "--detailed-exitcode", code=Exit.UNSEEN)


def test_without_the_key_nothing_differs(repo: Path, capsys: Capture) -> None:
    write(repo, None)
    plan = json.loads(output(capsys, "plan", "--format", "json"))
    assert all("changed_since" not in part for part in plan["coverage"].values())
    assert [problem["code"] for problem in plan["warnings"]] == ["observed"]


def test_a_plan_stores_nothing_and_drift_stores_the_records(repo: Path, capsys: Capture, org: Faulty) -> None:
    output(capsys, "plan")
    assert stored(repo) == 0
    assert asked_query(org.asked[0])["start_date"] == READ.isoformat().replace("+00:00", "Z")
    output(capsys, "drift")
    assert stored(repo) == 1
    before = len(org.asked)
    assert SAID in output(capsys, "plan")
    assert "start_date" not in asked_query(org.asked[before])


def test_an_apply_stores_the_records(repo: Path, capsys: Capture) -> None:
    write_passwords(repo)
    output(capsys, "apply", "--approve", digest(capsys), code=Exit.HUMAN)
    assert stored(repo) == 1


def write_passwords(repo: Path) -> None:
    path = repo / "rolecall.yaml"
    path.write_text(path.read_text().replace("allow_passwords: false", "allow_passwords: true"))


def digest(capsys: Capture) -> str:
    plan: dict[str, Any] = json.loads(output(capsys, "plan", "--format", "json"))
    return str(plan["digest"])


def test_a_plan_that_touches_it_requires_approval(repo: Path, capsys: Capture) -> None:
    write_passwords(repo)
    guards = {guard["name"]: guard for guard in json.loads(output(capsys, "plan", "--format", "json"))["guards"]}
    assert guards["observed_age"]["verdict"] == "review"
    assert guards["preconditions"]["verdict"] == "not judged"
    assert guards["unread"]["verdict"] == "review"
    output(capsys, "apply", "--auto-approve", code=Exit.REFUSED)


@pytest.mark.parametrize(
    "records",
    [
        [changed(1, result="FAILURE")],
        [changed(1, result=None)],
        [changed(1, area="Style guide", action="Created term")],
        [record(1, createdAt=(READ - timedelta(minutes=1)).isoformat())],
    ],
    ids=["failure", "unknown", "other", "earlier"],
)
def test_what_proves_no_change_does_not_count(repo: Path, capsys: Capture, org: Faulty, records: list[Any]) -> None:
    org.answer = export(records)
    plan = json.loads(output(capsys, "plan", "--format", "json"))
    assert "changed_since" not in plan["coverage"]["sso"]
    codes = [problem["code"] for problem in plan["warnings"]]
    assert ("audit_unrecognized" in codes) == (records[0]["result"] is None)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_teams_are_out_of_date_where_the_config_names_teams(
    repo: Path, capsys: Capture, org: Faulty, command: str
) -> None:
    """A team that was deleted after the last reading may be one that the configuration names."""
    org.answer = export([changed(1, area="Team", action="Deleted team", object="Brand")])
    snapshot = json.loads(Path("org.json").read_text())
    del snapshot["people"]
    Path("org.json").write_text(json.dumps({**snapshot, "coverage": {"people": "unread"}}))
    assert "teams" not in json.loads(output(capsys, command, "--format", "json"))["coverage"]
    path = repo / "rolecall.yaml"
    path.write_text(path.read_text() + "idp_groups: {Marketing: {role: member, teams: [Marketing]}}\n")
    report = json.loads(output(capsys, command, "--format", "json"))
    assert report["coverage"]["teams"]["changed_since"] == {"at": CHANGED.isoformat(), "by": "ann@acme.com"}
    assert "people" not in report["coverage"] or "changed_since" not in report["coverage"]["people"]
    text = " ".join(output(capsys, command, "--detailed-exitcode", code=Exit.UNSEEN).split())
    assert f"Teams were changed by ann@acme.com on {CHANGED.day} {CHANGED:%b %Y}" in text
    assert "rolecall observe --only teams" in text


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_records_that_may_be_about_anything_are_counted(repo: Path, capsys: Capture, org: Faulty, command: str) -> None:
    """Those that cannot be evaluated, and those with an action that no one documented; documented ones are not."""
    whatever = {"area": "Provisioning", "action": "Changed"}
    before = (READ - timedelta(minutes=1)).isoformat()
    org.answer = export(
        [
            changed(1, area="Style guide", action="Created term"),
            changed(2, **whatever),
            changed(3, **whatever),
            changed(4, result=None),
            record(5, createdAt=None),
            record(6, createdAt=before, **whatever),
            changed(7, **whatever, result="FAILURE"),
        ]
    )
    warnings = {item["code"]: item for item in json.loads(output(capsys, command, "--format", "json"))["warnings"]}
    assert "2 records of the audit log could not be evaluated (no time: 1, unknown result: 1)" in str(warnings)
    assert warnings["audit_unlisted"]["message"] == (
        "2 records of the audit log have actions that are not documented by WRITER, so it is unknown what they changed"
    )
    text = " ".join(output(capsys, command).split())
    assert "2 records of the audit log have actions" in text
    assert "2 records of the audit log could not be evaluated" in text


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_the_log_of_another_organization_is_not_used(repo: Path, capsys: Capture, org: Faulty, command: str) -> None:
    org.answer = export([changed(1, organizationId=815)])
    report = json.loads(output(capsys, command, "--format", "json"))
    assert "changed_since" not in report["coverage"]["sso"]
    assert f"the records are those of organization 815, but `audit.writer` is {WRITER}" in str(report["warnings"])
    assert stored(repo) == 0
    org.answer = export([changed(1, organizationId=int(WRITER))])
    assert SAID in output(capsys, command)


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_a_log_that_cannot_be_read_is_a_warning(
    repo: Path, capsys: Capture, org: Faulty, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    org.answer = lambda _: error(401, "revoked")
    warnings = json.loads(output(capsys, command, "--format", "json"))["warnings"]
    assert "the audit log was not read: WRITER's audit log does not accept the token" in str(warnings)
    monkeypatch.delenv("KEY")
    assert "KEY is not set" in output(capsys, command, "--format", "json")


def test_users_are_hidden(repo: Path, capsys: Capture) -> None:
    text = output(capsys, "plan", "--people", "counts", "--format", "json")
    assert "ann@acme.com" not in text
    assert "SSO was changed by 1 user on" in text


def test_the_metric_and_the_notice_once(repo: Path, capsys: Capture, org: Faulty) -> None:
    with webhook() as hook:
        for _ in range(2):
            output(capsys, "drift", "--metrics-file", "m.prom", "--notify", f"slack:{hook.url}", "--people", "names")
        assert re.search(r"^rolecall_changed_since_read\S* 1$", Path("m.prom").read_text(), re.MULTILINE)
        org.answer = export([])
        snapshot = json.loads(Path("org.json").read_text())
        Path("org.json").write_text(json.dumps({**snapshot, "taken_at": datetime.now(UTC).isoformat()}))
        output(capsys, "drift", "--metrics-file", "m.prom", "--notify", f"slack:{hook.url}")
        posted = [text for text in hook.texts if "changed_since" in text or "SSO was changed" in text]
        assert "SSO was changed by ann@acme.com" in posted[0]
        assert "Cleared: sso (changed_since)" in posted[1]
        assert len(posted) == 2
    assert re.search(r"^rolecall_changed_since_read\S* 0$", Path("m.prom").read_text(), re.MULTILINE)


def test_a_plan_without_the_key_imports_no_audit_log(repo: Path) -> None:
    import subprocess
    import sys

    write(repo, None)
    code = (
        "import sys; from rolecall.cli.main import run; run(sys.argv[1:]);"
        "import json; print(json.dumps([name for name in sys.modules if 'rolecall' in name and 'audit' in name]))"
    )
    for command in (["validate"], ["plan"]):
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
        assert set(json.loads(done.stdout.splitlines()[-1])) <= {"rolecall.model.audit"}


def test_why_lists_the_records_about_a_user_and_stores_none(repo: Path, capsys: Capture, org: Faulty) -> None:
    about = {"area": "User", "action": "Role changed"}
    org.answer = export(
        [changed(1), changed(2, object="Bo@tiny.co", **about), changed(3, object="cy@tiny.co", **about)]
    )
    text = output(capsys, "why", "bo@tiny.co")
    assert "Audit log" in text
    assert "User: Role changed · Bo@tiny.co" in text
    assert "cy@tiny.co" not in text
    events = json.loads(output(capsys, "why", "bo@tiny.co", "--format", "json"))["events"]
    assert [event["object"] for event in events["records"]] == ["Bo@tiny.co"]
    assert "No records about this user." in output(capsys, "why", "ann@tiny.co")
    assert stored(repo) == 0


@pytest.mark.parametrize("spelling", ["bo@tiny.co", "BO@Tiny.co"])
def test_why_lists_stored_records_in_any_spelling(repo: Path, capsys: Capture, org: Faulty, spelling: str) -> None:
    names = ["Bo@tiny.co", "bo@TINY.co", "bob@tiny.co", "cy@tiny.co"]
    org.answer = export([changed(n, object=name, area="User", action="Removed") for n, name in enumerate(names)])
    output(capsys, "drift")
    assert stored(repo) == len(names)
    events = json.loads(output(capsys, "why", spelling, "--format", "json"))["events"]
    assert {event["object"] for event in events["records"]} == {*names[:2]}


def test_why_without_the_log(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = lambda _: error(403, "no")
    assert "The audit log was not read: WRITER's audit log does not allow" in output(capsys, "why", "bo@tiny.co")
    write(repo, None)
    assert "Audit log" not in output(capsys, "why", "bo@tiny.co")
    assert "events" not in json.loads(output(capsys, "why", "bo@tiny.co", "--format", "json"))
    assert "Audit log" not in output(capsys, "why", "--groups", "Admins")
