"""Test which steps `done RUN STEP…` selects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from rolecall.errors import Misuse
from rolecall.jobs.step_numbers import steps_meant
from rolecall.model.run import Run, Step
from rolecall.model.settings import Address

AT = datetime(2026, 11, 29, 8, 13, tzinfo=UTC)


def run_of(**states: str) -> Run:
    """A run with steps `s1=human`, `s2=attested`, `s3=done`, which is one that rolecall wrote."""
    steps = tuple(
        Step(7, int(name[1:]), Address(f"idp_groups/{name}"), "update", "api" if state == "done" else "human",
             None, None, state)  # type: ignore[arg-type]
        for name, state in states.items()
    )  # fmt: skip
    return Run(7, "org_1", "apply", AT, None, "done", steps=steps)


RUN = run_of(s1="done", s2="human", s3="human", s4="attested", s5="human", s6="human")


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["3"], (3,)),
        (["4"], (4,)),
        (["3", "5", "3"], (3, 5)),
        (["2-5"], (2, 3, 5)),
        (["1-3"], (2, 3)),
        (["5-99", "2"], (5, 6, 2)),
        (["all"], (2, 3, 5, 6)),
        (["ALL"], (2, 3, 5, 6)),
        (["3.1"], (3,)),
    ],
)
def test_steps_are_named_by_number_range_and_all(texts: list[str], expected: tuple[int, ...]) -> None:
    assert steps_meant(RUN, texts) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9", "run 7 has no manual step 9"),
        ("1", "run 7 has no manual step 1"),
        ("3.2", "step 3 of run 7 has 1 item, so there is no 3.2"),
        ("3.0", "step 3 of run 7 has 1 item, so there is no 3.0"),
        ("4-4", "all manual steps from 4 to 4 of run 7 are already reported done"),
        ("5-2", "run 7 has no manual steps from 5 to 2"),
        ("three", "`three` is not a step, such as 3, 3.2, 2-5 or all"),
        ("-3", "`-3` is not a step, such as 3, 3.2, 2-5 or all"),
        ("2-5.1", "`2-5.1` is not a step, such as 3, 3.2, 2-5 or all"),
        ("", "`` is not a step, such as 3, 3.2, 2-5 or all"),
        ("³", "`³` is not a step, such as 3, 3.2, 2-5 or all"),
    ],
)
def test_any_other_text_is_refused_with_the_steps_that_are_left(text: str, message: str) -> None:
    with pytest.raises(Misuse) as error:
        steps_meant(RUN, ["2", text])
    (problem,) = error.value.problems
    assert problem.code == "no_step"
    assert problem.message == message
    assert problem.hint == "use a step that is not reported done yet: 2, 3, 5, 6"


def test_a_run_without_manual_steps_says_none() -> None:
    with pytest.raises(Misuse) as error:
        steps_meant(run_of(s1="done"), ["all"])
    (problem,) = error.value.problems
    assert (problem.message, problem.hint) == ("run 7 has no manual steps", "for its steps: rolecall history 7")


@pytest.mark.parametrize(
    ("text", "expected"), [("1", (2, 5)), ("1.2", (5,)), ("2", (3,)), ("1-2", (2, 5, 3)), ("all", (2, 5, 3))]
)
def test_a_step_of_several_items_stands_for_all_of_them(text: str, expected: tuple[int, ...]) -> None:
    items: Mapping[int, tuple[int, ...]] = {1: (2, 5), 2: (3,)}
    assert steps_meant(RUN, [text], items) == expected


def visit_of(*items: tuple[int, int | None, int, str]) -> Run:
    """A run whose manual steps are (visit, item, number, state)."""
    steps = tuple(
        Step(7, number, Address("idp_groups/A"), "update", "human", None, None, state, visit=visit, item=item)  # type: ignore[arg-type]
        for visit, item, number, state in items
    )
    return Run(7, "org_1", "apply", AT, None, "done", steps=steps)


VISITS = visit_of(
    (2, None, 2, "human"), (3, 1, 5, "attested"), (3, 2, 6, "human"), (3, 3, 7, "human"), (4, None, 4, "human")
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["3"], (6, 7)),
        (["3.1"], (5,)),
        (["3.2"], (6,)),
        (["2-3"], (2, 6, 7)),
        (["all"], (2, 6, 7, 4)),
        (["4"], (4,)),
        (["6"], (6,)),
        (["5-9", "4"], None),
    ],
)
def test_a_step_with_items_is_all_of_them_that_are_left(texts: list[str], expected: tuple[int, ...] | None) -> None:
    if expected is None:
        with pytest.raises(Misuse, match="no manual steps from 5 to 9"):
            steps_meant(VISITS, texts)
    else:
        assert steps_meant(VISITS, texts) == expected


def test_a_step_whose_items_are_all_done_names_them_to_be_refused_or_corrected() -> None:
    assert steps_meant(visit_of((3, 1, 4, "attested"), (3, 2, 5, "attested")), ["3"]) == (4, 5)


def test_labels_of_a_run_of_0_1_0_are_its_numbers() -> None:
    assert [step.label for step in RUN.steps] == ["1", "2", "3", "4", "5", "6"]
    assert [step.label for step in VISITS.steps] == ["2", "3.1", "3.2", "3.3", "4"]
