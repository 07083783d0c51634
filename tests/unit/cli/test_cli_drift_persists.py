"""Test that a drift check does not change what the next one reports."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import meddler
import pytest
from cli_repo import CONFIG, make_repo

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.jobs.memory import acknowledge
from rolecall.journal.opened import open_journal
from rolecall.model.run import RunFacts
from rolecall.plan.saved.digest import canonical
from rolecall.schema_files import schema_text

Capture = pytest.CaptureFixture[str]
OPEN = CONFIG.replace("manage: {idp_groups: authoritative}\n", "") + "watch: {roles: [org_admin]}\n"
ADMIN = {"role": "org_admin", "teams": ["Brand"]}
VOLATILE = ("at", "requests")


@pytest.fixture
def org(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Path:
    made = make_repo(tmp_path / "repo", OPEN)
    monkeypatch.chdir(made)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    with meddler.idp(made / "org.db") as idp:
        idp.joins("ed@tiny.co", "Marketing")
        idp.moves("di@tiny.co", into="Admins")
        idp.renames("Marketing", "Writer-Marketing")
        idp.pushes("Sales")
    meddler.remap(made / "org.db", "bo@tiny.co", "Writer-Marketing", {"role": "team_admin", "teams": ["Brand"]})
    meddler.by_console(made / "org.db", "bo@tiny.co", "Sales", ADMIN)
    capsys.readouterr()
    return made / "org.db"


def check(capsys: Capture, *args: str) -> dict[str, Any]:
    capsys.readouterr()
    run(["drift", "--format", "json", *args])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, json.loads(schema_text("drift.schema.json")))
    return {key: value for key, value in document.items() if key not in VOLATILE}


def fingerprints(document: dict[str, Any]) -> list[str]:
    admins = document["people"]["new_org_admins"]
    return sorted(row["fingerprint"] for row in (*document["drift"], *document["alarms"], *admins))


def test_every_check_reports_the_same(org: Path, capsys: Capture) -> None:
    first = check(capsys)
    assert len(fingerprints(first)) == 4
    assert first["people"]["joined"] == 1
    assert first["groups"]["arrived"] == ["Sales"]
    assert [row["was"] for row in first["groups"]["renamed"]] == ["Marketing"]
    for _ in range(2):
        assert check(capsys) == first


def test_an_apply_settles_what_the_idp_did(org: Path, capsys: Capture) -> None:
    check(capsys)
    assert run(["apply", "--auto-approve"]) == Exit.OK
    after = check(capsys)
    assert fingerprints(after) == []
    assert after["groups"]["arrived"] == after["groups"]["renamed"] == []


def test_an_accept_settles_what_it_wrote(org: Path, capsys: Capture) -> None:
    before = check(capsys)
    assert run(["drift", "--accept", "--approve", "0000"]) != Exit.OK
    assert check(capsys) == before


def test_acknowledged_findings_are_apart_with_who_and_why(org: Path, capsys: Capture) -> None:
    before = check(capsys)
    names = fingerprints(before)
    flags = [word for name in names for word in ("--acknowledge", name)]
    assert run(["drift", "--detailed-exitcode", *flags, "--reason", "INC-7, <b>agreed</b>"]) == Exit.OK
    out = capsys.readouterr().out
    assert "  No drift." in out
    assert out.count(": INC-7, <b>agreed</b>") == len(names)
    after = check(capsys)
    assert fingerprints(after) == []
    assert sorted(row["fingerprint"] for row in after["acknowledged"]) == names
    assert {row["reason"] for row in after["acknowledged"]} == {"INC-7, <b>agreed</b>"}
    assert all(row["by"] and row["run"] for row in after["acknowledged"])
    assert run(["drift", "--detailed-exitcode"]) == Exit.OK
    with open_journal("sqlite:.rolecall/journal.db", org.parent) as journal:
        runs = journal.runs("org_1", kinds=("acknowledge",))
        assert sorted((run.message or "").split()[1].rstrip(":") for run in runs) == names
        assert journal.verify("org_1").problems == ()
    assert run(["drift", "--acknowledge", names[0], "--reason", "again"]) == Exit.USAGE


def test_another_change_is_another_finding_and_an_apply_ends_an_acknowledgement(org: Path, capsys: Capture) -> None:
    for name in fingerprints(check(capsys)):
        assert run(["drift", "--acknowledge", name, "--reason", "known"]) == Exit.OK
    meddler.remap(org, "bo@tiny.co", "Writer-Marketing", {"role": "team_admin", "teams": ["Marketing"]})
    assert [row["address"] for row in check(capsys)["drift"]] == ["idp_groups/Writer-Marketing"]
    meddler.remap(org, "bo@tiny.co", "Writer-Marketing", {"role": "team_admin", "teams": ["Brand"]})
    assert check(capsys)["drift"] == []
    assert run(["apply", "--auto-approve"]) == Exit.OK
    meddler.remap(org, "bo@tiny.co", "Writer-Marketing", {"role": "team_admin", "teams": ["Brand"]})
    assert [row["address"] for row in check(capsys)["drift"]] == ["idp_groups/Writer-Marketing"]


def of_0_1_0(row: dict[str, Any], at: str) -> str:
    """The fingerprint that 0.1.0 gave a drift, by its address."""
    return sha256(canonical([at, row["class"], row["last"], row["desired"], row["live"]])).hexdigest()[:16]


def drifted(document: dict[str, Any], at: str) -> dict[str, Any]:
    row: dict[str, Any] = next(row for row in document["drift"] if row["address"] == at)
    return row


def test_a_rename_does_not_bring_an_acknowledged_finding_back(org: Path, capsys: Capture) -> None:
    before = check(capsys)
    for name in fingerprints(before):
        assert run(["drift", "--acknowledge", name, "--reason", "known"]) == Exit.OK
    with meddler.idp(org) as idp:
        idp.renames("Writer-Marketing", "Writer-Marketing-2")
        idp.renames("Sales", "Sales-2")
    after = check(capsys)
    assert fingerprints(after) == []
    assert sorted(row["fingerprint"] for row in after["acknowledged"]) == fingerprints(before)


@pytest.mark.parametrize("name", ["Writer-Marketing", "Marketing"])
@pytest.mark.parametrize("flag", [True, False])
def test_the_fingerprint_that_0_1_0_gave_a_finding_goes_on_to_count(
    org: Path, capsys: Capture, name: str, flag: bool
) -> None:
    """Under the name that the group has, and the one that it had at the last apply."""
    row = drifted(check(capsys), "idp_groups/Writer-Marketing")
    old = of_0_1_0(row, f"idp_groups/{name}")
    assert old in row["former_fingerprints"]
    if flag:
        assert run(["drift", "--acknowledge", old, "--reason", "known"]) == Exit.OK
    else:
        with open_journal("sqlite:.rolecall/journal.db", org.parent) as journal:
            acknowledge(journal, "org_1", RunFacts(actor="ann"), [old], "known")
    after = check(capsys)
    assert [row["address"] for row in after["drift"]] == ["idp_groups/Sales"]
    assert [known["fingerprint"] for known in after["acknowledged"]] == [row["fingerprint"]]


def test_settings_without_an_id_keep_the_fingerprint_of_0_1_0(org: Path, capsys: Capture) -> None:
    meddler.put(org, "bo@tiny.co", "/v1/access/defaults", teams=["Brand"])
    row = drifted(check(capsys), "defaults")
    assert (row["fingerprint"], row["former_fingerprints"]) == (of_0_1_0(row, "defaults"), [])


def test_a_note_without_its_run_counts_for_nothing(org: Path, capsys: Capture) -> None:
    before = check(capsys)
    with open_journal("sqlite:.rolecall/journal.db", org.parent) as journal:
        newest = journal.runs("org_1", 1)[0].id
        journal.keep("org_1", "drift.acknowledged", dict.fromkeys(fingerprints(before), newest))
    assert check(capsys) == before


@pytest.mark.parametrize(
    "args",
    [
        ["--acknowledge", "0123456789abcdef"],
        ["--reason", "x"],
        ["--acknowledge", "0123456789abcdef", "--reason", " "],
        ["--acknowledge", "0123456789abcdef", "--reason", "x"],
        ["--acknowledge", "0123456789abcdef", "--reason", "x", "--baseline", "live.json"],
    ],
)
def test_what_is_no_finding_is_refused(org: Path, capsys: Capture, args: list[str]) -> None:
    assert run(["drift", *args]) == Exit.USAGE
    with open_journal("sqlite:.rolecall/journal.db", org.parent) as journal:
        assert journal.runs("org_1", kinds=("acknowledge",)) == ()


def test_a_standing_limit_cannot_be_acknowledged(org: Path, capsys: Capture) -> None:
    config = Path("rolecall.yaml")
    config.write_text(config.read_text().replace("guards: {", "guards: {min_org_admins: 9, "), encoding="utf-8")
    (alarm,) = (row for row in check(capsys)["alarms"] if row["kind"] == "limit")
    assert run(["drift", "--acknowledge", alarm["fingerprint"], "--reason", "x"]) == Exit.USAGE
    assert "is a policy limit or an access test" in capsys.readouterr().err


def test_a_group_that_has_only_just_arrived_is_no_drift_from_a_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    text = CONFIG.replace("guards:", "  Sales: {role: member, teams: [Marketing]}\nguards:").replace(
        "[Brand]", "[Marketing]"
    )
    made = make_repo(tmp_path / "repo", text)
    monkeypatch.chdir(made)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@tiny.co"]
    for command in (["init", "-q"], ["add", "rolecall.yaml"], ["commit", "-q", "-m", "start"]):
        subprocess.run([*git, *command], check=True)
    assert check(capsys, "--baseline", "git:HEAD")["drift"] == []
    with meddler.idp(made / "org.db") as idp:
        idp.pushes("Sales")
    document = check(capsys, "--baseline", "git:HEAD")
    assert document["drift"] == []
    assert [(row["address"], row["class"]) for row in document["beside"]] == [("idp_groups/Sales", "unapplied")]
    meddler.remap(made / "org.db", "bo@tiny.co", "Sales", {"role": "member", "teams": ["Marketing"]})
    meddler.remap(made / "org.db", "bo@tiny.co", "Sales", None)
    assert [row["class"] for row in check(capsys, "--baseline", "git:HEAD")["drift"]] == ["console"]
    with meddler.idp(made / "org.db") as idp:
        idp.drops("Sales")
    assert [row["address"] for row in check(capsys, "--baseline", "git:HEAD")["drift"]] == ["idp_groups/Sales"]
