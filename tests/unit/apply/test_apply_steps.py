"""Test parallel steps: how many, what is recorded before them, and what continues while one takes long."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from rolecall.apply import steps
from rolecall.apply.run import unrecorded
from rolecall.apply.steps import NOT_A_NO, ApplyContext, Sender, end_of, numbered, written
from rolecall.errors import OrgError, Problem
from rolecall.journal.port import Holder, JournalError
from rolecall.model.change import Change
from rolecall.model.outcome import Done, Event, Failed, Moved, Outcome, Refused, Unknown
from rolecall.model.run import Opening, PlannedStep, RunFacts, StepOutcome
from rolecall.model.settings import Domain, GroupMapping

GIVES = GroupMapping("member", frozenset({"Brand"}))
NUMBERED = numbered([Change(f"idp_groups/G{n}", "create", None, GIVES) for n in range(6)], {})


class Log:
    """A journal and its lock, as far as a sender asks of them. ``full`` is how many batches of intents it takes."""

    id = "j"

    def __init__(self, full: int = 99) -> None:
        self.intents: list[list[int]] = []
        self.settled: list[int] = []
        self._full = full

    def intend(self, _run, intents):
        if len(self.intents) == self._full:
            raise JournalError(Problem("journal", "no room"))
        self.intents.append([intent.number for intent in intents])

    def settle(self, _run, ended):
        self.settled += [end.number for end in ended]


class SlowOrg:
    """An org in which the first write ends once ``until`` others were begun."""

    def __init__(self, until: int) -> None:
        self.begun = 0
        self.most = self._now = 0
        self._until = until
        self._enough = asyncio.Event()

    async def write(self, change, _version, _key):
        self.begun += 1
        self._now += 1
        self.most = max(self.most, self._now)
        if self.begun > self._until:
            self._enough.set()
        if change.address == "idp_groups/G0":
            await self._enough.wait()
        self._now -= 1
        return Done(change.after, None)


def send(log: Log, until: int) -> SlowOrg:
    async def run() -> SlowOrg:
        org = SlowOrg(until)
        now = datetime(2026, 11, 22, tzinfo=UTC)
        context = ApplyContext(org=org, journal=log, holder=Holder("test"), now=lambda: now, parallelism=2)
        sender = Sender(context, log, 1, 6, now)
        try:
            await sender.level(NUMBERED)
        finally:
            log.settled.sort()
        return org

    return asyncio.run(run())


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH", 2)


def test_a_step_that_takes_long_does_not_hold_up_those_of_the_next_batch():
    log = Log()
    org = send(log, until=5)
    assert (org.begun, org.most) == (6, 2)
    assert log.intents == [[1, 2], [3, 4], [5, 6]]
    assert log.settled == [1, 2, 3, 4, 5, 6]


def test_what_is_in_hand_ends_and_is_kept_when_no_more_intents_can_be_recorded():
    log = Log(full=1)
    with pytest.raises(JournalError, match="no room"):
        send(log, until=1)
    assert log.settled == [1, 2]


OLD, NEW, OTHER = (GroupMapping("member", frozenset({team})) for team in ("Old", "New", "Other"))
UPDATE = Change("idp_groups/A", "update", OLD, NEW, id="g1")
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("outcome", "state", "value", "version"),
    [
        (Done(NEW, "v2"), "done", NEW, "v2"),
        (Done(OTHER, "v2"), "failed", OTHER, "v2"),
        (Failed(OTHER), "failed", OTHER, None),
        (Moved(NEW, "v2"), "done", NEW, "v2"),
        (Moved(OTHER, "v2"), "moved", OTHER, "v2"),
        (Refused(Problem("org_403", "forbidden")), "refused", None, None),
        *((Refused(Problem(code, "no time")), "failed", None, None) for code in sorted(NOT_A_NO)),
        (Unknown(Problem("org_silent", "no response")), "unknown", None, None),
    ],
)
def test_what_the_journal_has_of_an_outcome(outcome, state, value, version):
    ended = end_of(7, UPDATE, outcome)
    assert ended._replace(problem=None) == StepOutcome(7, "idp_groups/A", state, value, version)
    assert (ended.problem is None) is (state == "done")
    if isinstance(outcome, Refused | Unknown):
        assert ended.problem == str(outcome.problem)


class Org:
    """An org that ends each write as it is told to, and has an audit log."""

    def __init__(self, *outcomes: Outcome, log: tuple[Event, ...] = (), silent: bool = False) -> None:
        self.outcomes, self.log, self.silent = list(outcomes), log, silent
        self.asked: list[tuple[str | None, str]] = []

    async def write(self, _change, version, key):
        self.asked.append((version, key))
        return self.outcomes.pop(0)

    async def find(self, key):
        if self.silent:
            raise OrgError(Problem("org_silent", "no response"))
        return next((event for event in self.log if event.key in (key, "any")), None)

    async def since(self, _moment):
        if self.silent:
            raise OrgError(Problem("org_silent", "no response"))
        return list(self.log)


def sent(org: Org, version: str | None = "v1", stop=lambda: False) -> tuple[Sender, Log]:
    async def run() -> tuple[Sender, Log]:
        log = Log()
        context = ApplyContext(org=org, journal=log, holder=Holder("test"), now=lambda: NOW, stop=stop)
        sender = Sender(context, log, 3, 1, NOW, nonce="n0nce")
        await sender.level(numbered([UPDATE], {"idp_groups/A": version}))
        return sender, log

    return asyncio.run(run())


def event(actor: str, address: str = "idp_groups/A", key: str | None = None) -> Event:
    return Event("e", NOW, actor, "console", address, key=key)


def test_a_write_goes_out_with_the_version_that_was_read_under_the_key_of_its_step():
    org = Org(Done(NEW, "v2"))
    sender, _ = sent(org)
    assert org.asked == [("v1", "rolecall/j/3/1/n0nce")]
    assert sender.versions == {"idp_groups/A": "v2"}
    assert (sender.done(1), sender.done(2)) == (True, False)


def test_a_write_that_came_too_late_for_nothing_of_ours_is_sent_once_more_with_the_new_version():
    org = Org(Moved(OLD, "v2"), Done(NEW, "v3"))
    sender, _ = sent(org)
    assert org.asked == [("v1", "rolecall/j/3/1/n0nce"), ("v2", "rolecall/j/3/1/n0nce")]
    assert sender.ended[1].state == "done"
    assert sender.inferred == set()


@pytest.mark.parametrize(
    ("log", "silent", "who"),
    [
        ((event("ann"), event("bo"), event("cy", "idp_groups/B")), False, "bo"),
        ((), False, "someone else"),
        ((event("ann"),), True, "someone else"),
    ],
)
def test_who_was_faster_is_named_as_the_log_has_it(log, silent, who):
    sender, _ = sent(Org(Moved(OTHER, "v2"), log=log, silent=silent))
    assert (sender.ended[1].state, sender.ended[1].by) == ("moved", who)


def test_a_value_that_is_as_planned_without_a_write_of_ours_is_inferred():
    sender, _ = sent(Org(Moved(NEW, "v2"), log=(event("ann"),)))
    assert (sender.ended[1].state, sender.ended[1].by, sender.inferred) == ("done", "ann", {1})


def test_our_own_write_in_the_log_is_not_sent_again():
    org = Org(Moved(OLD, "v2"), log=(event("us", key="rolecall/j/3/1/n0nce"),))
    sender, _ = sent(org)
    assert len(org.asked) == 1
    assert (sender.ended[1].state, sender.ended[1].by, sender.inferred) == ("moved", None, set())


@pytest.mark.parametrize(("key", "found"), [("k", True), ("any", False)])
def test_a_write_is_known_by_its_key(key, found):
    assert (asyncio.run(written(Org(log=(event("us", key=key),)), "k")) is not None) is found
    assert asyncio.run(written(Org(log=(event("us", key=key),), silent=True), "k")) is None


def test_a_run_that_is_stopped_says_of_each_recorded_step_that_it_was_not_sent():
    answers = iter([False, True, True])
    sender, log = sent(Org(), stop=lambda: next(answers, True))
    assert log.intents == [[1]]
    assert (sender.ended[1].state, bool(sender.ended[1].problem)) == ("not_done", True)


def test_a_run_that_could_not_be_recorded_is_as_its_process_knows_it():
    planned = [
        PlannedStep(1, "idp_groups/A", "update", "api", OLD, NEW, "g1"),
        PlannedStep(2, "idp_groups/B", "create", "api", None, NEW),
        PlannedStep(3, "domains/acme.de", "create", "human", None, Domain(True)),
        PlannedStep(4, "idp_groups/C", "create", "api", None, NEW),
    ]
    begun = Opening("org_1", "apply", RunFacts(actor="ann"), "d1gest", "{}", planned)
    ended = {1: StepOutcome(1, "idp_groups/A", "moved", OTHER, "v2", "someone was faster", "bo")}
    sender = Sender(None, None, 9, 4, NOW, ended=ended, began={1, 2})  # type: ignore[arg-type]
    run = unrecorded(9, begun, NOW, sender)
    assert (run.id, run.org_id, run.kind, run.started_at, run.ended_at) == (9, "org_1", "apply", NOW, None)
    assert (run.outcome, run.facts.actor, run.digest) == ("open", "ann", "d1gest")
    assert [(step.number, step.state) for step in run.steps] == [
        (1, "moved"),
        (2, "open"),
        (3, "human"),
        (4, "not_tried"),
    ]
    first = run.steps[0]
    assert (first.found, first.problem, first.by, first.id) == (OTHER, "someone was faster", "bo", "g1")
