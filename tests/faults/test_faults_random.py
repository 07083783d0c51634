"""Random orgs, random plans, faults at random moments: the laws that hold after every one of them.

Nothing is written twice, nothing outside the plan; the journal tells the truth; wherever the run stopped, nobody lacks
what both ends give, unless the plan had said so; and applying again ends at desired.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from fault_orgs import Wish, wishes
from fault_site import BY_HAND, JumpingClock, Site
from fault_wire import ATTEMPTS, JOURNAL_FAULTS, WIRE_FAULTS, Life
from hypothesis import event, given, settings
from hypothesis import strategies as st

from rolecall.codec.settings import encode_value
from rolecall.errors import Stale
from rolecall.model.kinds import split_address
from rolecall.plan.forecast import State, forecast_access
from rolecall.plan.impact.meanwhile import between


def spread(stretches: list[tuple[int, str, int]]) -> dict[int, str]:
    """Faults by request: each goes on for a stretch, long enough now and then to outlast every new try."""
    return {at: fault for first, fault, length in stretches for at in range(first, first + length)}


moments = st.one_of(st.integers(1, 25), st.integers(7, 11))
"""Anywhere, and rather often where the writes begin."""
stretches = st.tuples(moments, st.sampled_from(WIRE_FAULTS), st.sampled_from([1, 1, 2, 4, 5, 9]))
wire_faults = st.lists(stretches, max_size=3).map(spread)
disk_faults = st.dictionaries(st.integers(1, 9), st.sampled_from(JOURNAL_FAULTS), max_size=1)
lives = st.builds(Life, wire_faults, disk_faults)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory):
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.close()


@settings(max_examples=settings.default.max_examples // 2)
@given(wishes(), st.data())
def test_the_laws_hold_after_any_faults(site: Site, wish: Wish, data: st.DataObject) -> None:
    site.become(wish)
    approved = site.plan(wish.desired)
    first, people = site.seen()
    outlook = forecast_access(first, people, approved.writes)
    for _ in range(ATTEMPTS):
        life = data.draw(lives)
        jumps = data.draw(st.lists(st.integers(-100, 100), min_size=1, max_size=3))
        report, error = site.apply(approved, life, clock=JumpingClock(jumps), parallelism=data.draw(st.integers(1, 3)))
        event("killed" if life.dead else "refused" if error else report.run.outcome)
        event("a step was " + ("unknown" if report and report.run.count("unknown") else "known"))
        told = (life, report, error)
        nothing_twice_and_nothing_else(site, approved, told)
        if "by_hand" not in life.hit and not approved.impact.transients:
            now, _ = site.seen()
            rows = between(outlook, people, State(now.settings, now.facts))
            assert not any(row.dip or row.spike for row in rows), (told, rows)
        the_next_apply_gets_there(site, wish, life, told)
        site.reset()


def nothing_twice_and_nothing_else(site: Site, approved, told) -> None:
    planned = {
        change.address: encode_value(split_address(change.address)[0], change.after) for change in approved.writes
    }
    events = site.events()
    assert {at for at, _, _ in events} <= planned.keys(), told
    assert all(number == 1 for number in Counter(key for _, key, _ in events).values()), told
    for at, _, after in events:
        stored, wanted = json.loads(after) if after else None, planned[at]
        blank = not wanted or not any(wanted.values())
        assert blank or wanted.items() <= stored.items(), (told, at, stored)


def the_next_apply_gets_there(site: Site, wish: Wish, life: Life, told) -> None:
    again = site.plan(wish.desired)
    report, error = site.apply(again)
    assert error is None, (told, error)
    assert report.run.outcome in ("done", "nothing"), (told, report)
    assert site.plan(wish.desired).writes == (), told
    journal = site.journal(Life())
    keys = {key for _, key, _ in site.events()}
    for run in journal.runs("org_1"):
        assert run.outcome != "open", told
        for step in run.steps:
            if step.state == "done" and "by_hand" not in life.hit:
                assert step.key in keys, (told, step)
            if step.state in ("not_tried", "not_done", "refused"):
                assert step.key not in keys, (told, step)
    assert journal.open_steps("org_1") == (), told
    assert journal.verify("org_1").problems == (), told
    journal.close()


@given(wishes())
def test_without_faults_requests_are_reads_and_one_a_change(site: Site, wish: Wish) -> None:
    site.become(wish)
    approved = site.plan(wish.desired)
    report, error = site.apply(approved)
    assert error is None
    assert report.run.outcome == ("done" if approved.writes else "nothing")
    is_write = [request.method != "GET" and not request.path.endswith("/search") for request in site.requests]
    assert sum(is_write) == len(approved.writes) == report.requests
    touched = {split_address(change.address)[0] for change in approved.writes}
    closing = (1 + len(touched | ({"idp_groups"} if "scim" in touched else set()))) if touched else 0
    whom = sum(request.path == "/v1/people" for request in site.requests[approved.requests.read :])
    assert whom <= 1, "who holds what is looked at once, at the end, unless everybody was read to begin with"
    assert len(site.requests) == approved.requests.read + len(approved.writes) + closing + whom


@given(wishes(), st.integers(1, 14))
def test_a_hand_in_the_middle_is_never_written_over(site: Site, wish: Wish, at: int) -> None:
    """Whoever changes by hand what a plan changes, at whatever moment of the run, is not overruled by it."""
    site.become(wish)
    approved = site.plan(wish.desired)
    life = Life({at: "by_hand"})
    report, error = site.apply(approved, life)
    if life.hit:
        assert site.mapping("A") == BY_HAND, (report, error)
    if error is not None:
        assert isinstance(error, Stale)
        assert site.events() == []
