"""Test a plan that was partially applied before: by which run, and from which state the rest is evaluated."""

from __future__ import annotations

from datetime import timedelta

import orgs
import pytest
from small_org import ask, config, live

from rolecall.apply.resume import applied_already, applied_by, approved_state
from rolecall.model.change import Change
from rolecall.model.run import Run, RunFacts, Step
from rolecall.model.settings import BLANK, UNSET, Defaults, GroupMapping, Scim
from rolecall.plan.make import make
from rolecall.plan.value import Plan

NAMES = "ABCDEFG"
WANTED = dict.fromkeys(NAMES, "member: X")
OLD, NEW = GroupMapping("member", frozenset({"Y"})), GroupMapping("member", frozenset({"X"}))


def plan(done: str = "") -> Plan:
    """The plan that is left when the groups in ``done`` are mapped already."""
    held = {name: "member: X" if name in done else "member: Y" for name in NAMES}
    return make(ask(config(WANTED), live(held), []))


def run(number: int, names: str, state: str = "done", *, minutes: int = 5, after=NEW, ids=True) -> Run:
    steps = tuple(
        Step(number, at, f"idp_groups/{name}", "update", "api", OLD, after, state, id=f"id-{name}" if ids else None)
        for at, name in enumerate(names, 1)
    )
    return Run(
        number,
        "org_1",
        "apply",
        orgs.NOW + timedelta(minutes=minutes),
        None,
        "open",
        RunFacts(actor="ann"),
        steps=steps,
    )


def test_what_is_as_planned_already_is_no_longer_due():
    assert [change.address for change in applied_already(plan(), plan("AC"))] == ["idp_groups/A", "idp_groups/C"]
    assert applied_already(plan(), plan()) == ()


def test_each_run_is_named_with_its_number_actor_and_what_it_applied():
    notes = list(applied_by(plan(), plan("ABC"), [run(8, "C"), run(7, "AB")]))
    assert len(notes) == 2
    first, second = notes
    assert "Run 7 " in first
    assert "2 of the 7" in first
    assert "idp_groups/A and idp_groups/B" in first
    assert "idp_groups/C" not in first
    assert "Run 8 " in second
    assert "by ann" in second


def test_of_many_changes_the_first_five_are_named():
    (note,) = applied_by(plan(), plan("ABCDEF"), [run(7, "ABCDEF")])
    assert "6 of the 7" in note
    assert "idp_groups/E" in note
    assert "idp_groups/F" not in note
    (whole,) = applied_by(plan(), plan(NAMES), [run(7, NAMES)])
    assert "Run 7" in whole
    assert "idp_groups" not in whole


@pytest.mark.parametrize(
    "other",
    [
        run(7, "A", "failed"),
        run(7, "A", "human"),
        run(7, "A", minutes=-1),
        run(7, "A", after=OLD),
        run(7, "A", ids=False),
        run(7, "B"),
    ],
)
def test_a_change_that_no_run_since_the_plan_applied_is_only_there_already(other):
    (note,) = applied_by(plan(), plan("A"), [other])
    assert "7" not in note
    assert "idp_groups/A" in note


def test_a_manual_step_reported_done_counts():
    (note,) = applied_by(plan(), plan("A"), [run(7, "A", "attested")])
    assert "Run 7" in note


def test_the_newest_run_that_applied_a_change_is_the_one():
    (note,) = applied_by(plan(), plan("A"), [run(9, "A"), run(7, "A")])
    assert "Run 9" in note


def observed(*names: str) -> Plan:
    org = live(dict.fromkeys(NAMES, "member: Y"), observed=True, can=frozenset())
    return make(ask(config({**dict.fromkeys(NAMES, "member: Y"), **dict.fromkeys(names, "member: X")}), org, []))


def test_the_newest_run_that_recorded_all_manual_steps_is_named():
    approved = observed("A", "B")
    runs = [run(9, "A", "human"), run(8, "AB", "human"), run(7, "AB", "human")]
    assert [note for note in applied_by(approved, approved, runs) if "Run 8" in note]
    assert len(list(applied_by(approved, approved, runs))) == 1
    assert list(applied_by(approved, approved, [run(9, "A", "human")])) == []
    assert list(applied_by(plan(), plan(), [run(9, NAMES, "human")])) == []


def test_the_state_that_was_approved_is_the_org_without_what_was_applied_since():
    org = live({"A": "member: X", "B": "member: Y"})
    done = Change("idp_groups/A", "update", OLD, NEW, id="id-A")
    before = approved_state(org, [done])
    assert before.settings.idp_groups == {"A": OLD, "B": OLD}
    created = approved_state(org, [done._replace(action="create", before=None)])
    assert created.settings.idp_groups["A"] == BLANK
    renamed = approved_state(org, [done._replace(address="idp_groups/Former")])
    assert renamed.settings.idp_groups == {"A": OLD, "B": OLD}
    gone = approved_state(org, [done._replace(address="idp_groups/Gone", id="id-Gone")])
    assert gone.settings == org.settings


@pytest.mark.parametrize(
    ("before", "after", "known"),
    [
        (Scim(enabled=False), Scim(enabled=True), False),
        (Scim(endpoint="legacy"), Scim(endpoint="upgrading"), False),
        (Scim(manual_editing=True), Scim(manual_editing=False), True),
        (Defaults("member", UNSET), Defaults("team_admin", UNSET), True),
    ],
)
def test_what_changes_more_than_its_own_setting_cannot_be_undone_in_thought(before, after, known):
    at = "scim" if isinstance(before, Scim) else "defaults"
    org = live({"A": "member: X"})
    assert (approved_state(org, [Change(at, "update", before, after)]) is not None) is known
