"""`audit`: whose log it shows, what it selects, stores and hides, and what its exit code says of the reading."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_exports import WRITER, asked_query, export, record
from cli_repo import SNAPSHOT, make_repo
from faulty_org import Faulty, error, faulty_org, reply

from rolecall.cli.main import run
from rolecall.errors import Exit

Capture = pytest.CaptureFixture[str]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RECORDS = [
    record(1),
    record(2, result="FAILURE"),
    record(3, area="Security", action="Updated domain management settings", object="acme.com"),
    record(4, area="User", action="Role changed", actor={"email": "cy@acme.com"}, object="bo@acme.com"),
    record(5, result=None),
]


@pytest.fixture
def org() -> Iterator[Faulty]:
    with faulty_org(export(RECORDS)) as served:
        yield served


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, org: Faulty) -> Path:
    """An observed org with an audit log."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "org.json").write_text(json.dumps({**SNAPSHOT, "taken_at": "2026-11-10T08:00:00Z"}))
    write(folder, f"audit: {{writer: {WRITER}, token: {{env: KEY}}, url: '{org.base}'}}\n")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("KEY", "canary-audit-key")
    for module in ("audit_log", "commands.audit", "session"):  # the first two import the name of the last one
        monkeypatch.setattr(f"rolecall.cli.{module}.now", lambda: NOW, raising=False)
    return folder


def write(folder: Path, more: str) -> None:
    text = "version: 1\norg: {name: tinyco, url: observed:org.json}\nsso: {enabled: true}\n"
    (folder / "rolecall.yaml").write_text(text + more, encoding="utf-8")


def output(capsys: Capture, *words: str, code: int = Exit.OK) -> str:
    capsys.readouterr()
    assert run(["audit", *words]) == code
    return capsys.readouterr().out


def ids(text: str) -> list[str]:
    return [json.loads(line)["id"] for line in text.splitlines()]


def test_records_are_listed_with_what_does_not_count(repo: Path, capsys: Capture) -> None:
    text = output(capsys)
    assert "tinyco: audit log of WRITER organization 4711" in text
    assert "12 Nov 2026, 09:01 UTC   ann@acme.com              Sign in: Enable password   sso" in text
    assert "(failed)" in text
    assert "Security: Updated domain management settings · acme.com   domains/acme.com" in text
    assert "(unknown result)" in text
    assert "5 records." in text
    assert "Without a record, nothing is known about them." in text


def test_what_cannot_be_evaluated_is_counted_on_stderr(repo: Path, capsys: Capture) -> None:
    assert run(["audit"]) == Exit.OK
    said = capsys.readouterr().err
    assert "1 record of the audit log could not be evaluated (unknown result: 1)" in said
    assert "rolecall audit --shape" in said


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), ["1", "2", "3", "4", "5"]),
        (("--address", "sso"), ["1", "2", "5"]),
        (("--address", "domains/*"), ["3"]),
        (("--address", "domains"), ["3"]),
        (("--address", "domains/acme.org"), []),
        (("--address", "dom*"), ["3"]),
        (("--address", "users"), ["4"]),
        (("--by", "CY@acme.com"), ["4"]),
        (("--by", "ann@*"), ["1", "2", "3", "5"]),
        (("--since", "2026-11-13"), []),
    ],
)
def test_filters(repo: Path, capsys: Capture, flags: tuple[str, ...], expected: list[str]) -> None:
    assert ids(output(capsys, "--raw", *flags)) == expected


def test_raw_records_are_as_received(repo: Path, capsys: Capture) -> None:
    assert output(capsys, "--raw").splitlines()[0] == json.dumps(RECORDS[0])


def test_shapes_have_no_values(repo: Path, capsys: Capture) -> None:
    lines = [json.loads(line) for line in output(capsys, "--shape").splitlines()]
    assert sum(line["records"] for line in lines) == 5
    assert "acme" not in json.dumps(lines)


def test_the_form_of_a_page_without_a_list_of_records(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = lambda _: reply({"auditTrail": {"ann@acme.com": 1}, "count": 2})
    assert run(["audit", "--shape"]) == Exit.ERROR
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"page": {"auditTrail": {"<key, 12>": "<integer>"}, "count": "<integer>"}}
    assert "it has no list of records; to see its form: rolecall audit --shape" in shown.err


