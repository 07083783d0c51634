"""Test the HTML reports in a browser: requests, keyboard use, accessibility and layout."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from browser import Tab, tab
from drifts import A, L, M, inquiry, many
from report_plans import FORTY, REBRAND, full_plan, people, plan_of
from test_report_hostile import HOSTILE, hostile
from test_report_html import moving, page

from rolecall.drift.scan import DriftScan, scan
from rolecall.errors import Problem, Where
from rolecall.model.policy import Guards, Policy, TeamRole
from rolecall.plan.value import Impact, Plan, TeamTally
from rolecall.report.builders.drift import drift_document
from rolecall.report.renderers.html import html

WIDTHS = (320, 360, 800, 1600)


def crowd() -> Plan:
    """250 people of two kinds, so that there is something to search, sort, filter and page through."""
    losing = FORTY._replace(kind="lose", after=(), size=1, people=people(1, "zoe"))
    many = FORTY._replace(size=249, people=people(249))
    teams = (TeamTally("Marketing", 0, 250), TeamTally("Brand", 249))
    return plan_of(REBRAND, impact=Impact(300, change=249, lose=1, moves=(many, losing), teams=teams))


def wordy() -> Plan:
    """One of a thousand with a label of two rows, at the thin end of the picture."""
    long = tuple(TeamRole(f"Finance and Controlling {number}", "team_admin") for number in range(3))
    most = FORTY._replace(size=999, people=people(999))
    return plan_of(REBRAND, impact=Impact(1_000, moves=(most, FORTY._replace(after=long, size=1, people=people(1)))))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("chromium")) as opened:
        for domain in ("Network", "Log"):
            opened.send(f"{domain}.enable")
        yield opened


@pytest.fixture
def show(chromium: Tab, tmp_path: Path) -> Any:
    def shown(report: Plan | str, width: int = 1280, *, dark: bool = False, scripts: bool = True) -> Tab:
        file = tmp_path / "plan.html"
        file.write_text(report if isinstance(report, str) else page(report), encoding="utf-8")
        chromium.scripts(on=scripts)
        chromium.shape(width, dark=dark)
        chromium.events.clear()
        chromium.open(file.as_uri())
        return chromium

    return shown


def asked(at: Tab) -> list[str]:
    """The last part of each address that the page asked for."""
    return [event["request"]["url"].rpartition("/")[2] for event in at.told("Network.requestWillBeSent")]


def told(at: Tab) -> list[str]:
    """The rows of the people's table."""
    found: list[str] = at.look("[...document.querySelectorAll('#people-rows tr')].map((row) => row.innerText)")
    return found


def test_it_asks_for_nothing(show: Any) -> None:
    at = show(full_plan())
    assert asked(at) == ["plan.html"]


@pytest.mark.parametrize("bad", [bad for bad in HOSTILE if "\ud800" not in bad])
def test_no_name_runs_asks_or_breaks_anything(show: Any, bad: str) -> None:
    at = show(hostile(bad))
    assert [event["request"]["url"].rpartition("/")[2] for event in at.told("Network.requestWillBeSent")] == [
        "plan.html"
    ]
    assert at.told("Page.javascriptDialogOpening") == []
    assert at.told("Runtime.exceptionThrown") == []
    assert at.told("Log.entryAdded") == []
    assert at.look("document.querySelectorAll('script, style, main > section').length") == 9
    assert len(told(at)) == 1


def test_the_policy_refuses_what_the_file_does_not_bring(show: Any) -> None:
    at = show(full_plan())
    at.look("document.body.insertAdjacentHTML('beforeend', '<img src=\"https://evil.example/x.png\">')")
    at.look("new Promise((done) => setTimeout(done, 50))")
    assert any(
        "violates the following Content Security Policy" in event["entry"]["text"]
        for event in at.told("Log.entryAdded")
    )


def test_people_are_searched_filtered_sorted_and_paged_with_keys_alone(show: Any) -> None:
    at = show(crowd())
    assert at.look("document.getElementById('people-count').textContent") == "250 users, page 1 of 3"
    at.look("document.getElementById('people-search').focus()")
    at.type("zoe0@ MARKETING")
    assert [row.split("\t")[:2] for row in told(at)] == [["zoe0@acme.com", "loses access"]]
    at.look("document.getElementById('people-search').value = ''")
    at.press("Tab", 9)
    assert at.look("document.activeElement.id") == "people-kind"
    at.press("ArrowDown", 40)
    assert [row.split("\t")[1] for row in told(at)] == ["loses access"]
    at.look("document.getElementById('people-kind').value = ''")
    for _ in range(2):
        at.press("Tab", 9)
    assert at.look("document.activeElement.textContent") == "User"
    at.press("Enter", 13, "\r")
    assert told(at)[0].startswith("zoe0@acme.com")
    assert at.look("document.activeElement.parentElement.getAttribute('aria-sort')") == "descending"
    at.look("document.getElementById('people-on').focus()")
    at.press("Enter", 13, "\r")
    assert at.look("document.getElementById('people-count').textContent") == "250 users, page 2 of 3"


