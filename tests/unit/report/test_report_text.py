"""The plan in a terminal, a pipe and a file."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from report_plans import (
    FORTY,
    LOCAL,
    MARKETING,
    METADATA,
    PASSES,
    REBRAND,
    REVIEW,
    change,
    full_plan,
    mapping,
    plan_of,
    source,
)

from rolecall.errors import Problem, Where
from rolecall.model.live import UNREAD
from rolecall.model.settings import Sso
from rolecall.plan.value import AccessTestResult, Impact, Plan, PolicyChange
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import Line, layout, plain, width_of
from rolecall.report.renderers.text import document_lines

DIGEST = "9f3c1a7720bd4e55" + "0" * 48


def text(plan: Plan, width: int | None = None, digest: str | None = DIGEST) -> str:
    return plain(document_lines(plan_document(plan, digest=digest), width), width)


def small() -> Plan:
    headline = "40 people move from Marketing to Brand, as members. Org admins stay 4."
    return plan_of(
        REBRAND,
        counts={"idp_groups": 61, "people": 20104},
        impact=Impact(20104, change=40, losing=40, headline=headline, moves=(FORTY,)),
        guards=(*PASSES, REVIEW),
    )


def test_a_pipe_gets_one_line_for_each_thing_said() -> None:
    assert text(small()) == (
        "acme · prod · org_8817 at rolecall.acme.net   all read: 61 groups, 20,104 people\n"
        "40 people move from Marketing to Brand, as members. Org admins stay 4.\n"
        "\n"
        "  ~ idp_groups/Writer-Marketing   teams: Marketing → Brand   idp_groups/marketing.yaml:14\n"
        "      40 people move from Marketing to Brand, as members.\n"
        "      no one falls back to default access · owner it-lead@acme.com · CHG-4411\n"
        "\n"
        "REVIEW  max_people_losing_access: 40 people lose something they have; review above 10, block above 403 (2 %)"
        "   rolecall.yaml:40\n"
        "        ok: min_org_admins 4 ≥ 2 · required_org_admins · escalations 0 · sign_in · 2 more\n"
        "Plan: 1 to update.\n"
        "Approve: merge, then rolecall apply -e prod --approve 9f3c-1a77-20bd-4e55   "
        "Narrow it: --target idp_groups/Writer-Marketing\n"
    )


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140, 300])
def test_every_row_fits_the_terminal(width: int) -> None:
    rows = list(layout(document_lines(plan_document(full_plan(), digest=DIGEST), width), width))
    assert max(map(width_of, rows)) <= width


@pytest.mark.parametrize("width", [None, 40, 140])
def test_no_width_loses_a_word(width: int | None) -> None:
    def words(shown: str) -> list[str]:
        return sorted("".join(shown.translate({ord("·"): " ", ord("."): " "}).split()))

    assert words(text(full_plan(), width)) == words(text(full_plan()))


def test_a_narrow_terminal_puts_the_fields_below_the_address() -> None:
    rows = text(small(), 50).splitlines()
    at = rows.index("  ~ idp_groups/Writer-Marketing")
    assert rows[at + 1 : at + 3] == ["      teams: Marketing → Brand", "      idp_groups/marketing.yaml:14"]


def test_the_place_stands_beside_the_address_where_that_is_all_there_is_room_for() -> None:
    rows = text(small(), 74).splitlines()
    at = rows.index(f"  ~ idp_groups/Writer-Marketing{'idp_groups/marketing.yaml:14':>43}")
    assert rows[at + 1] == "      teams: Marketing → Brand"


def test_fields_leave_their_column_before_they_leave_their_row() -> None:
    intent = source("a-file-of-a-long-name.yaml", 1)
    passwords = change("sso", "update", Sso(allow_passwords=True), Sso(allow_passwords=False), intent=intent)
    (row,) = (row for row in text(plan_of(passwords, REBRAND), 80).splitlines() if "  ~ sso" in row)
    assert row == f"  ~ sso   allow_passwords: true → false{'a-file-of-a-long-name.yaml:1':>41}"


def test_people_and_reasons_share_a_row_where_it_is_wide_enough() -> None:
    told = "      40 people move from Marketing to Brand, as members"
    why = "no one falls back to default access · CHG-4411"
    brief = replace(small(), changes=(replace(REBRAND, intent=REBRAND.intent._replace(owner=None)),))
    assert f"{told} · {why}" in text(brief, 120).splitlines()
    rows = text(brief, 100).splitlines()
    assert rows[rows.index(f"{told}.") + 1] == f"      {why}"


def test_parts_that_are_no_section_have_titles() -> None:
    rows = text(full_plan(), 140).splitlines()
    assert "Waiting for the IdP: planned, not written until it pushes the group  1" in rows
    assert "By hand: steps that a person must take  1" in rows
    assert not {"sso  1", "idp_groups  4"} & set(rows)


def test_a_rehearsal_has_nothing_to_merge() -> None:
    assert "Approve: rolecall apply --approve 9f3c-1a77-20bd-4e55\n" in text(plan_of(REBRAND, org=LOCAL))


def test_a_refused_plan_says_so_last_and_what_to_leave_out() -> None:
    block = REVIEW._replace(verdict="block")
    refused = "Refused: apply writes nothing while a BLOCK stands; each says its ways out."
    both = plan_of(REBRAND, METADATA, guards=(block,))
    leave = "Leave it out: --exclude idp_groups/Writer-Marketing"
    assert text(both).splitlines()[-1] == f"{refused}   {leave}"
    assert text(both, 90).splitlines()[-2:] == [refused, leave]
    assert text(plan_of(REBRAND, guards=(block,))).splitlines()[-1] == refused


def test_nothing_is_left_out_that_would_not_lift_the_block() -> None:
    block, other = REVIEW._replace(verdict="block"), REVIEW._replace(name="protect", verdict="block", target=None)
    assert "Leave it out" not in text(plan_of(REBRAND, METADATA, guards=(block, other)))
    assert "Leave it out" not in text(plan_of(REBRAND, METADATA, guards=(other, REVIEW)))


def test_a_plan_already_cut_is_not_to_be_narrowed() -> None:
    from rolecall.plan.value import Selection

    assert "Narrow" not in text(plan_of(REBRAND, METADATA, guards=(REVIEW,), selection=Selection(("sso",))))


def test_rules_that_change_are_told_before_the_verdicts() -> None:
    looser = PolicyChange("guards.min_org_admins", 3, 2, True)
    stricter = PolicyChange("allow.upgrade", {"guard": "upgrade", "up_to": 1}, None, False)
    rows = text(plan_of(REBRAND, policy_changes=(looser, stricter), guards=(REVIEW,))).splitlines()
    at = rows.index("  Policy: guards.min_org_admins: 3 → 2; looser, so it holds from the next plan on")
    assert rows[at + 1] == "  Policy: allow.upgrade: {guard: upgrade, up_to: 1} → (none)"
    assert rows[at + 3].startswith("REVIEW")


def test_marks_have_their_colours() -> None:
    styles = {
        item.spans[0].text: item.spans[0].style
        for item in document_lines(plan_document(full_plan()))
        if item.indent == 2
    }
    assert (styles["+ "], styles["~ "], styles["- "]) == ("add", "change", "remove")


def test_the_rehearsal_and_the_unread_stand_out() -> None:
    first: Line = next(document_lines(plan_document(plan_of(org=LOCAL, coverage={"sso": UNREAD}))))
    assert first.spans[0] == ("LOCAL REHEARSAL, not WRITER", "warn")
    assert first.tail[0] == ("NOT READ: sso", "error")


def test_a_failed_access_test_is_shown_with_its_place() -> None:
    failed = AccessTestResult("one door", False, "Legacy-Admins gives it too", Where("rolecall.yaml", 60))
    passed = AccessTestResult("other", True)
    shown = text(plan_of(access_tests=(failed, passed)))
    assert "FAILED  one door: Legacy-Admins gives it too   rolecall.yaml:60\n" in shown
    assert "other" not in shown


def test_an_access_test_that_was_not_evaluated_has_not_failed() -> None:
    unknown = AccessTestResult("one door", False, "Users were not read", Where("rolecall.yaml", 60), evaluated=False)
    plan = plan_of(REBRAND, access_tests=(unknown,), guards=(REVIEW,))
    assert "UNKNOWN one door: Users were not read   rolecall.yaml:60\n" in text(plan)
    assert "FAILED" not in text(plan)
    assert "apply writes nothing while an access test was not evaluated." in text(plan)


def test_a_guard_shows_each_way_out() -> None:
    shown = text(plan_of(guards=(REVIEW._replace(ways=("Answer at the prompt.", "Or: --allow x=40")),)))
    assert "\n        Answer at the prompt.\n        Or: --allow x=40\n" in shown


@pytest.mark.parametrize(
    "plan", [plan_of(), plan_of(REBRAND, errored=True), plan_of(REBRAND, guards=(REVIEW._replace(verdict="block"),))]
)
def test_what_cannot_be_applied_offers_no_approval(plan: Plan) -> None:
    assert "Approve" not in text(plan)


def test_ten_thousand_changes_are_quick() -> None:
    changes = [
        change(f"idp_groups/Group-{n:05}", "update", mapping("member", f"T{n % 40}"), mapping("member", f"T{n % 41}"))
        for n in range(10_000)
    ]
    plan = plan_of(*changes, impact=Impact(10, moves=(FORTY._replace(because=(MARKETING,)),)))
    began = time.process_time()
    shown = text(plan, 100)
    assert shown.count("\n") > 10_000
    assert time.process_time() - began < 3


def test_the_line_that_approves_asks_for_the_very_same_plan():
    from rolecall.model.policy import Allow
    from rolecall.plan.value import Selection
    from rolecall.report.builders.next_steps import plan_flags

    cut = Selection(("idp_groups/A b",), ("sso",), only_expired=True)
    plan = plan_of(selection=cut, lifts=(Allow("max_removals", None, 3, None, "--allow"),))
    assert list(plan_flags(plan)) == [
        "--target 'idp_groups/A b'",
        "--exclude sso",
        "--only expired",
        "--allow max_removals=3",
    ]


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_ten_thousand_warnings_leave_room_for_the_changes(form: str) -> None:
    from rolecall.cli.options import InRepository
    from rolecall.cli.output import render_plan

    many = tuple(Problem("x", f"warning {n} of many", None, None, "warning") for n in range(10_000))
    told = render_plan(plan_of(REBRAND, warnings=many, guards=(REVIEW,)), form, InRepository(), DIGEST)
    assert "Writer-Marketing" in told
    assert told.count(" of many") == (200 if form == "html" else 20)
    assert ("9,800 more" if form == "html" else "9,980 warnings more") in told