def test_records_with_actions_that_are_not_in_the_table_are_counted(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = export([record(1), record(2, area="Document", action="Shared")])
    expected = "1 record has an action that is not documented by WRITER, so it is unknown what changed."
    assert expected in " ".join(output(capsys).split())
    org.answer = export([record(1), record(2, area="Style guide", action="Created term")])
    assert "not documented" not in output(capsys, "--by", "nobody@*")


def test_json_and_csv(repo: Path, capsys: Capture) -> None:
    body = json.loads(output(capsys, "--format", "json"))
    assert (body["org"], body["writer"], body["coverage"]["state"]) == ("tinyco", WRITER, "complete")
    assert (body["since"], body["read_at"], body["gaps"]) == ("2026-08-22T12:00:00Z", "2026-11-20T12:00:00Z", [])
    assert body["records"][3]["addresses"] == ["users"]
    rows = list(csv.DictReader(io.StringIO(output(capsys, "--format", "csv"))))
    assert [row["unrecognized"] for row in rows] == ["", "", "", "", "unknown result"]


@pytest.mark.parametrize("form", ["text", "json", "csv"])
def test_users_are_hidden_as_elsewhere(repo: Path, capsys: Capture, form: str) -> None:
    assert "@acme.com" not in output(capsys, "--format", form, "--people", "counts")
    masked = output(capsys, "--format", form, "--people", "masked")
    assert "@acme.com" not in masked
    assert "person-" in masked


def test_records_are_stored_and_the_next_reading_continues(repo: Path, capsys: Capture, org: Faulty) -> None:
    output(capsys)
    before = len(org.asked)
    assert ids(output(capsys, "--raw")) == ["1", "2", "3", "4", "5"]
    assert {asked_query(asked)["cursor"] for asked in org.asked[before:]} == {"5"}


def test_a_log_that_cannot_be_read_exits_with_1_and_lists_what_is_stored(
    repo: Path, capsys: Capture, org: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    output(capsys)
    org.answer = lambda _: error(401, "revoked")
    assert ids(output(capsys, "--raw", code=Exit.ERROR)) == ["1", "2", "3", "4", "5"]
    monkeypatch.delenv("KEY")
    assert run(["audit"]) == Exit.ERROR
    assert "the environment variable KEY is not set" in capsys.readouterr().err


def test_an_unread_log_without_stored_records_does_not_look_empty(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEY")
    assert run(["audit"]) == Exit.ERROR
    shown = capsys.readouterr()
    assert "0 stored records; the audit log was not read." in shown.out.splitlines()
    assert "0 records." not in shown.out
    assert "error: rolecall.yaml:4:23: the audit log was not read: the environment variable KEY is not set" in shown.err


def test_a_partially_read_log_is_named_as_such(repo: Path, capsys: Capture, org: Faulty) -> None:
    whole = export(RECORDS)
    org.answer = lambda asked: error(403) if "cursor" in asked_query(asked) else whole(asked)
    assert "2 records; the audit log was partially read." in output(capsys, code=Exit.UNSEEN).splitlines()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("dommains", "error: no record is about `dommains`; did you mean `domains`?"),
        ("dommains/acme.com", "error: no record is about `dommains/acme.com`; did you mean `domains`?"),
        ("xyz", "error: no record is about `xyz`; start it with one of: domains, defaults, sso, scim, idp_groups"),
        (
            "users/bo@acme.com",
            "error: records about `users` name no entries in their address; for all records about it: "
            "rolecall audit --address users",
        ),
    ],
)
def test_an_address_that_no_record_can_have(repo: Path, capsys: Capture, address: str, expected: str) -> None:
    assert run(["audit", "--address", address]) == Exit.USAGE
    shown = capsys.readouterr()
    assert shown.out == ""
    assert expected in shown.err


def test_a_log_that_is_read_in_part_exits_with_7(repo: Path, capsys: Capture, org: Faulty) -> None:
    whole = export(RECORDS)
    org.answer = lambda asked: error(403) if "cursor" in asked_query(asked) else whole(asked)
    assert ids(output(capsys, "--raw", code=Exit.UNSEEN)) == ["1", "2"]


def test_a_gap_exits_with_7(repo: Path, capsys: Capture, org: Faulty) -> None:
    output(capsys)
    whole = export([record(6, createdAt="2026-11-20T12:30:00Z")])
    org.answer = lambda asked: error(410) if asked_query(asked).get("cursor") == "5" else whole(asked)
    assert run(["audit"]) == Exit.UNSEEN
    assert "the audit log may lack records from 20 Nov 2026, 12:00 UTC to" in capsys.readouterr().err
    assert run(["audit", "--since", "2026-11-21"]) == Exit.OK


def test_records_that_are_no_longer_kept_are_a_gap(
    repo: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    output(capsys)
    later = NOW + timedelta(days=60)
    for module in ("session", "audit_log", "commands.audit"):
        monkeypatch.setattr(f"rolecall.cli.{module}.now", lambda: later, raising=False)
    assert run(["audit", "--since", "2026-10-12"]) == Exit.UNSEEN
    assert "may lack records from 12 Oct 2026, 00:00 UTC to 21 Oct 2026, 12:00 UTC" in capsys.readouterr().err
    assert run(["audit"]) == Exit.OK


def test_follow_reports_a_gap(repo: Path, capsys: Capture, org: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = export([record(6, createdAt="2026-11-20T12:30:00Z", result=None)])
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        org.answer = lambda asked: error(410) if asked_query(asked).get("cursor") == "5" else whole(asked)
        if len(naps) == 2:
            raise KeyboardInterrupt

    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds, *rest: sleep(seconds) if seconds == 30 else real(seconds))
    assert run(["audit", "--follow"]) == Exit.INTERRUPTED
    reported = capsys.readouterr().err
    assert reported.count("the audit log may lack records from 20 Nov 2026, 12:00 UTC") == 1
    assert reported.count("1 record of the audit log could not be evaluated (unknown result: 1)") == 2


def test_follow_prints_new_records(repo: Path, capsys: Capture, org: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    more = [*RECORDS, record(6, createdAt="2026-11-20T11:59:00Z")]
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        org.answer = export(more)
        if len(naps) == 3:
            raise KeyboardInterrupt

    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds, *rest: sleep(seconds) if seconds == 30 else real(seconds))
    assert ids(output(capsys, "--raw", "--follow", code=Exit.INTERRUPTED)) == ["1", "2", "3", "4", "5", "6"]
    assert naps == [30.0] * 3


@pytest.mark.parametrize("flags", [("--raw", "--shape"), ("--raw", "--format", "json"), ("--shape", "--format", "csv")])
def test_flags_that_do_not_fit(repo: Path, capsys: Capture, flags: tuple[str, ...]) -> None:
    output(capsys, *flags, code=Exit.USAGE)


def test_an_observed_org_without_a_log(repo: Path, capsys: Capture) -> None:
    write(repo, "")
    assert run(["audit"]) == Exit.ERROR
    assert "add `audit: {writer: ORG_ID" in capsys.readouterr().err


def test_a_local_org_has_its_own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(make_repo(tmp_path / "repo"))
    assert run(["apply", "--auto-approve"]) == Exit.OK
    text = output(capsys, "--address", "idp_groups/*")
    assert "idp_groups: updated · Marketing   idp_groups/Marketing" in text
    body: Any = json.loads(output(capsys, "--format", "json", "--address", "idp_groups/*"))
    assert (body["writer"], len(body["records"])) == (None, 1)


def test_no_secret_is_shown_or_stored(repo: Path, capsys: Capture) -> None:
    run(["-vv", "audit"])
    shown = capsys.readouterr()
    files = b"".join(path.read_bytes() for path in repo.rglob("*") if path.is_file())
    assert "canary-audit-key" not in shown.out + shown.err
    assert b"canary-audit-key" not in files


def test_it_is_kept_for_as_long_as_configured(repo: Path, capsys: Capture, org: Faulty) -> None:
    write(repo, f"audit: {{writer: {WRITER}, token: {{env: KEY}}, keep: 5d, url: '{org.base}'}}\n")
    assert output(capsys, "--raw") == ""
    assert asked_query(org.asked[0])["start_date"] == (NOW - timedelta(days=5)).isoformat().replace("+00:00", "Z")


def test_a_user_who_is_not_named_by_email_is_hidden(repo: Path, capsys: Capture, org: Faulty) -> None:
    org.answer = export([record(1, area="User", action="Invited", object="Bo Smith", actor="Ann Jones")])
    text = output(capsys, "--people", "counts")
    assert "Smith" not in text
    assert "Jones" not in text


PAGE = (Path(__file__).resolve().parents[3] / "docs" / "howto" / "audit.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.partition("#")[0].partition(">")[0])
    for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_commands_of_the_guide(repo: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert words[:2] == ["rolecall", "audit"]
    real = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds, *more: interrupted() if seconds == 30 else real(seconds))
    assert run(words[1:]) == (Exit.INTERRUPTED if "--follow" in words else Exit.OK)


async def interrupted() -> None:
    raise KeyboardInterrupt
