"""What one more user costs where many users are alike: calls of a plan, and bytes of its file.

A limit is a tenth above what was counted when it was written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from counting import each
from small_org import ask, config, live, person

from rolecall.jobs.saved import plan_json
from rolecall.model.settings import Defaults
from rolecall.plan import headline, moves
from rolecall.plan.headline import shift_of
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.saved import encode
from rolecall.plan.saved.encode import encode_plan
from rolecall.report.builders import shares
from rolecall.report.builders.plan import plan_document

SMALL, LARGE = 200, 600


@pytest.fixture(autouse=True)
def _listed() -> Iterator[None]:
    """A class of more than 100 users is large."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moves, "LISTED", 100)
        patch.setattr(encode, "LISTED", 100)
        yield


def default_changed(number: int) -> PlanInput:
    """Everyone has the default access, which changes."""
    people = [person(f"p{n:04}") for n in range(number)]
    return ask(config({}, defaults=Defaults("member", frozenset({"Elsewhere"}))), live({}), people)


def group_moved(number: int) -> PlanInput:
    """Everyone is in one group, whose mapping changes."""
    people = [person(f"p{n:04}", "G") for n in range(number)]
    return ask(config({"G": "member: Elsewhere"}), live({"G": "member: Here"}), people)


def each_in_another_class(number: int) -> PlanInput:
    """Each user is in a changed group of their own."""
    people = [person(f"p{n:04}", f"G{n}") for n in range(number)]
    groups = [f"G{n}" for n in range(number)]
    wanted, before = dict.fromkeys(groups, "member: Elsewhere"), {name: f"member: {name}" for name in groups}
    return ask(config(wanted), live(before), people)


QUESTIONS = {"default changed": default_changed, "group moved": group_moved}
CALLS = {"default changed": 10, "group moved": 14}


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_plan_costs_so_many_calls_for_a_user_like_others(what: str):
    def work(number: int):
        plan_input = QUESTIONS[what](number)
        return lambda: make(plan_input)

    assert each(work, SMALL, LARGE) <= CALLS[what]


@pytest.mark.parametrize("what", QUESTIONS)
def test_a_user_like_others_takes_no_bytes_in_a_saved_plan(what: str):
    small, large = (len(plan_json(make(QUESTIONS[what](number)))) for number in (SMALL, LARGE))
    assert abs(large - small) <= 0.05 * (LARGE - SMALL)


def test_a_user_in_a_class_of_its_own_takes_so_many_bytes():
    """Most of them are of the change of the user's group; the user is stated once."""
    texts = [plan_json(make(each_in_another_class(number))) for number in (SMALL, LARGE)]
    assert (len(texts[1]) - len(texts[0])) / (LARGE - SMALL) <= 1_000
    assert texts[1].count("p0150@") == 1


def test_a_report_computes_twice_how_the_access_of_a_class_changes(monkeypatch: pytest.MonkeyPatch):
    """Once for the summary, once for the change that causes it."""
    plan, counted = make(each_in_another_class(SMALL)), Counter[str]()
    for module in (headline, shares):
        monkeypatch.setattr(module, "shift_of", partial(_count, counted, shift_of))
    plan_document(plan)
    assert len(plan.impact.moves) == SMALL
    assert counted.total() <= 2 * SMALL + 2


def _count(counted: Counter[str], function: Callable[[Any], Any], move: Any) -> Any:
    counted[function.__name__] += 1
    return function(move)


def test_equal_team_roles_are_one_object_in_the_json_of_a_plan():
    before = [group["before"][0] for group in encode_plan(make(group_moved(SMALL)))["impact"]["groups"]]
    again = [group["before"][0] for group in encode_plan(make(group_moved(SMALL)))["impact"]["groups"]]
    assert before[0] is again[0]
