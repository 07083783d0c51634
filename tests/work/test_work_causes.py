"""How much it costs to name the changes that cause what users lose and gain: users who are alike are worked out once.

A limit is a tenth above what was counted when it was written.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from counting import each
from small_org import ask, config, live, person

from rolecall.model.settings import Defaults
from rolecall.plan.forecast import AccessForecast, forecast_access
from rolecall.plan.impact.causes import Causes
from rolecall.plan.impact.cohorts import cohorts_of
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make

SMALL, LARGE = 200, 600


def alike(number: int) -> PlanInput:
    """Users in two groups that are both unmapped while the default moves, and in two more of no consequence."""
    people = [person(f"p{n}", "A", "B", "C", "D") for n in range(number)]
    wanted = config({"A": "", "B": "", "C": "", "D": ""}, defaults=Defaults("team_admin", frozenset({"Elsewhere"})))
    return ask(wanted, live({"A": "member: X", "B": "member: X, Y", "C": "", "D": ""}), people)


def each_in_other_groups(number: int) -> PlanInput:
    """The same, with each user also in a group of their own that is not changed."""
    own = {f"G{n}": "member: Z" for n in range(number)}
    people = [person(f"p{n}", "A", "B", f"G{n}") for n in range(number)]
    wanted = config({"A": "", "B": "", **own}, defaults=Defaults("team_admin", frozenset({"Elsewhere"})))
    return ask(wanted, live({"A": "member: X", "B": "member: X, Y", **own}), people)


QUESTIONS: dict[str, tuple[Callable[[int], PlanInput], float]] = {
    "alike": (alike, 19),
    "each in other groups": (each_in_other_groups, 23),
}


def outlook(plan_input: PlanInput) -> AccessForecast:
    return forecast_access(plan_input.live, plan_input.directory, make(plan_input).changes)


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_user_costs_so_many_calls(what: str):
    asked, limit = QUESTIONS[what]

    def work(number: int) -> Callable[[], object]:
        ends = outlook(asked(number))
        return lambda: cohorts_of(ends)

    assert each(work, SMALL, LARGE) <= limit


@pytest.mark.parametrize("what", QUESTIONS)
def test_equal_users_are_worked_out_once(what: str):
    ends = outlook(QUESTIONS[what][0](LARGE))
    causes = Causes(ends, ends.directory)
    touching = tuple(sorted(ends.touched))
    (row,) = cohorts_of(ends)
    for number in range(LARGE):
        assert causes.of(number, touching, row.before, row.after) == row.causes
    assert causes.worked_out == 1


def test_many_changes_that_are_needed_together_are_found_in_few_evaluations():
    """Forty mappings that each take a user off the default: evaluations grow with their square at most."""
    names = [f"G{n}" for n in range(40)]
    asked = ask(config(dict.fromkeys(names, "member: Y")), live(dict.fromkeys(names, "")), [person("ann", *names)])
    ends = outlook(asked)
    (row,) = cohorts_of(ends)
    assert any(len(cause.addresses) == len(names) and not cause.each for cause in row.causes)
    assert each(lambda number: lambda: [cohorts_of(ends) for _ in range(number)], 1, 3) <= 2_066
