"""Test the report of a run: complete, interrupted, or with manual steps."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rolecall.model.run import Approval, Run, RunFacts, RunReport, Step
from rolecall.model.settings import Address
from rolecall.report.builders.runs import history_document, recorded_run_document, run_document, run_json
from rolecall.report.line import plain
from rolecall.report.renderers.listing import listing_lines

AT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
REFUSED = "503 from the org, 4 attempts"


def step(number: int, state: Any, problem: str | None = None, via: Any = "api") -> Step:
    return Step(812, number, Address(f"idp_groups/G{number}"), "update", via, None, None, state, problem=problem)


def run_of(outcome: Any, *steps: Step, **more: Any) -> Run:
    facts = RunFacts(org_name="acme", env="prod", actor="ann")
    return Run(812, "org_8817", "apply", AT, AT, outcome, facts, "d" * 64, steps=steps, **more)


def told(report: RunReport, env: str | None = "prod") -> str:
    return plain(listing_lines(run_document(report, env)))


HALF = run_of(
    "incomplete",
    *(step(number, "done") for number in range(1, 6)),
    step(6, "failed", REFUSED),
    *(step(number, "not_tried") for number in range(7, 10)),
)


def test_half_a_run_says_what_is_done_who_is_in_between_and_how_to_go_on_or_back() -> None:
    meanwhile = "12 users have both Marketing and Brand. No user lost access. It is safe to leave the run like this."
    assert told(RunReport(HALF, meanwhile=meanwhile)) == (
        "5 of 9 steps done, 1 failed (503 from the org, 4 attempts), 3 not tried (run 812).\n"
        f"Right now: {meanwhile}\n"
        "   6  update idp_groups/G6  failed: 503 from the org, 4 attempts\n"
        "\n"
        "Next\n"
        "  To continue: rolecall apply -e prod\n"
        "  To undo this run: rolecall rollback 812\n"
        "  For details: rolecall show 812\n"
    )


def test_a_whole_run_is_one_line() -> None:
    assert told(RunReport(run_of("done", step(1, "done"), step(2, "done")))) == "Done: 2 steps (run 812).\n"


@pytest.mark.parametrize("report", [RunReport(None), RunReport(run_of("nothing"))])
def test_nothing_to_do_is_said(report: RunReport) -> None:
    assert told(report).startswith("Nothing to do")


def test_what_a_person_has_to_do_is_listed_with_the_way_to_say_so() -> None:
    shown = told(RunReport(run_of("done", step(1, "done"), step(2, "human", via="human"))))
    assert "1 manual step:\n   2  update idp_groups/G2\n" in shown
    assert (
        "  For instructions for the manual steps: rolecall runbook 812\n  When one is done: rolecall done 812 2\n"
        in shown
    )


def test_a_run_of_nothing_but_human_steps_did_not_do_anything() -> None:
    shown = told(RunReport(run_of("done", step(1, "human", via="human"))))
    assert shown.startswith("rolecall wrote nothing: all changes are manual steps (run 812).")


def test_different_problems_are_told_step_by_step() -> None:
    shown = told(RunReport(run_of("incomplete", step(1, "refused", "no"), step(2, "refused", "never"))))
    assert "0 of 2 steps done, 2 refused (run 812)." in shown
    assert "refused: no" in shown
    assert "refused: never" in shown


def test_long_lists_are_cut_with_a_count() -> None:
    shown = told(RunReport(run_of("incomplete", *(step(n, "failed", "x") for n in range(1, 31)))))
    assert "10 more" in shown


def test_what_waits_and_what_came_and_went_is_told() -> None:
    report = RunReport(
        run_of("done", step(1, "done")), notes=("3 joiners since the plan",), waiting=(Address("idp_groups/New"),)
    )
    shown = told(report)
    assert shown.startswith("3 joiners since the plan\n")
    assert "1 change is pending in the IdP." in shown


def test_an_answer_cannot_paint_the_terminal() -> None:
    assert "\x1b" not in told(RunReport(run_of("incomplete", step(1, "refused", "\x1b[31mno"))))


def test_a_list_of_runs_has_a_line_for_each() -> None:
    rows = plain(listing_lines(history_document([HALF, run_of("done", step(1, "done"))]))).splitlines()
    assert rows[0] == (
        "  812  2026-11-22 03:00  apply     incomplete   5 of 9 steps  ann · acme · prod   dddddddddddddddd"
    )
    assert plain(listing_lines(history_document([]))) == "No runs yet.\n"
    mixed = run_of("done", step(1, "done"), step(2, "human"))
    assert "steps open   1 of 2 changes done, 1 open" in plain(listing_lines(history_document([mixed])))


def test_a_run_in_full_has_its_facts_and_every_step() -> None:
    whole = run_of("incomplete", *HALF.steps, approvals=(Approval("bo", AT, "https://x", "review"),), message="why")
    shown = plain(listing_lines(recorded_run_document(whole)))
    assert "Run 812: apply of acme (org_8817)\n" in shown
    assert "approved by:  bo, review, https://x" in shown
    assert "   6  update  idp_groups/G6  failed  503 from the org, 4 attempts\n" in shown


def test_the_json_of_a_run_is_json() -> None:
    said = json.loads(json.dumps(run_json(HALF)))
    assert (said["id"], said["outcome"], len(said["steps"])) == (812, "incomplete", 9)
    assert said["started_at"] == "2026-11-22T03:00:00+00:00"
