"""What a reader of a plan is told to do next."""

from __future__ import annotations

import pytest
from small_org import many, plan

from rolecall.model.policy import AccessTest, Policy
from rolecall.plan.saved.digest import digest
from rolecall.report.builders.next_steps import next_step
from rolecall.report.builders.plan import plan_document
from rolecall.report.line import plain
from rolecall.report.renderers.text import document_lines

BEFORE = {"A": "member: X", "B": "member: Y"}
AFTER = {"A": "member: X, Z", "B": "member: W"}


@pytest.mark.parametrize(
    ("groups", "label"), [(("A",), "Refused"), (("B",), "Approve")], ids=["a test fails", "none fails"]
)
def test_a_plan_that_a_test_refuses_offers_no_approval(groups: tuple[str, ...], label: str) -> None:
    wanted = ("team_admin",) if groups == ("A",) else ()
    test = AccessTest("t", groups=groups, has=wanted, never=() if wanted else ("org_admin",))
    made = plan(BEFORE, AFTER, [], policy=Policy(access_tests=(test,)), teams=frozenset("WXYZ"))
    step = next_step(made, digest(made))
    assert step is not None
    assert step.label == label
    assert ("access test fails" in step.words) is (label == "Refused")


def test_a_verdict_stands_apart_from_the_guard_it_is_of() -> None:
    made = plan(BEFORE, {**BEFORE, "A": "org_admin: X"}, None)
    told = plain(document_lines(plan_document(made, digest(made))))
    assert "NOT JUDGED escalations: " in told
    assert "BLOCK   unread: " in told
    assert "REVIEW  escalations: 2 people" in plain(
        document_lines(plan_document(plan(BEFORE, {**BEFORE, "A": "org_admin: X"}, many(2, "A")), "0" * 64))
    )
