"""Test the next steps that a plan suggests."""

from __future__ import annotations

import re

import pytest
from small_org import many, plan

from rolecall.model.policy import AccessTest, Policy
from rolecall.plan.saved.digest import digest, short
from rolecall.plan.value import GuardResult, Plan, Selection
from rolecall.report.builders.next_steps import next_steps
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.text import document_lines

BEFORE = {"A": "member: X", "B": "member: Y"}
AFTER = {"A": "member: X, Z", "B": "member: W"}


@pytest.mark.parametrize(
    ("groups", "label"),
    [(("A",), "Apply is blocked"), (("B",), "To apply it")],
    ids=["a test fails", "none fails"],
)
def test_a_plan_that_a_test_refuses_offers_no_approval(groups: tuple[str, ...], label: str) -> None:
    wanted = ("team_admin",) if groups == ("A",) else ()
    test = AccessTest("t", groups=groups, has=wanted, never=() if wanted else ("org_admin",))
    made = plan(BEFORE, AFTER, [], policy=Policy(access_tests=(test,)), teams=frozenset("WXYZ"))
    step, *_ = next_steps(made, digest(made))
    assert step.label == label
    assert ("fix the config or the failed access tests" in step.words) is step.refused


def test_every_plan_says_what_to_do_next() -> None:
    def labels(made: Plan) -> list[str]:
        return [f"{step.label}: {step.words}{step.command}" for step in next_steps(made, digest(made))]

    pushed = plan(BEFORE, BEFORE, [])
    assert labels(pushed) == ["Nothing to apply. To check for changes made outside rolecall: rolecall drift"]
    pending = plan(BEFORE, {**BEFORE, "New": "member: X"}, [])
    assert labels(pending) == ["When the IdP has pushed the pending groups: rolecall plan"]
    unread = plan(BEFORE, AFTER, None)
    assert labels(unread)[:2] == [
        "Apply is blocked: resolve or override each BLOCK above.",
        "Then plan again: rolecall plan",
    ]
    observed = plan(BEFORE, AFTER, None, observed=True, can=frozenset())
    apply, runbook, *_ = labels(observed)
    assert apply == f"To record the manual steps: rolecall apply --approve {short(digest(observed))}"
    assert runbook == "Then, for instructions for the manual steps: rolecall runbook RUN"
    assert list(next_steps(observed, None)) == []


def test_a_plan_that_is_only_applied_from_a_file_names_its_file_and_the_command_that_makes_it() -> None:
    made = plan(BEFORE, AFTER, [], teams=frozenset("WXYZ"))
    back = made._replace(changes=tuple(change._replace(reason="rollback") for change in made.changes))
    back = back._replace(command="rolecall rollback 12")
    approve = f"--approve {short(digest(back))}"
    step, *_ = next_steps(back, digest(back))
    assert (step.label, step.command) == (
        "Save this plan with --out FILE, then apply it",
        f"rolecall apply FILE {approve}",
    )
    step, *_ = next_steps(back, digest(back), "my back.json")
    assert (step.label, step.command) == ("To apply it", f"rolecall apply 'my back.json' {approve}")
    refused = back._replace(guards=(GuardResult("max_removals", "block"),))
    targets = Selection(tuple(f"idp_groups/{number}" for number in range(40)))
    commands = [
        step.command for step in next_steps(refused._replace(selection=targets), digest(refused)) if step.command
    ]
    assert commands == ["rolecall rollback 12"]


def test_a_verdict_stands_apart_from_the_guard_it_is_of() -> None:
    made = plan(BEFORE, {**BEFORE, "A": "org_admin: X"}, None)
    told = plain(document_lines(plan_document(made, digest(made))))
    assert re.search(r"NOT JUDGED [a-z_, ]*\bescalations\n", told)
    assert "BLOCK   unread\n" in told
    made = plan(BEFORE, {**BEFORE, "A": "org_admin: X"}, many(2, "A"))
    assert "REVIEW  escalations\n          2 users" in plain(document_lines(plan_document(made, "0" * 64)))
