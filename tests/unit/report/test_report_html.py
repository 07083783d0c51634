"""Test the HTML report: one file without requests, safe for any name, useful for small and large plans."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_plans import FORTY, LAPSED, LOCAL, MARKETING, REBRAND, change, full_plan, mapping, people, plan_of

from rolecall.errors import Problem
from rolecall.model.policy import TeamRole
from rolecall.plan.saved.privacy import redact
from rolecall.plan.value import AccessTestResult, GuardResult, Impact, Move, Plan
from rolecall.report.builders.plan import plan_document
from rolecall.report.builders.users import flows, user_moves
from rolecall.report.document import ChangeTable, Entry, Flow, Note, Tone
from rolecall.report.renderers.html import MOST_ROWS, html, listed_changes
from rolecall.report.renderers.picture import MOST, WIDTH, by_severity, drawn_flows, picture

EVIL = "</script><script>alert(1)</script>\"'<img src=x onerror=alert(1)>"


class Page(HTMLParser):
    """What a browser would see: elements, attributes, text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.inside and self.inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not self.inside or self.inside[-1] not in ("script", "style"):
            self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


def page(plan: Plan) -> str:
    return html(plan_document(plan, "9f3c1a7720bd4e55" + "0" * 48))


def moving(number: int, ways: int = 1) -> Plan:
    moves = tuple(
        Move(
            (TeamRole(f"Team {way}", "member"),),
            (TeamRole(f"Team {way + 1}", "member"),),
            "change",
            (MARKETING,),
            number,
            people(number, f"p{way}-"),
        )
        for way in range(ways)
    )
    return plan_of(REBRAND, impact=Impact(10**6, change=number * ways, moves=moves))


def evil_plan() -> Plan:
    return plan_of(
        change(f"idp_groups/{EVIL}", "create", None, mapping("member", EVIL)),
        org=LOCAL._replace(name=EVIL, env=EVIL),
        impact=Impact(
            9,
            headline=EVIL,
            moves=(Move((), (TeamRole(EVIL, EVIL),), "gain", (MARKETING,), 1, people(1, EVIL)),),
        ),
        guards=(GuardResult("protect", "block", message=EVIL, ways=(EVIL,)),),
        access_tests=(AccessTestResult(EVIL, False, EVIL),),
        warnings=(Problem("x", EVIL, None, EVIL, "warning"),),
    )


def test_everything_in_the_plan_is_told() -> None:
    text = " ".join(Page(page(full_plan())).texts)
    for told in (
        "40 users move from Marketing to Brand",
        "idp_groups/Writer-Marketing",
        "CHG-4411",
        "max_people_losing_access",
        "40 users lose",
        "p39@acme.com",
        "Pending (the IdP has not pushed these groups yet)",
        "Manual steps",
        "Unmanaged: 2 mapped groups",
        "gives org admin (org-wide, team IT)",
        "No longer managed: idp_groups/Was",
        "9f3c-1a77-20bd-4e55",
        "Users of an unmapped group keep access",
    ):
        assert told in text


