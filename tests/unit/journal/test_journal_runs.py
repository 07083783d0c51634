"""Test runs and their steps: recorded during the run, read back unchanged."""

from __future__ import annotations

from datetime import timedelta

import pytest
from journals import ADMIN, ADMINS, BRAND, ME, MEMBER, ORG, START, Ticking, ended, intent, opening

from rolecall.journal.port import Journal, JournalError
from rolecall.model.policy import Allow
from rolecall.model.run import Approval, Attestation, Opening, RunFacts
from rolecall.model.sighting import Holding, Sighting


def test_a_run_reads_back_as_it_began(journal: Journal) -> None:
    lift = Allow("max_people_losing_access", "idp_groups/Writer-*", 40, START.date(), "CHG-4411")
    approval = Approval("bo@acme.com", START, "https://git.example.com/acme/1", "review")
    number = journal.begin(opening(lifts=[lift], approvals=[approval, Approval("pipeline")]))
    run = journal.run(number)
    assert run is not None
    assert (run.id, run.org_id, run.kind, run.outcome, run.digest) == (number, ORG, "apply", "open", "d1gest")
    assert (run.lifts, run.approvals) == ((lift,), (approval, Approval("pipeline")))
    assert (run.facts.env, run.facts.commit) == ("prod", "c0ffee")
    assert (run.started_at, run.ended_at) == (START + timedelta(seconds=1), None)
    assert [(step.number, step.state) for step in run.steps] == [(1, "not_tried"), (2, "not_tried"), (3, "human")]
    assert (run.steps[0].before, run.steps[0].after, run.steps[1].before) == (MEMBER, ADMIN, None)
    assert journal.plan(number) == '{"format_version":"1.0"}'


def test_steps_go_from_intent_to_outcome(journal: Journal) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1), intent(2)])
        assert [step.number for step in journal.open_steps(ORG)] == [1, 2]
        journal.settle(number, [ended(1, found=ADMIN, version="8"), ended(2, "failed", problem="503, four tries")])
    journal.close_run(number, "incomplete", "1 of 3 steps done")
    run = journal.run(number)
    assert run is not None
    first, second, third = run.steps
    assert (first.state, first.key, first.version, first.found) == ("done", "rolecall/j/1/1", "8", ADMIN)
    assert (second.state, second.problem, second.before, second.version) == ("failed", "503, four tries", None, "7")
    assert (third.state, run.human) == ("human", (third,))
    assert (run.outcome, run.message, run.count("done", "failed")) == ("incomplete", "1 of 3 steps done", 2)
    assert run.ended_at is not None
    assert run.ended_at > run.started_at
    assert journal.open_steps(ORG) == ()


def test_an_unknown_outcome_stays_open_until_it_is_settled(journal: Journal) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1)])
        journal.settle(number, [ended(1, "unknown", problem="no answer")])
        journal.close_run(number, "incomplete")
        assert [step.state for step in journal.open_steps(ORG)] == ["unknown"]
        journal.settle(number, [ended(1, by="bo@acme.com", found=ADMIN)])
        assert journal.open_steps(ORG) == ()
    run = journal.run(number)
    assert run is not None
    assert (run.outcome, run.steps[0].state, run.steps[0].by) == ("incomplete", "done", "bo@acme.com")


def test_a_second_try_of_a_step_is_open_again(journal: Journal) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(1, version="7")])
        journal.settle(number, [ended(1, "moved", version="8")])
        held.intend(number, [intent(1, version="8")])
        (step,) = journal.open_steps(ORG)
    assert (step.state, step.version) == ("open", "8")


def test_a_person_attests_a_human_step(journal: Journal) -> None:
    number = journal.begin(opening())
    journal.close_run(number, "done")
    journal.attest(number, Attestation(3, "cy@acme.de", "claim.png", "ab" * 32))
    run = journal.run(number)
    assert run is not None
    assert (run.steps[2].state, run.steps[2].by, run.steps[2].evidence) == ("attested", "cy@acme.de", "claim.png")
    assert run.human == ()


