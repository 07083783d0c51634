"""Test a plan in a terminal, a pipe and a file."""

from __future__ import annotations

import time

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
from rolecall.plan.commands import plan_command
from rolecall.plan.value import AccessTestResult, GuardResult, Impact, Plan, PolicyChange
from rolecall.report.builders.next_steps import apply_command
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import Line, Spans, layout, plain, width_of
from rolecall.report.renderers.text import document_lines

DIGEST = "9f3c1a7720bd4e55" + "0" * 48


def text(plan: Plan, width: int | None = None, digest: str | None = DIGEST) -> str:
    return plain(document_lines(plan_document(plan, digest=digest), width), width)


def small() -> Plan:
    headline = "40 users move from Marketing to Brand, as members. Org admins: 4, unchanged."
    return plan_of(
        REBRAND,
        counts={"idp_groups": 61, "people": 20104},
        impact=Impact(20104, change=40, losing=40, headline=headline, moves=(FORTY,), org_admins=(4, 4)),
        guards=(*PASSES, REVIEW),
    )


def test_a_pipe_gets_one_line_for_each_thing_said() -> None:
    assert (
        text(small())
        == """\
acme · prod · org_8817 at rolecall.acme.net   all read: 61 groups, 20,104 users

Summary
  40 users move from Marketing to Brand, as members.
  Org admins: 4, unchanged.
  Plan: 1 to update.

Changes
  ~ idp_groups/Writer-Marketing   teams: Marketing → Brand   idp_groups/marketing.yaml:14
      40 users move from Marketing to Brand, as members.
      Ticket: CHG-4411 · Owner: it-lead@acme.com

Guards
  REVIEW  max_people_losing_access
          40 users lose access; more than 10 requires approval   rolecall.yaml:30
          Cause: idp_groups/Writer-Marketing, 40 users   idp_groups/marketing.yaml:14
          To accept it: rolecall apply -e prod --approve 9f3c-1a77-20bd-4e55
  6 guards passed; -v lists them.

Next
  Merge this change, then apply it: rolecall apply -e prod --approve 9f3c-1a77-20bd-4e55
"""
    )


def test_details_are_shown_on_request() -> None:
    shown = plain(document_lines(plan_document(small(), digest=DIGEST), verbose=True))
    assert "      No one falls back to default access.\n" in shown
    assert "  PASS    min_org_admins  4 ≥ 2\n" in shown
    assert "guards passed" not in shown


def test_a_guard_that_passes_with_a_message_is_always_shown() -> None:
    message = "1 org admin, as before this plan; the limit is 2"
    low = GuardResult("min_org_admins", "pass", 2, 1, message)
    assert f"  PASS    min_org_admins  {message}\n" in text(plan_of(guards=(low,)))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140, 300])
def test_every_row_fits_the_terminal(width: int) -> None:
    rows = list(layout(document_lines(plan_document(full_plan(), digest=DIGEST), width), width))
    assert max(width_of(row) for row in rows if not is_command(row)) <= width


def is_command(row: Spans) -> bool:
    """Return whether a row is a command, which is not wrapped so that it can be copied."""
    return any(span.text.startswith("rolecall ") for span in row)


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


def test_users_and_reasons_have_a_row_each() -> None:
    rows = text(small(), 120).splitlines()
    at = rows.index("      40 users move from Marketing to Brand, as members.")
    assert rows[at + 1] == "      Ticket: CHG-4411 · Owner: it-lead@acme.com"


def test_parts_that_are_no_section_have_titles() -> None:
    rows = text(full_plan(), 140).splitlines()
    assert "  Pending (the IdP has not pushed these groups yet)  1" in rows
    assert "  Manual steps (rolecall's account cannot claim these domains)  1" in rows
    assert not {"sso  1", "idp_groups  4"} & set(rows)


def test_a_rehearsal_has_nothing_to_merge() -> None:
    assert "  To apply it: rolecall apply --approve 9f3c-1a77-20bd-4e55\n" in text(plan_of(REBRAND, org=LOCAL))


def test_a_refused_plan_says_so_last_and_what_to_leave_out() -> None:
    block = REVIEW._replace(verdict="block")
    both = plan_of(REBRAND, METADATA, guards=(block,))
    assert text(both).splitlines()[-4:] == [
        "Next",
        "  Apply is blocked: resolve or override each BLOCK above.",
        "  Then plan again: rolecall plan -e prod",
        "  To plan the other changes only: rolecall plan -e prod --exclude idp_groups/Writer-Marketing",
    ]
    assert text(both, 90).splitlines()[-2:] == [
        "  To plan the other changes only:",
        "    rolecall plan -e prod --exclude idp_groups/Writer-Marketing",
    ]
    assert text(plan_of(REBRAND, guards=(block,))).splitlines()[-1] == "  Then plan again: rolecall plan -e prod"


def test_nothing_is_left_out_that_would_not_lift_the_block() -> None:
    block, other = REVIEW._replace(verdict="block"), REVIEW._replace(name="protect", verdict="block", target=None)
    assert "To plan the other" not in text(plan_of(REBRAND, METADATA, guards=(block, other)))
    assert "To plan the other" not in text(plan_of(REBRAND, METADATA, guards=(other, REVIEW)))


