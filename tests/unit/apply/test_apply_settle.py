"""Test writes whose response is lost or differs from the org: resolved by the value, or by the audit log."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from rolecall.apply.settle import changed_since, confirm, look_up, unconfirmed
from rolecall.apply.steps import Numbered, satisfies
from rolecall.errors import OrgError, Problem
from rolecall.model.change import Change
from rolecall.model.live import UNREAD, Coverage, Facts, Group, Live
from rolecall.model.outcome import Event
from rolecall.model.run import Step, StepOutcome
from rolecall.model.settings import BLANK, UNSET, Defaults, GroupMapping, Settings

AT = "idp_groups/A"
OLD, NEW = GroupMapping("member", frozenset({"Legal"})), GroupMapping("org_admin", frozenset({"IT"}))
OTHER = GroupMapping("member", frozenset({"Sales"}))
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SILENT = OrgError(Problem("org_silent", "no answer"))
CHANGE = Change(AT, "update", OLD, NEW, id="g1")
NUMBERED = Numbered(7, CHANGE, "v1")


def event(key: str, address: str = AT, at: datetime = NOW) -> Event:
    return Event("e1", at, "cy@acme.com", "api", address, key=key)


class Log:
    """An org of which only the audit log is asked."""

    def __init__(self, answer: Event | OrgError | None) -> None:
        self.answer, self.keys = answer, []

    async def find(self, key: str) -> Event | None:
        self.keys.append(key)
        if isinstance(self.answer, OrgError):
            raise self.answer
        return self.answer


def live(value: GroupMapping | None, coverage: Coverage = Coverage()) -> Live:
    facts = Facts(org_id="org_1", groups={"A": Group("g1")})
    return Live(Settings(idp_groups={} if value is None else {"A": value}), {"idp_groups": coverage}, facts)


def sender(**ended: StepOutcome) -> SimpleNamespace:
    outcomes = {outcome.number: outcome for outcome in ended.values()}
    return SimpleNamespace(
        ended=outcomes,
        key=lambda number: f"key-{number}",
        inferred={7, 8, 9},
        done=lambda number: number in outcomes and outcomes[number].state == "done",
    )


def corrected(ended: StepOutcome | None, org: Log, now: Live) -> list[StepOutcome]:
    sending = sender() if ended is None else sender(only=ended)
    return asyncio.run(confirm(3, sending, [NUMBERED], org, now))


DONE = StepOutcome(7, AT, "done", NEW, "v2")


@pytest.mark.parametrize(
    ("value", "log", "state"),
    [
        (NEW, SILENT, None),
        (OLD, SILENT, "unknown"),
        (OLD, event("key-7"), None),
        (OLD, event("key-8"), "not_done"),
        (OLD, None, "not_done"),
        (OTHER, None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_step_answered_as_done_is_corrected_by_the_value_and_the_log(value, log, state):
    org = Log(log)
    outcomes = corrected(DONE, org, live(value))
    assert [outcome._replace(problem=None) for outcome in outcomes] == (
        [] if state is None else [StepOutcome(7, AT, state, value)]
    )
    assert all(outcome.problem for outcome in outcomes)
    assert org.keys == ([] if value == NEW else ["key-7"])


def test_each_reason_why_a_step_is_not_confirmed_has_its_own_words():
    reasons = [
        corrected(DONE, Log(log), live(value))[0].problem for value, log in ((OLD, None), (OTHER, None), (OLD, SILENT))
    ]
    assert len(set(reasons)) == 3


def test_a_section_that_was_not_read_completely_contradicts_no_answer():
    assert corrected(DONE, Log(None), live(OLD, UNREAD)) == []
    assert list(changed_since(live(OLD, UNREAD), [CHANGE], [CHANGE])) == []


@pytest.mark.parametrize(
    ("value", "outcomes"), [(NEW, [StepOutcome(7, AT, "done", NEW)]), (OLD, []), (OTHER, []), (None, [])]
)
def test_a_step_without_an_answer_is_corrected_only_where_its_value_is_there(value, outcomes):
    assert corrected(StepOutcome(7, AT, "unknown"), Log(None), live(value)) == outcomes


def test_a_step_without_an_answer_is_done_where_the_log_has_it_under_its_key():
    (outcome,) = corrected(StepOutcome(7, AT, "unknown"), Log(event("key-7")), live(OTHER))
    assert outcome[:4] == (7, AT, "done", OTHER)
    assert outcome.by == "cy@acme.com"


def test_steps_that_were_not_sent_or_failed_stay_as_they_are():
    assert corrected(None, Log(None), live(OLD)) == []
    assert corrected(StepOutcome(7, AT, "failed"), Log(None), live(OLD)) == []


def test_what_was_taken_for_done_is_unknown_where_the_org_cannot_be_read():
    outcomes = unconfirmed(
        sender(a=StepOutcome(9, AT, "done"), b=StepOutcome(7, AT, "done"), c=DONE._replace(number=8))
    )
    assert [outcome[:3] for outcome in outcomes] == [(7, AT, "unknown"), (8, AT, "unknown"), (9, AT, "unknown")]
    assert all(outcome.problem for outcome in outcomes)
    assert unconfirmed(sender(a=StepOutcome(7, AT, "failed"))) == []


def open_step(key: str | None = "rolecall/j/3/7/n0nce", **more: object) -> Step:
    return Step(**{"run": 3, "number": 7, "address": AT, "action": "update", "via": "api", "before": OLD, "after": NEW,
                   "state": "open", "key": key, "id": "g1", "at": NOW, **more})  # fmt: skip


def found(step: Step, value: GroupMapping | None, log: Event | None = None, coverage: Coverage = Coverage()):
    return asyncio.run(look_up(step, Log(log), live(value, coverage)))


@pytest.mark.parametrize(("value", "state"), [(NEW, "done"), (OLD, "not_done"), (OTHER, "unknown"), (None, "unknown")])
def test_an_open_step_is_what_the_org_holds(value, state):
    outcome = found(open_step(), value)
    assert outcome[:4] == (7, AT, state, value)
    assert (outcome.problem is None) == (state != "unknown")


def test_an_open_step_of_a_section_that_was_not_read_is_unknown():
    outcome = found(open_step(), NEW, coverage=UNREAD)
    assert outcome[:4] == (7, AT, "unknown", None)
    assert outcome.problem


OLD_KEY = "rolecall/j/3/7"


@pytest.mark.parametrize(
    ("key", "entry", "state"),
    [
        ("rolecall/j/3/7/n0nce", event("rolecall/j/3/7/n0nce", "idp_groups/B", NOW - timedelta(days=1)), "done"),
        ("rolecall/j/3/7/n0nce", event("rolecall/j/3/7/other"), "unknown"),
        (OLD_KEY, event(OLD_KEY), "done"),
        (OLD_KEY, event(OLD_KEY, "idp_groups/B"), "unknown"),
        (OLD_KEY, event(OLD_KEY, at=NOW - timedelta(minutes=5)), "done"),
        (OLD_KEY, event(OLD_KEY, at=NOW - timedelta(minutes=6)), "unknown"),
        (None, event(OLD_KEY), "unknown"),
    ],
)
def test_the_log_decides_by_the_key_and_for_a_key_of_0_1_0_by_address_and_time_too(key, entry, state):
    outcome = found(open_step(key), OTHER, entry)
    assert outcome[:4] == (7, AT, state, OTHER)
    assert outcome.by == ("cy@acme.com" if state == "done" else None)
    assert outcome.problem


def test_a_step_of_0_1_0_without_a_time_is_known_by_its_address():
    assert found(open_step(OLD_KEY, at=None), OTHER, event(OLD_KEY, at=NOW - timedelta(days=9))).state == "done"


def test_a_value_without_a_field_of_the_step_is_told_from_another_value():
    lacking = GroupMapping("org_admin", UNSET)
    assert not satisfies(lacking, NEW)
    assert found(open_step(), lacking).problem != found(open_step(), OTHER).problem


def test_a_written_address_that_changed_again_or_lacks_a_field_is_listed():
    def listed(value: GroupMapping | None, already: tuple[Change, ...] = ()) -> list[str]:
        return list(changed_since(live(value), [CHANGE], already))

    assert listed(NEW, (CHANGE,)) == []
    again, before = listed(OLD, (CHANGE,))
    assert AT in again
    assert AT in before
    assert again != before
    (lacking,) = listed(GroupMapping("org_admin", UNSET))
    assert "teams" in lacking
    assert lacking != again


@pytest.mark.parametrize(
    ("value", "requested", "same"),
    [
        (NEW, NEW, True),
        (OLD, NEW, False),
        (None, BLANK, True),
        (BLANK, None, True),
        (None, None, True),
        (None, NEW, False),
        (NEW, None, False),
        (Defaults("member", UNSET), Defaults("member", UNSET), True),
        (Defaults("member", frozenset({"A"})), Defaults("member", UNSET), True),
        (Defaults("member", UNSET), Defaults("member", frozenset({"A"})), False),
    ],
)
def test_a_value_satisfies_what_was_requested(value, requested, same):
    assert satisfies(value, requested) is same
