"""The search for a better order of steps is bounded by counted work, however large the reorganization is."""

from __future__ import annotations

import random

import pytest
from counting import count
from small_org import ask, config, live, person

from rolecall.plan.draft import draft_plan
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.order.risk import Risk, at_risk
from rolecall.plan.order.steps import order
from rolecall.plan.order.swap import WORK, improved
from rolecall.plan.order.transients import Timeline, weight
from rolecall.report.builders.plan import plan_document

LIMIT = 50_000
CALLS = 2.4
"""Calls, at most, for each evaluation that the limit counts."""


def reorganization(users: int, mappings: int = 150, changed: int = 60, groups: int = 12) -> PlanInput:
    """Many mappings change hands between the same teams, and every user is in many of these groups."""
    chance = random.Random("reorganization")
    teams = [f"T{number}" for number in range(20)]
    before = {f"G{number:03}": f"member: {chance.choice(teams)}" for number in range(mappings)}
    after = before | {name: f"member: {chance.choice(teams)}" for name in chance.sample(sorted(before), changed)}
    people = [person(f"p{n:04}", *chance.sample(sorted(before), groups)) for n in range(users)]
    return ask(config(after), live(before), people)


def unimproved(plan_input: PlanInput) -> tuple[list, tuple[Risk, ...], AccessForecast]:
    found = draft_plan(plan_input)
    forecast = found.forecast.with_people(plan_input.directory)
    steps = sorted(order(found.chosen, forecast).changes, key=lambda change: (change.wave, change.address))
    return steps, at_risk(forecast), forecast


@pytest.mark.parametrize("users", [150, 300])
def test_the_search_takes_no_more_work_than_its_limit(users: int):
    steps, risks, forecast = unimproved(reorganization(users))
    timeline = Timeline(forecast, steps)

    def calls(limit: int) -> int:
        return count(lambda: improved(steps, risks, timeline, limit)).calls

    assert improved(steps, risks, timeline, LIMIT).limited
    assert calls(LIMIT) - calls(0) <= CALLS * LIMIT


def test_more_work_is_never_a_worse_order_and_none_is_the_order_as_it_was():
    steps, risks, forecast = unimproved(reorganization(150))
    timeline = Timeline(forecast, steps)
    assert improved(steps, risks, timeline, 0) == (steps, True)
    weights = [
        weight(Timeline(forecast, improved(steps, risks, timeline, limit).steps), risks)
        for limit in (0, 30_000, 300_000)
    ]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < weights[0]


def test_the_limit_is_about_a_second():
    assert WORK <= 3_000_000


def test_a_plan_whose_search_reached_its_limit_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("rolecall.plan.order.steps.improved", lambda *rows: improved(*rows, limit=1_000))
    plan = make(reorganization(150))
    assert plan.impact.transients
    assert plan.impact.order_limited
    assert any("reached its limit" in note.text for note in plan_document(plan).users)
    assert not plan.impact._replace(order_limited=False).order_limited