def test_it_asks_for_nothing_from_anywhere() -> None:
    text = page(full_plan())
    for tag, attributes in Page(text).elements:
        assert tag not in ("link", "img", "iframe", "object", "base", "form")
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_allows_its_own_style_and_script_alone() -> None:
    text = page(full_plan())
    policy = next(
        str(attributes["content"])
        for tag, attributes in Page(text).elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_a_page_without_a_script_allows_none() -> None:
    text = page(plan_of(REBRAND))
    assert "script-src" not in text
    assert "<script" not in text


def test_no_name_becomes_markup_or_script() -> None:
    seen = Page(page(evil_plan()))
    assert seen.count("img") == 0
    assert seen.count("script") == 2
    assert not any(name.startswith("on") for _, attributes in seen.elements for name in attributes)


def test_the_data_of_the_table_reads_back() -> None:
    text = page(evil_plan())
    (data,) = re.findall(r'<script type="application/json" id="people-data">(.*?)</script>', text, re.DOTALL)
    (move,) = json.loads(data)["moves"]
    assert move["names"] == [f"{EVIL}0@acme.com"]


def test_it_says_local_and_unread_and_nothing_to_do() -> None:
    text = " ".join(Page(page(plan_of(org=LOCAL))).texts)
    assert "LOCAL REHEARSAL, not WRITER" in text
    assert "None." in text
    assert "Users" not in text
    assert "Users" in Page(page(full_plan())).texts


def test_people_who_may_not_be_shown_are_counted() -> None:
    text = page(redact(full_plan(), "counts"))
    assert "p0@acme.com" not in text
    assert "40 users" in text
    alone = full_plan()
    alone = alone._replace(impact=alone.impact._replace(moves=(FORTY._replace(size=1, people=people(1)),)))
    assert "1 user<" in page(redact(alone, "counts"))
    assert "--people names" in text


def test_without_a_script_the_first_people_are_there_and_the_rest_is_counted() -> None:
    text = page(moving(1_000))
    assert text.count('<td class="mono">p0-') == MOST_ROWS
    assert "800 more with JavaScript, or in the CSV report." in " ".join(text.split())


def test_a_hundred_thousand_people_fit_into_a_file_that_opens() -> None:
    assert len(page(moving(10_000, 10))) < 6_000_000


def test_it_has_names_for_those_who_listen() -> None:
    seen = Page(page(full_plan()))
    assert ("html", {"lang": "en"}) in seen.elements
    ids = {attributes["id"] for _, attributes in seen.elements if "id" in attributes}
    for tag, attributes in seen.elements:
        assert set((attributes.get("aria-labelledby") or "").split()) <= ids
        if tag == "th":
            assert attributes.get("scope") == "col"
    assert len(ids) == sum("id" in attributes for _, attributes in seen.elements)


def test_the_picture_has_a_band_for_each_way_and_one_for_the_rest() -> None:
    few, many = flows(moving(5, 3).impact), flows(moving(5, 40).impact)
    assert drawn_flows(few) == few
    *single, others = drawn_flows(many)
    assert len(single) == MOST
    assert others == Flow("28 other ways to change access", "28 other ways to change access", 5 * 28, "change")
    drawn = picture(many)
    assert drawn is not None
    assert len(drawn.ribbons) == MOST + 1
    assert picture([]) is None
    assert picture(few[:1]) is None


def test_one_new_org_admin_among_thousands_of_users_is_drawn_and_listed_first() -> None:
    large = [Flow(f"Team {way}", f"Team {way + 1}", 1_000, "change") for way in range(40)]
    worst = Flow("Team 7 member", "org admin (org-wide, team IT)", 1, "admin")
    lost = [Flow(f"Team {way}", "nothing", 2, "lose") for way in range(5)]
    flows = [*large, *lost, worst]
    assert by_severity(flows)[0] == worst
    drawn = drawn_flows(flows)
    assert drawn[0] == worst
    assert {flow.kind for flow in drawn} == {"admin", "lose", "change"}
    assert sum(flow.size for flow in drawn) == sum(flow.size for flow in flows)
    shown = picture(flows)
    assert shown is not None
    (bar,) = [bar for bar in shown.bars if bar.severe]
    assert bar.height >= 4
    assert shown.ribbons[-1].kind in ("admin", "lose")


def test_the_totals_come_first_then_escalations_then_the_changes() -> None:
    text = " ".join(Page(page(full_plan())).texts)
    assert text.index("Plan: ") < text.index("Users gain roles above member")
    escalations = text.index("Users gain roles above member")
    assert escalations < text.index("idp_groups/Writer-Marketing", escalations)


def test_only_what_differs_between_before_and_after_is_marked() -> None:
    before = (TeamRole("Brand", "member"), TeamRole("Legal", "member"), TeamRole("Sales", "member"))
    after = (TeamRole("Legal", "team_admin"), TeamRole("Sales", "member"), TeamRole("IT", "member"))
    move = Move(before, after, "change", (MARKETING,), 1, people(1))
    (shown,) = user_moves(Impact(9, moves=(move,)))
    assert [(part.text, part.sense) for part in shown.before] == [
        ("Brand member", "less"),
        ("Legal member", "same"),
        ("Sales member", "same"),
    ]
    assert [(part.text, part.sense) for part in shown.after] == [
        ("Legal team admin", "more"),
        ("Sales member", "same"),
        ("IT member", "more"),
    ]
    assert '<span class="less">Brand member</span>, Legal member, Sales member' in page(
        plan_of(REBRAND, impact=Impact(9, moves=(move,)))
    )


def test_every_way_is_in_a_table_though_not_in_the_picture() -> None:
    text = " ".join(" ".join(Page(page(moving(5, 40))).texts).split())
    assert "5 Team 39 member Team 40 member" in text


def test_the_picture_stays_in_its_frame() -> None:
    for plan in (moving(1, 2), moving(100_000, 2), moving(3, 40)):
        drawn = picture(flows(plan.impact))
        assert drawn is not None
        assert all(bar.y + bar.height <= drawn.height for bar in drawn.bars)
        assert all(0 <= bar.text_x <= WIDTH for bar in drawn.bars)


def test_those_left_with_the_default_are_shown_so() -> None:
    move = Move(
        (TeamRole("Sales", "member"),),
        (TeamRole("Everyone", "member"),),
        "change",
        (LAPSED.address,),
        2,
        people(2),
        True,
    )
    (flow,) = flows(Impact(9, moves=(move,)))
    assert (flow.right, flow.kind) == ("default access only: Everyone member", "lose")


def test_a_plan_whose_guards_are_not_evaluated_is_blocked_only_where_one_blocks() -> None:
    """On an observed org, users who were not read require approval; the page must not say more than `apply` does."""
    unevaluated = GuardResult("escalations", "not judged", message="Users were not read.")
    for verdict, blocked in (("review", False), ("block", True)):
        plan = full_plan()._replace(guards=(unevaluated, GuardResult("unread", verdict, message="Not read: users")))
        head = "".join(Page(page(plan)).texts).partition("Plan: ")[0]
        assert "Not evaluated" in head
        assert ("Apply is blocked" in head, "Requires approval" in head) == (blocked, not blocked)


TONES: tuple[Tone, ...] = ("more", "risk", "plain", "dim")


@given(st.lists(st.lists(st.sampled_from(TONES), max_size=6), max_size=4), st.integers(0, 12))
def test_of_many_changes_the_most_severe_are_listed_in_order_and_all_are_counted(tones: list[list[Tone]], most: int):
    tables = [
        ChangeTable(
            str(key), "", tuple(Entry("~", f"{key}/{n}", (), None, (Note("", t),), "") for n, t in enumerate(own))
        )
        for key, own in enumerate(tones)
    ]
    listed = listed_changes(tables, most)
    assert [len(table.entries) + left for table, left in listed] == [len(table.entries) for table in tables]
    shown = [entry for table, _ in listed for entry in table.entries]
    every = [entry for table in tables for entry in table.entries]
    assert len(shown) == min(most, len(every))
    assert shown == [entry for entry in every if entry in shown]
    severities = [TONES.index(entry.notes[0].tone) for entry in every]
    assert sorted(TONES.index(entry.notes[0].tone) for entry in shown) == sorted(severities)[: len(shown)]


def test_a_page_says_how_many_changes_it_does_not_list(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rolecall.report.renderers.html.MOST_CHANGES", 30)
    changes = [change(f"idp_groups/G{n}", "update", mapping("member", "A"), mapping("member", "B")) for n in range(70)]
    text = page(plan_of(*changes))
    assert sum(f"G{n}<" in text for n in range(70)) == 30
    assert "40 more in the JSON report." in text
    assert '<span class="dim">70</span>' in text
