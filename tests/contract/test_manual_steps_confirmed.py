"""An admin takes the manual steps of an observed org on the console, and WRITER's audit log confirms them.

The console and the export are those of a local org; the export is read over a socket.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import connect
from typing import Any, NamedTuple

import pytest
from live_site import ACME, Site, served, site_template
from test_console_pages import Visitor

from rolecall.cli.main import run
from rolecall.errors import Exit
from rolecall.journal.opened import find_journal
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

__all__ = ["site_template"]
Capture = pytest.CaptureFixture[str]
CONFIG = """\
version: 1
org: {{name: acme, url: observed:org.json}}
domains: {{acme.com: {{discoverable: true, join: immediate}}, acme.co.uk: {{}}}}
sso: {{enabled: true, allow_passwords: {passwords}}}
idp_groups: {{Marketing: {{role: member, teams: [{team}]}}}}
audit: {{writer: {writer}, token: {{env: KEY}}, url: '{url}'}}
guards: {{max_people_losing_access: {{review: 100%, block: 100%}}}}
"""
MOMENT = r"\d{1,2} \w{3} \d{4}, \d\d:\d\d UTC"


class World(NamedTuple):
    """A repo of an observed org, and the org that its admin works on."""

    folder: Path
    site: Site
    capture: Capture

    def configure(self, passwords: str = "true", team: str = "Legal", writer: str = "org_8817") -> None:
        text = CONFIG.format(passwords=passwords, team=team, writer=writer, url=self.site.base)
        (self.folder / "rolecall.yaml").write_text(text, encoding="utf-8")

    def rolecall(self, *words: str, code: int = Exit.OK) -> str:
        """What a command prints."""
        self.capture.readouterr()
        assert run([*words]) == code, self.capture.readouterr().err
        return self.capture.readouterr().out

    def observe(self, **changes: Any) -> None:
        """The file of the org, as if it was read now."""
        snapshot = {**ACME, **changes, "taken_at": datetime.now(UTC).isoformat()}
        (self.folder / "org.json").write_text(json.dumps(snapshot), encoding="utf-8")

    def apply(self) -> None:
        """Begin a run with the manual steps."""
        digest = json.loads(self.rolecall("plan", "--format", "json"))["digest"]
        self.rolecall("apply", "--approve", digest, code=Exit.HUMAN)

    def allow_passwords(self, allowed: bool = True, by: str = "ann@acme.com") -> None:
        sso = {"enabled": "on", "name": "Okta", "idp": "okta", **({"allow_passwords": "on"} if allowed else {})}
        assert self.admin(by).submit("/admin/sso/sso", "/admin/sso", **sso).status == 303

    def admit_at_once(self) -> None:
        where = "/admin/access/domains/acme.com"
        fields = {"discoverable": "on", "join": "immediate"}
        assert self.admin().submit(where, "/admin/access", **fields).status == 303

    def admin(self, email: str = "ann@acme.com") -> Visitor:
        return Visitor(self.site.database, make_token(self.site.database, "admin", email=email).secret)

    def steps(self, number: int = 1) -> dict[str, Any]:
        """The steps of a run by address, as JSON."""
        (shown,) = json.loads(self.rolecall("history", str(number), "--format", "json"))["runs"]
        return {step["address"]: step for step in shown["steps"]}


@pytest.fixture
def world(tmp_path: Path, site_template: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Iterator[World]:
    path, folder = tmp_path / "org.db", tmp_path / "repo"
    folder.mkdir()
    shutil.copy(site_template, path)
    database = open_database(path)
    with served(database, "http") as base:
        made = World(folder, Site("http", database, path, base), capsys)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("KEY", make_token(database, "admin", email="ann@acme.com").secret)
        made.observe()
        made.configure()
        yield made
    database.close()


SSO, DOMAIN, GROUP = "sso", "domains/acme.com", "idp_groups/Marketing"


def test_a_change_before_the_report_confirms_the_step(world: World) -> None:
    world.apply()
    steps = {step["address"]: step["step"] for step in world.steps().values()}
    world.allow_passwords()
    world.admit_at_once()
    text = world.rolecall("done", "1", "all", "--by", "Ann@acme.com")
    assert len(re.findall(rf"Confirmed by the audit log: ann@acme\.com, {MOMENT}\.", text)) == 2
    assert "This kind of change is not logged." in text
    listed = world.rolecall("history", "1")
    assert re.search(
        rf"{SSO} +confirmed +by Ann@acme\.com · confirmed by the audit log: ann@acme\.com, {MOMENT}", listed
    )
    assert re.search(rf"{GROUP} +reported done +by Ann@acme\.com · this kind of change is not logged", listed)
    found = {address: step["audit"] for address, step in world.steps().items()}
    assert {address: audit["status"] for address, audit in found.items()} == {
        SSO: "confirmed",
        DOMAIN: "confirmed",
        GROUP: "not_logged",
    }
    (proof,) = found[SSO]["records"]
    assert (proof["actor"], proof["action"], proof["addresses"]) == (
        "ann@acme.com", "Enable password", ["sso.allow_passwords"],
    )  # fmt: skip
    assert proof["with_values"]
    assert found[SSO]["writer"] == "org_8817"
    assert not found[DOMAIN]["records"][0]["with_values"]
    assert world.steps()[SSO]["state"] == "attested"
    assert re.search(rf"confirmed by the audit log: ann@acme\.com, {MOMENT}", world.rolecall("show", "1"))
    runbook = world.rolecall("runbook", "1")
    assert re.search(
        rf"Status: Reported done by Ann@acme.com on .*; confirmed by the audit log: ann@acme.com, {MOMENT}", runbook
    )
    assert steps.keys() == found.keys()


def test_a_change_after_the_report_is_confirmed_by_the_next_reading(world: World) -> None:
    world.apply()
    text = world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert "Not in the audit log yet." in text
    assert "Reported done; rolecall cannot read this org to verify it." in text
    assert world.steps()[SSO]["audit"]["status"] == "not_in_log"
    world.allow_passwords()
    world.capture.readouterr()
    assert run(["audit"]) == Exit.OK
    assert re.search(
        rf"Step \d of run 1 \(sso\) is confirmed by the audit log: ann@acme.com, {MOMENT}",
        world.capture.readouterr().err,
    )
    assert world.steps()[SSO]["audit"]["status"] == "confirmed"
    assert world.steps()[DOMAIN]["audit"]["status"] == "not_in_log"
    world.admit_at_once()
    world.rolecall("drift")
    assert world.steps()[DOMAIN]["audit"]["status"] == "confirmed"


def test_plan_why_and_show_confirm_nothing(world: World) -> None:
    world.apply()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    world.allow_passwords()
    before = entries(world)
    world.rolecall("plan")
    world.rolecall("show", "1")
    world.rolecall("why", "bo@acme.com")
    world.rolecall("runbook", "1")
    assert entries(world) == before
    assert world.steps()[SSO]["audit"]["status"] == "not_in_log"


def outdated(world: World, command: str = "plan") -> list[str]:
    """The sections that were changed after they were read, as a report has it."""
    coverage = json.loads(world.rolecall(command, "--format", "json"))["coverage"]
    return [name for name, part in coverage.items() if part.get("changed_since")]


def test_a_step_that_is_confirmed_does_not_make_its_section_out_of_date(world: World) -> None:
    """The file has its value. Another change of the section does, and so does a step that is not confirmed yet."""
    world.apply()
    world.allow_passwords()
    world.admit_at_once()
    assert set(outdated(world)) == {SSO, "domains"}
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert [outdated(world, command) for command in ("plan", "drift")] == [[], []]
    world.allow_passwords(False)
    assert [outdated(world, command) for command in ("plan", "drift")] == [[SSO], [SSO]]
    world.allow_passwords()
    assert outdated(world) == [SSO]


def test_a_step_that_another_user_made_leaves_its_section_out_of_date(world: World) -> None:
    world.apply()
    world.allow_passwords()
    world.rolecall("done", "1", "all", "--by", "bo@acme.com")
    assert outdated(world) == [SSO]


def test_a_confirmed_step_of_another_value_leaves_its_section_out_of_date(world: World) -> None:
    world.apply()
    step = world.steps()[SSO]["step"]
    world.allow_passwords()
    world.rolecall("done", "1", step, "--by", "ann@acme.com", code=Exit.HUMAN)
    assert outdated(world) == []
    world.rolecall("done", "1", step, "--found", "{allow_passwords: false}", code=Exit.HUMAN)
    assert outdated(world) == [SSO]


def test_show_reads_on_and_stores_nothing(world: World) -> None:
    world.apply()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    world.allow_passwords()
    stored = records(world)
    line = rf"{SSO} +confirmed +by ann@acme\.com · confirmed by the audit log: ann@acme\.com, {MOMENT}"
    assert re.search(line, world.rolecall("show", "1"))
    assert not re.search(line, world.rolecall("history", "1"))
    assert records(world) == stored


def test_show_without_the_log_shows_what_is_stored_and_warns(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.apply()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    shown = world.rolecall("show", "1")
    assert "not in the audit log yet" in shown
    monkeypatch.delenv("KEY")
    world.capture.readouterr()
    assert run(["show", "1"]) == Exit.OK
    again = world.capture.readouterr()
    assert "not in the audit log yet" in again.out
    assert "the audit log was not read: the environment variable KEY is not set" in again.err
    assert "confirmations are as of the last reading" in again.err


def test_show_reads_no_log_for_a_run_whose_steps_are_confirmed(world: World) -> None:
    world.configure(team="Marketing")
    world.apply()
    world.allow_passwords()
    world.admit_at_once()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert {step["audit"]["status"] for step in world.steps().values()} <= {"confirmed", "not_logged"}
    world.configure(team="Marketing", writer="org_8817")
    (world.folder / "rolecall.yaml").write_text(
        re.sub(r"url: 'http[^']*'", "url: 'http://127.0.0.1:1'", (world.folder / "rolecall.yaml").read_text())
    )
    world.capture.readouterr()
    assert run(["show", "1"]) == Exit.OK
    assert world.capture.readouterr().err == ""


def records(world: World) -> tuple[Any, ...]:
    """What the journal stores of the log: its records, and how far it was read."""
    journal = find_journal("sqlite:.rolecall/journal.db", world.folder)
    assert journal is not None
    with journal:
        return journal.audit.records("org_8817"), journal.audit.position("org_8817"), entries(world)


def entries(world: World) -> int:
    journal = find_journal("sqlite:.rolecall/journal.db", world.folder)
    assert journal is not None
    with journal:
        chain = journal.verify("org_8817")
        assert chain.problems == ()
        return chain.entries


def test_a_change_by_another_admin_is_named_and_does_not_confirm(world: World) -> None:
    world.apply()
    world.allow_passwords(by="ann@acme.com")
    text = world.rolecall("done", "1", "all", "--by", "bo@acme.com")
    assert re.search(rf"The audit log has another user: ann@acme\.com, {MOMENT}", text)
    assert world.steps()[SSO]["audit"]["status"] == "another_actor"


def test_a_change_that_was_undone_before_the_report_does_not_confirm(world: World) -> None:
    world.apply()
    world.allow_passwords()
    world.allow_passwords(False)
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    found = world.steps()[SSO]["audit"]
    assert found["status"] == "unclear"
    assert "sso.allow_passwords was changed again by ann@acme.com" in found["problem"]


def test_two_runs_with_the_same_step_are_each_confirmed_by_their_own_change(world: World) -> None:
    world.apply()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    world.observe()
    world.apply()
    world.allow_passwords()
    world.rolecall("done", "2", "all", "--by", "ann@acme.com")
    assert world.steps(1)[SSO]["audit"]["status"] == "not_in_log"
    assert world.steps(2)[SSO]["audit"]["status"] == "confirmed"


def test_a_key_of_another_organization_proves_nothing(world: World) -> None:
    world.configure(writer="org_other")
    world.apply()
    world.allow_passwords()
    text = world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert "Not confirmed: the audit log was not read: WRITER's audit log does not allow" in text
    assert "ot in the audit log" not in text
    assert world.steps()[SSO]["audit"]["status"] == "unread"
    world.configure()
    assert world.steps()[SSO]["audit"] is None
    world.rolecall("audit")
    assert world.steps()[SSO]["audit"]["status"] == "confirmed"


def test_without_a_key_the_report_is_recorded_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.apply()
    monkeypatch.delenv("KEY")
    text = world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert "Not confirmed: the audit log was not read: the environment variable KEY is not set" in text
    assert "No manual step of the run is left." in text


def test_a_confirmation_outlives_the_records(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.apply()
    world.allow_passwords()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    journal = find_journal("sqlite:.rolecall/journal.db", world.folder, writes=True)
    assert journal is not None
    with journal:
        assert journal.audit.prune("org_8817", datetime(2100, 1, 1, tzinfo=UTC)) > 0
        assert journal.audit.records("org_8817") == ()
    assert world.steps()[SSO]["audit"]["status"] == "confirmed"
    assert world.steps()[DOMAIN]["audit"]["status"] == "unread"
    world.rolecall("history", "--verify")
    (world.folder / "rolecall.yaml").write_text(
        re.sub("audit:.*\n", "", (world.folder / "rolecall.yaml").read_text()), encoding="utf-8"
    )
    assert world.steps()[SSO]["audit"]["status"] == "confirmed"


def test_a_value_that_was_reported_instead_is_not_looked_up(world: World) -> None:
    world.apply()
    step = world.steps()[SSO]["step"]
    world.allow_passwords()
    world.rolecall("done", "1", step, "--by", "ann@acme.com", code=Exit.HUMAN)
    assert world.steps()[SSO]["audit"]["status"] == "confirmed"
    world.rolecall("done", "1", step, "--found", "{allow_passwords: false}", code=Exit.HUMAN)
    assert world.steps()[SSO]["audit"] is None


def test_a_later_report_by_another_user_is_not_confirmed_by_the_same_record(world: World) -> None:
    world.apply()
    step = world.steps()[SSO]["step"]
    world.allow_passwords()
    world.rolecall("done", "1", step, "--by", "ann@acme.com", code=Exit.HUMAN)
    (world.folder / "shot.png").write_bytes(b"a picture")
    world.rolecall("done", "1", step, "--by", "bo@acme.com", "--evidence", "shot.png", code=Exit.HUMAN)
    shown = world.steps()[SSO]
    assert (shown["by"], shown["audit"]["status"]) == ("bo@acme.com", "another_actor")
    assert shown["audit"]["records"][0]["actor"] == "ann@acme.com"


def test_a_damaged_record_does_not_hide_that_the_report_was_recorded(world: World) -> None:
    world.apply()
    world.allow_passwords()
    world.rolecall("audit")
    with closing(connect(world.folder / ".rolecall" / "journal.db")) as database:
        database.execute("UPDATE rolecall_audit SET body = '{}'")
        database.commit()
    world.capture.readouterr()
    assert run(["done", "1", "all", "--by", "ann@acme.com"]) == Exit.OK
    shown = world.capture.readouterr()
    assert "Recorded: step " in shown.out
    assert "its content was changed" in shown.err
    assert "onfirmed by the audit log" not in shown.out


def test_the_log_of_another_organization_is_named(world: World) -> None:
    """Its changes would confirm steps, if the key belongs to it. The writer is recorded, so that this is visible."""
    world.apply()
    world.allow_passwords()
    world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    world.configure(writer="org_other")
    assert world.steps()[SSO]["audit"]["writer"] == "org_8817"
    assert world.steps()[DOMAIN]["audit"] is None


def test_the_log_of_the_present_org_confirms_no_run_of_an_earlier_one(world: World) -> None:
    path = world.folder / "rolecall.yaml"
    path.write_text(re.sub("audit:.*\n", "", path.read_text()), encoding="utf-8")
    world.apply()
    world.configure()
    world.allow_passwords()
    world.observe(org={"id": "org_new", "name": "acme"})
    text = world.rolecall("done", "1", "all", "--by", "ann@acme.com")
    assert "onfirmed by the audit log" not in text
    world.rolecall("audit")
    assert {step["audit"] and step["audit"]["status"] for step in world.steps().values()} == {None}
