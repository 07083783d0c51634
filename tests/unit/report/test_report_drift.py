"""Test drift reports in every format, with names that try to break them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from drifts import NOW, A, L, M, event, inquiry

from rolecall.drift.scan import scan
from rolecall.drift.value import Basis
from rolecall.errors import Problem, Where
from rolecall.model.lineage import Blame
from rolecall.model.policy import Guards, Policy
from rolecall.report.builders.drift import COLUMNS, drift_document
from rolecall.report.builders.notice import notice_document, notice_text
from rolecall.report.findings import findings
from rolecall.report.line import plain
from rolecall.report.renderers.csv import csv as csv_of
from rolecall.report.renderers.github import github
from rolecall.report.renderers.gitlab import gitlab
from rolecall.report.renderers.html import html
from rolecall.report.renderers.junit import junit
from rolecall.report.renderers.markdown import markdown
from rolecall.report.renderers.sarif import sarif
from rolecall.report.renderers.text import document_lines

ODD = "G<b>|`x`\u202e @all\n:tada:"


@pytest.fixture
def found():
    """One drift by hand, one mapping not applied yet, too few org admins; odd names everywhere."""
    policy = Policy(guards=Guards(min_org_admins=3))
    made = inquiry(
        {ODD: M, "Later": L},
        {ODD: L, "Later": M},
        {ODD: M, "Later": M},
        policy,
        events={f"idp_groups/{ODD}": event(f"idp_groups/{ODD}", "eve<script>@acme.com")},
    )
    written = {f"idp_groups/{ODD}": Blame("1a2b3c4d" * 5, "Ann <b>", "ann@acme.com", NOW, "Map *it*")}
    return replace(scan(made).report, written=written)


@pytest.fixture
def document(found):
    return drift_document(found)


def test_text_names_the_org_first_then_what_moved_who_did_it_and_what_to_do(found, document):
    told = plain(document_lines(document)).splitlines()
    (drift,) = found.drifts
    assert told[0] == "LOCAL REHEARSAL, not WRITER · acme · prod · org_1 at local:org.db   all read: 3 groups, 4 users"
    assert told[1:3] == ["", "Summary"]
    assert told[3:5] == [
        "  Drift: 1 setting changed in the console. 1 change is not applied yet.",
        "  1 policy violation.",
    ]
    assert told[5] == "  Effect on users: No user's access changes. Org admins: 2, unchanged."
    text = "\n".join(told)
    assert "~ idp_groups/G<b>|`x`\\u202e @all\\n:tada:   teams: Marketing → Legal   rolecall.yaml:5" in text
    assert "Changed in the console by eve<script>@acme.com, 22 Nov 2026, 12:00 UTC (from 10.0.0.7)" in text
    assert "Config line written by Ann <b>, 22 Nov 2026: 1a2b3c4d Map *it*" in text
    assert "min_org_admins: 2 users are org admin; the minimum is 3" in text
    assert "  Changed in the config, not applied yet  1" in text
    assert told[-5:] == [
        "  To keep the drift, update the config: rolecall drift -e prod --accept",
        "  To revert the drift, save a plan: rolecall drift -e prod --revert --out revert.json",
        "  Then apply it: rolecall apply -e prod revert.json",
        "  To acknowledge it until the next apply: "
        f"rolecall drift -e prod --acknowledge {drift.fingerprint} --reason TEXT",
        "  To plan the changes that are not applied yet: rolecall plan -e prod",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_it_fits_the_terminal(document, width):
    told = plain(document_lines(document, width), width)
    assert all(len(line) <= width for line in told.splitlines() if not line.startswith("    rolecall"))


def test_without_drift_it_is_short():
    told = plain(document_lines(drift_document(scan(inquiry({"G": M}, {"G": M}, {"G": M})).report))).splitlines()
    assert told[1:] == [
        "",
        "Summary",
        "  No drift.",
        "  Compared with the last apply: run 1 (22 Nov 2026, 12:00 UTC).",
    ]


def test_markdown_shows_names_as_they_are_and_mentions_nobody(document):
    told = markdown(document)
    assert told.startswith("<!-- rolecall:drift:org_1:prod -->\n### 🔶 LOCAL REHEARSAL, not WRITER")
    assert told.count("<b>") == told.count("<summary>")
    assert "@all" not in told
    assert "<script>" not in told
    assert all(line.count("|") - line.count("\\|") == 5 for line in told.splitlines() if line.startswith("| <code>"))


def test_markdown_that_is_too_long_is_cut_and_says_so(document):
    assert len(markdown(document)) > 1_000
    told = markdown(document, 1_000)
    assert len(told) <= 1_000
    assert "omitted to stay within the size limit" in told


def test_html_lets_no_name_become_markup_and_nothing_in(document):
    told = html(document)
    assert "<b>" not in told
    assert "<script" not in told
    assert "eve&lt;script&gt;@acme.com" in told
    assert "default-src &#39;none&#39;" in told
    assert not re.search(r"(?:src|href)=(?!\"#)", told)


def test_findings_are_worst_first(document):
    assert [(item.level, item.rule) for item in findings(document)] == [
        ("error", "drift.limit"),
        ("warning", "drift.console"),
        ("note", "drift.unapplied"),
    ]
    assert github(document, "conf/").count("\n") == 3
    assert "file=conf/rolecall.yaml,line=5" in github(document, "conf/")
    assert json.loads(sarif(document))["runs"][0]["results"][1]["ruleId"] == "drift.console"


def test_that_drift_is_unknown_comes_before_every_other_finding(found):
    unknown = drift_document(replace(found, basis=Basis()))
    assert [item.rule for item in findings(unknown)][:2] == ["drift.undetermined", "drift.limit"]


def test_problems_are_told_with_their_place_the_errors_first_and_the_first_of_many(found):
    late = Problem("late", "it ends", Where("a.yaml", 3), "act", "warning")
    few = drift_document(replace(found, warnings=(late, Problem("no", "no answer"))))
    assert "- ⛔ no answer \n- ⚠️ it ends; act <code>a.yaml:3</code>\n" in markdown(few)
    assert "Errors and warnings\n  No answer\n  It ends   a.yaml:3\n    Act\n" in plain(document_lines(few))
    many = drift_document(replace(found, warnings=(late,) * 300))
    assert "280 more warnings; --format json has all of them" in plain(document_lines(many))
    assert "- 280 more warnings" in markdown(many)
    assert "100 more in the JSON report." in html(many)


def test_junit_fails_where_something_drifted(document):
    root = ElementTree.fromstring(junit(document))
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    clean = drift_document(scan(inquiry({"G": M}, {"G": M}, {"G": M})).report)
    assert ElementTree.fromstring(junit(clean)).get("failures") == "0"


def test_counts_for_gitlab(document):
    assert json.loads(gitlab(document)) == {"create": 0, "update": 1, "delete": 0}


def test_csv_has_a_line_an_address_and_no_formula(found):
    rows = list(csv.DictReader(io.StringIO(csv_of(drift_document(found)))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["class"], row["counts"]) for row in rows] == [("console", "yes"), ("unapplied", "no")]
    assert json.loads(rows[0]["live"]) == {"role": "member", "teams": ["Legal"]}


def test_a_notice_has_what_is_new_and_what_cleared(found):
    (row,) = found.drifts
    (alarm,) = found.alarms
    gone = [("f1", {"what": "sso", "kind": "console"})]
    told = notice_text(found, [row.fingerprint, alarm.fingerprint], gone).splitlines()
    assert told[0].startswith("LOCAL REHEARSAL, not WRITER · acme · prod · org_1")
    assert told[1].startswith("New drift: ~ idp_groups/G<b>|`x`\\u202e @all\\n:tada: teams: Marketing → Legal")
    assert told[2:] == [
        "Policy violation: min_org_admins: 2 users are org admin; the minimum is 3",
        "Cleared: sso (console)",
    ]
    document = notice_document(found, [row.fingerprint], gone)
    assert [item["address"] for item in document["new"]] == [f"idp_groups/{ODD}"]
    assert document["alarms"] == []
    assert document["cleared"] == [{"fingerprint": "f1", "what": "sso", "kind": "console"}]


def test_an_unmanaged_door_to_org_admin_is_a_warning_in_the_inventory():
    document = drift_document(scan(inquiry({}, {"X": A}, {})).report)
    assert any(note.tone == "warn" and "idp_groups/X" in note.text for note in document.inventory)


def test_what_is_not_applied_is_shown_as_an_apply_would_change_it():
    told = plain(document_lines(drift_document(scan(inquiry({"G": M, "W": L}, {"G": L}, {"G": L})).report)))
    assert (
        "Changed in the config, not applied yet  1\n  ~ idp_groups/G   teams: Legal → Marketing   rolecall.yaml:5\n"
        in told
    )
    assert (
        "has not pushed these groups yet  1\n  + idp_groups/W   role: member · teams: Legal   rolecall.yaml:6\n" in told
    )
    assert "  No drift. 1 change is pending. 1 change is not applied yet.\n" in told


def test_every_sink_for_people_says_how_to_keep_it_and_how_to_undo_it(document):
    for told in (plain(document_lines(document)), markdown(document), html(document)):
        assert "rolecall drift -e prod --accept" in told
        assert "rolecall apply -e prod revert.json" in told


def test_only_what_is_no_drift_has_a_title(document):
    rows = plain(document_lines(document)).splitlines()
    assert not any(row.split() == ["idp_groups", "1"] for row in rows)
    assert "  Changed in the config, not applied yet  1" in rows