def test_a_plan_already_cut_is_not_cut_further() -> None:
    from rolecall.plan.value import Selection

    assert "To plan the other" not in text(plan_of(REBRAND, METADATA, guards=(REVIEW,), selection=Selection(("sso",))))


def test_rules_that_change_are_among_the_guards() -> None:
    looser = PolicyChange("guards.min_org_admins", 3, 2, True)
    stricter = PolicyChange("allow.upgrade", {"guard": "upgrade", "up_to": 1}, None, False)
    rows = text(plan_of(REBRAND, policy_changes=(looser, stricter), guards=(REVIEW,))).splitlines()
    at = rows.index("  Policy change: guards.min_org_admins: 3 → 2 (less strict; takes effect from the next plan)")
    assert rows[at + 1] == "  Policy change: allow.upgrade: {guard: upgrade, up_to: 1} → (none)"


def test_colors_say_more_rights_or_access_that_is_lost() -> None:
    lines = list(document_lines(plan_document(full_plan())))
    styles = {line.spans[0].text: line.spans[0].style for line in lines if line.indent == 2 and line.spans}
    assert (styles["+ "], styles["~ "], styles["- "], styles["! "]) == ("more", "bold", "less", "more")
    (rebrand,) = (line for line in lines if any(span.text == "idp_groups/Writer-Marketing" for span in line.spans))
    assert {("Marketing", "less"), ("Brand", "more")} <= set(rebrand.spans)


def test_of_a_set_only_what_differs_is_colored() -> None:
    made = change("idp_groups/A", "update", mapping("member", "X", "Y"), mapping("team_admin", "X", "Z"))
    lines = document_lines(plan_document(plan_of(made)))
    (row,) = (line for line in lines if line.spans[1:2] == (("idp_groups/A", "bold"),))
    colored = {("Y", "less"), ("Z", "more"), ("team_admin", "more")}
    assert colored | {("X, ", "plain"), ("member", "plain")} <= set(row.spans)


def test_the_rehearsal_and_the_unread_stand_out() -> None:
    first: Line = next(document_lines(plan_document(plan_of(org=LOCAL, coverage={"sso": UNREAD}))))
    assert first.spans[0] == ("LOCAL REHEARSAL, not WRITER", "warn")
    assert first.tail[0] == ("NOT READ: sso", "error")


def test_a_failed_access_test_is_shown_with_its_place() -> None:
    failed = AccessTestResult("one door", False, "Legacy-Admins gives it too", Where("rolecall.yaml", 60))
    passed = AccessTestResult("other", True)
    shown = text(plan_of(access_tests=(failed, passed)))
    assert "  FAILED  access test: one door\n          Legacy-Admins gives it too   rolecall.yaml:60\n" in shown
    assert "other" not in shown


def test_an_access_test_that_was_not_evaluated_has_not_failed() -> None:
    unknown = AccessTestResult("one door", False, "Users were not read", Where("rolecall.yaml", 60), evaluated=False)
    plan = plan_of(REBRAND, access_tests=(unknown,), guards=(REVIEW,))
    assert "  UNKNOWN access test: one door\n          Users were not read   rolecall.yaml:60\n" in text(plan)
    assert "FAILED" not in text(plan)
    assert "Apply is blocked: access tests could not be evaluated." in text(plan)


def test_a_guard_shows_each_way_out() -> None:
    shown = text(plan_of(guards=(REVIEW._replace(ways=("Answer at the prompt.", "Or: --allow x=40")),)))
    assert "\n          Answer at the prompt.\n          Or: --allow x=40\n" in shown


@pytest.mark.parametrize(
    "plan", [plan_of(), plan_of(REBRAND, errored=True), plan_of(REBRAND, guards=(REVIEW._replace(verdict="block"),))]
)
def test_what_cannot_be_applied_offers_no_approval(plan: Plan) -> None:
    assert "--approve" not in text(plan)


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

    cut = Selection(("idp_groups/A b",), ("sso",), only_expired=True)
    plan = plan_of(selection=cut, lifts=(Allow("max_removals", None, 3, None, "--allow"),))
    flags = "--target 'idp_groups/A b' --exclude sso --only expired --allow max_removals=3"
    assert apply_command(plan, DIGEST) == f"rolecall apply -e prod {flags} --approve 9f3c-1a77-20bd-4e55"
    assert plan_command(plan.org, plan.selection, plan.lifts) == f"rolecall plan -e prod {flags}"


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_ten_thousand_warnings_leave_room_for_the_changes(form: str) -> None:
    from rolecall.cli.options import InRepository
    from rolecall.cli.output import render_plan

    many = tuple(Problem("x", f"warning {n} of many", None, None, "warning") for n in range(10_000))
    told = render_plan(plan_of(REBRAND, warnings=many, guards=(REVIEW,)), form, InRepository(), DIGEST)
    assert "Writer-Marketing" in told
    assert told.count(" of many") == (200 if form == "html" else 20)
    assert ("9,800 more" if form == "html" else "9,980 more warnings") in told