def test_without_scripts_everything_but_the_tools_is_there(show: Any) -> None:
    at = show(crowd(), scripts=False)
    assert len(told(at)) == 200
    assert "50 more with JavaScript" in at.text()
    assert at.look("document.getElementById('people-search').offsetParent") is None
    for title in ("Summary", "Changes", "Users", "Next"):
        assert title in at.text()


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(
    "plan", [full_plan(), crowd(), moving(3, 40), plan_of()], ids=["full", "crowd", "ways", "none"]
)
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_shuts_anybody_out(show: Any, plan: Plan, width: int, dark: bool) -> None:
    assert barriers(show(plan, width, dark=dark)) == []


def barriers(at: Tab) -> list[tuple[str, list[str]]]:
    """Return the rules of accessibility that a page violates, each with the elements."""
    at.look("document.querySelectorAll('details').forEach((fold) => { fold.open = true })")
    at.look(files("axe_core_python").joinpath("axe.min.js").read_text("utf-8"))
    violations = json.loads(at.look("axe.run().then((result) => JSON.stringify(result.violations))"))
    return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in violations]


def drift_page(request: DriftScan) -> str:
    """Return the HTML report of a drift check."""
    return html(drift_document(scan(request).report))


STRICT = Policy(guards=Guards(min_org_admins=3))
LATE = Problem("late", "the audit log was not read completely", Where("rolecall.yaml", 3), "check the token", "warning")
DRIFTS = {
    "none": drift_page(inquiry({"G": M}, {"G": M}, {"G": M})),
    "all": drift_page(inquiry({"G": M, "W": L}, {"G": A, "New": A}, {"G": M}, STRICT, warnings=(LATE,))),
    "many": drift_page(many(100)),
    "hostile": drift_page(inquiry({"L" * 1_000: M}, {"L" * 1_000: L}, {"L" * 1_000: M}, STRICT)),
}


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("name", DRIFTS)
def test_a_drift_report_is_accessible_and_fits_the_window(show: Any, name: str, width: int, dark: bool) -> None:
    at = show(DRIFTS[name], width, dark=dark)
    assert barriers(at) == []
    assert asked(at) == ["plan.html"]
    assert at.look("document.documentElement.scrollWidth") <= width


def test_ten_thousand_drifted_settings_are_laid_out_as_they_come_into_view(show: Any) -> None:
    document = drift_document(scan(many(400)).report)
    table = document.changes[0]._replace(entries=document.changes[0].entries * 25)
    at = show(html(replace(document, changes=(table,))), 400)
    entries = at.look(
        "[...document.querySelectorAll('.changes > li')].map((entry) => getComputedStyle(entry).contentVisibility)"
    )
    assert entries == ["auto"] * 10_000
    assert at.look("document.documentElement.scrollHeight") < 10_000


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("bad", ["L" * 1_000, "a team of a few words " * 9])
def test_no_width_and_no_name_makes_the_page_wider_than_the_window(show: Any, width: int, bad: str) -> None:
    at = show(hostile(bad), width)
    assert at.look("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "plan", [moving(1, 2), moving(3, 40), moving(100_000, 2), wordy()], ids=["few", "ways", "many", "wordy"]
)
def test_no_label_of_the_picture_is_cut_or_covers_another(show: Any, plan: Plan) -> None:
    at = show(plan)
    frame, *labels = at.look(
        "[...document.querySelectorAll('.picture svg, .picture text')].map((node) => {"
        " const at = node.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom] })"
    )
    assert labels
    for left, top, right, bottom in labels:
        assert frame[0] <= left < right <= frame[2]
        assert frame[1] <= top < bottom <= frame[3]
    for number, one in enumerate(labels):
        for other in labels[number + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 1 or other[3] <= one[1] + 1


def test_it_prints(show: Any) -> None:
    at = show(crowd(), dark=True)
    pages = at.send("Page.printToPDF", printBackground=True)["data"]
    assert base64.b64decode(pages).startswith(b"%PDF-")
    at.send("Emulation.setEmulatedMedia", media="print", features=[])
    assert at.look("getComputedStyle(document.querySelector('.tools')).display") == "none"
    assert at.look("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    at.send("Emulation.setEmulatedMedia", media="")
