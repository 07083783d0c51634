"""Test an auditor's question: who was org admin on a day, by which mapping, run and approval."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from workbench import MARKETING, NOW, Workbench

from rolecall.desired.build import read_config
from rolecall.errors import Misuse, Where
from rolecall.jobs.memory import record_reading
from rolecall.jobs.sightings import seen_at, when
from rolecall.model.desired import Desired, Intent
from rolecall.model.run import Approval, RunFacts
from rolecall.model.settings import GroupMapping, Settings
from rolecall.model.sighting import Sighting
from rolecall.report.builders.sightings import COLUMNS, record_document, sighting_json, sighting_table
from rolecall.report.line import plain
from rolecall.report.renderers.csv import csv_text
from rolecall.report.renderers.listing import listing_lines

ADMINS = GroupMapping("org_admin", frozenset({"IT"}))
TWO_IN_THE_MORNING = datetime(2026, 11, 24, 2, tzinfo=UTC)
AT = {"idp_groups/Writer-Admins": Intent(source=Where("rolecall.yaml", 9, 3))}


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """Marketing was made org admin by a reviewed change on the 24th, and taken back on the 26th."""
    made = Workbench(tmp_path)
    (tmp_path / "rolecall.yaml").write_text("version: 1\norg: {name: acme, url: local:org.db}\n")
    first = Desired(Settings(idp_groups={"Writer-Admins": ADMINS, "Writer-Marketing": MARKETING}), AT)
    made.apply(made.plan(first), now=lambda: NOW, facts=RunFacts("acme", commit="c0ffee" * 6))
    wide = Desired(Settings(idp_groups={"Writer-Admins": ADMINS, "Writer-Marketing": ADMINS}), AT)
    made.apply(
        made.plan(wide),
        now=lambda: TWO_IN_THE_MORNING,
        facts=RunFacts("acme", commit="1a2b3c4d" * 5, pull_request="41"),
        approvals=(Approval("dee@acme.com"),),
    )
    made.apply(made.plan(first), now=lambda: TWO_IN_THE_MORNING + timedelta(days=2), facts=RunFacts("acme"))
    return made


def asked(bench: Workbench, said: str, team: str | None = None, role: str | None = "org_admin"):
    moment = when(said)
    assert moment is not None
    with bench.journal() as journal:
        return seen_at(journal, read_config(bench.folder), moment, team, role)


def test_who_was_org_admin_on_that_day(bench):
    told = plain(listing_lines(record_document(asked(bench, "2026-11-24")))).splitlines()
    assert (
        told[0] == "acme (org_1): access recorded 24 Nov 2026, 02:00 UTC by run 2; next record 26 Nov 2026, 02:00 UTC"
    )
    assert told[1] == (
        "ann@acme.com                  org admin (org-wide, team IT) (group:Writer-Admins)  "
        "rolecall.yaml:9 · commit c0ffeec0 · run 1"
    )
    assert told[3].startswith("cy@acme.com")
    assert (
        "org admin (org-wide, team IT) (group:Writer-Marketing)  "
        "commit 1a2b3c4d · pull request 41 · approved by dee@acme.com · run 2" in told[3]
    )
    assert told[4:] == ["3 users.", "Users by role: org admin 3."]


def test_the_day_before_and_the_day_after(bench):
    assert [row.holding.email for row in asked(bench, "2026-11-23").evidence] == ["ann@acme.com", "bo@acme.com"]
    assert len(asked(bench, "2026-11-25T23:59:59+00:00").evidence) == 3
    last = asked(bench, "2026-12-31")
    assert len(last.evidence) == 2
    assert plain(listing_lines(record_document(last))).splitlines()[0].endswith("by run 3; no later record")
    assert asked(bench, "2026-11-24T01:59:59").sighting.run == 1


def test_nobody_had_looked_yet(bench):
    with pytest.raises(Misuse, match="the first is from 22 Nov 2026, 12:00 UTC \\(run 1\\)"):
        asked(bench, "2026-11-21")
    with pytest.raises(Misuse, match="name only users with a role above member"):
        asked(bench, "2026-11-24", role="member")
    with pytest.raises(Misuse, match="rolecall snapshot --record"):
        seen_at(None, read_config(bench.folder), when("2026-11-21"), None, None)


def test_the_evidence_names_the_run_and_the_hash_that_history_checks(bench):
    found = asked(bench, "2026-11-24")
    rows = list(csv.DictReader(io.StringIO(csv_text(sighting_table(found)))))
    assert tuple(rows[0]) == COLUMNS
    (cy,) = [row for row in rows if row["email"] == "cy@acme.com"]
    assert (cy["mapping"], cy["pull_request"], cy["approved_by"], cy["run"]) == (
        "idp_groups/Writer-Marketing",
        "41",
        "dee@acme.com",
        "2",
    )
    with bench.journal() as journal:
        assert journal.verify("org_1").problems == ()
        assert {row["hash"] for row in rows} == {seen.hash for seen in journal.sightings("org_1") if seen.run == 2}
    said = json.loads(sighting_json(found))
    assert [row["email"] for row in said["people"]] == ["ann@acme.com", "bo@acme.com", "cy@acme.com"]
    assert said["people"][2]["combos"][0]["reason"] == "group:Writer-Marketing"


def test_a_sighting_that_was_tampered_with_is_found(bench):
    import sqlite3

    database = sqlite3.connect(bench.folder / bench.journal_name)
    body = database.execute("SELECT body FROM rolecall_entries WHERE kind = 'sighting' AND run = 2").fetchone()[0]
    database.execute(
        "UPDATE rolecall_entries SET body = ? WHERE kind = 'sighting' AND run = 2", (body.replace("cy@", "xx@"),)
    )
    database.commit()
    database.close()
    with bench.journal() as journal:
        assert [problem.code for problem in journal.verify("org_1").problems] == ["journal_tampered"]


def test_an_incomplete_sighting_says_so(bench):
    at = TWO_IN_THE_MORNING + timedelta(days=5)
    with bench.journal() as journal:
        record_reading(journal, "org_1", "snapshot", RunFacts("acme"), Sighting(at, complete=False))
    assert "this list may be incomplete" in plain(listing_lines(record_document(asked(bench, "2026-11-30"))))


@pytest.mark.parametrize("said", ["live", "desired", "plan.json", "2026-13-01", "yesterday"])
def test_what_is_no_date_is_no_date(said):
    assert when(said) is None