def test_runs_come_newest_first_and_orgs_do_not_mix(journal: Journal) -> None:
    numbers = [journal.begin(opening(org_id=org)) for org in (ORG, "org_2", ORG, "org_2", ORG)]
    assert [run.id for run in journal.runs(ORG)] == [numbers[4], numbers[2], numbers[0]]
    assert [run.id for run in journal.runs(ORG, limit=2)] == [numbers[4], numbers[2]]
    assert [run.id for run in journal.runs(limit=3)] == [numbers[4], numbers[3], numbers[2]]
    assert journal.runs("org_3") == ()
    assert len({run.hash for run in journal.runs()}) == 5


def test_a_run_without_a_plan_or_steps(journal: Journal) -> None:
    number = journal.begin(Opening(ORG, "drift", RunFacts(actor="cron")))
    journal.close_run(number, "nothing")
    run = journal.run(number)
    assert run is not None
    assert (run.kind, run.steps, run.outcome, journal.plan(number)) == ("drift", (), "nothing", None)


def test_a_run_that_is_not_there(journal: Journal) -> None:
    assert (journal.run(77), journal.plan(77)) == (None, None)
    with pytest.raises(JournalError, match="has no run 77"):
        journal.close_run(77, "done")
    with pytest.raises(JournalError, match="history"):
        journal.settle(77, [ended()])


def test_two_sessions_see_each_others_runs(journal: Journal, other: Journal) -> None:
    assert journal.id == other.id
    first, second = journal.begin(opening()), other.begin(opening())
    assert first != second
    assert [run.id for run in journal.runs(ORG)] == [second, first]
    assert other.verify(ORG).problems == ()


def test_values_of_every_kind_survive(journal: Journal) -> None:
    number = journal.begin(opening())
    with journal.lock(ORG, ME) as held:
        held.intend(number, [intent(2)])
    run = journal.run(number)
    assert run is not None
    assert [(step.address, step.after) for step in run.steps[:2]] == [(ADMINS, ADMIN), (BRAND, MEMBER)]


def test_sightings_by_time(journal: Journal, clock: Ticking) -> None:
    bo = Holding("bo@acme.com", "u1", "org_admin", "IT", ("group:Writer-Admins",), ADMINS, "groups.yaml:3")
    for days in (0, 2, 5):
        number = journal.begin(Opening(ORG, "drift"))
        at = START + timedelta(days=days)
        journal.sight(number, Sighting(at, (bo,), {"org_admin": 1 + days}, {"IT": 3}, complete=days != 2))
    first, second, third = journal.sightings(ORG)
    assert (first.holdings, first.roles, first.teams, first.complete) == ((bo,), {"org_admin": 1}, {"IT": 3}, True)
    assert (second.complete, third.run) == (False, number)
    assert first.hash
    assert journal.sightings(ORG, since=START + timedelta(days=1), until=START + timedelta(days=2)) == (second,)
    assert journal.sighting_at(ORG, START + timedelta(days=4)) == (second, third)
    assert journal.sighting_at(ORG, START) == (first, second)
    assert journal.sighting_at(ORG, START - timedelta(days=1)) == (None, first)
    assert journal.sighting_at("org_2", START) == (None, None)


def test_small_notes_are_kept_by_key(journal: Journal) -> None:
    journal.keep(ORG, "told", ["a1", "b2"])
    journal.keep("org_2", "told", [])
    assert (journal.recall(ORG, "told"), journal.recall("org_2", "told"), journal.recall(ORG, "x")) == (
        ["a1", "b2"],
        [],
        None,
    )
    journal.keep(ORG, "told", None)
    assert journal.recall(ORG, "told") is None


def test_runs_of_some_kinds_alone(journal: Journal) -> None:
    kinds = ("apply", "drift", "drift", "rollback", "drift")
    numbers = [journal.begin(Opening(ORG, kind)) for kind in kinds]
    journal.begin(Opening("org_2", "apply"))
    assert [run.id for run in journal.runs(ORG, None, ("apply", "rollback"))] == [numbers[3], numbers[0]]
    assert [run.id for run in journal.runs(ORG, 2, {"drift"})] == [numbers[4], numbers[2]]
    assert [run.kind for run in journal.runs(None, None, ["apply"])] == ["apply", "apply"]
    assert journal.runs("org_2", 5, ("drift",)) == ()
