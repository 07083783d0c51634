"""Which records may confirm a step: the time from the run to a day after the report, other runs, skew, late records."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from audit_exports import record
from journals import ORG

from rolecall.codec.audit import decode_record, stored_record
from rolecall.jobs.confirm import WRITER, confirm_steps, findings, has_unconfirmed
from rolecall.journal.opened import open_journal
from rolecall.journal.port import Journal
from rolecall.model.audit import AuditLog, AuditPosition, Gap
from rolecall.model.kinds import address
from rolecall.model.live import Coverage
from rolecall.model.run import Attestation, Opening, PlannedStep
from rolecall.model.settings import Domain, Sso
from rolecall.model.target import AuditTarget, SecretRef

BEGAN = datetime(2026, 11, 12, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TARGET = AuditTarget("4711", SecretRef("env", "KEY"))
OFF, ON = Sso(enabled=True, allow_passwords=False), Sso(enabled=True, allow_passwords=True)
CLOSED, OPEN = Domain(join="approval"), Domain(join="immediate")
ACME = address("domains", "acme.com")


class World:
    """A journal with a clock, and an audit log that is read into it."""

    def __init__(self, journal: Journal, clock: list[datetime]) -> None:
        self.journal, self.clock = journal, clock

    def begin(self, at: datetime, *, domain: tuple[Domain, Domain] | None = None, sso: Any = (OFF, ON)) -> int:
        self.clock[0] = at
        steps = [PlannedStep(1, address("sso"), "update", "human", *sso)] if sso else []
        steps += [PlannedStep(2, ACME, "update", "human", *domain)] if domain else []
        run = self.journal.begin(Opening(ORG, "apply", steps=steps))
        self.journal.close_run(run, "done")
        return run

    def report(self, run: int, at: datetime, number: int = 1, **more: Any) -> None:
        self.clock[0] = at
        self.journal.attest(run, Attestation(number, more.pop("by", "ann@acme.com"), **more))

    def read(
        self, *records: Any, now: datetime, unread: str = "", skew: timedelta = timedelta(), **more: Any
    ) -> AuditLog:
        """Read the log into the journal, as commands do, and confirm steps."""
        self.clock[0] = now
        position = AuditPosition("c", BEGAN - 90 * DAY, now, ended_at=None if unread else now)._replace(**more)
        stored = [stored_record(decode_record(each), now) for each in records]
        self.journal.audit.store(TARGET.writer, stored, position, now)
        coverage = Coverage("partial", problem=unread) if unread else Coverage()
        log = AuditLog((), coverage, position, skew)
        confirm_steps(self.journal, ORG, TARGET, log, now)
        return log

    def status(self, run: int, number: int = 1, now: datetime = BEGAN + 2 * DAY, **target: Any) -> str:
        shown = self.journal.run(run)
        assert shown is not None
        return findings(self.journal, TARGET._replace(**target), (shown,), now)[run, number].status


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = [BEGAN]
    with open_journal("sqlite:j.db", tmp_path, clock=lambda: clock[0]) as journal:
        yield World(journal, clock)


def allowed(at: datetime, **more: Any) -> dict[str, Any]:
    return record(**{"createdAt": at.isoformat(), **more})


def updated(at: datetime, **more: Any) -> dict[str, Any]:
    return allowed(at, **{"area": "Domain discoverability", "action": "Settings updated", "object": "acme.com", **more})


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (-timedelta(seconds=61), "not_in_log"),
        (-timedelta(seconds=60), "confirmed"),
        (HOUR, "confirmed"),
        (2 * HOUR + DAY, "confirmed"),
        (2 * HOUR + DAY + timedelta(seconds=1), "not_in_log"),
    ],
)
def test_a_record_counts_from_the_run_to_a_day_after_the_report(world: World, after: timedelta, expected: str) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    world.read(allowed(BEGAN + after), now=BEGAN + 2 * DAY)
    assert world.status(run) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [(-timedelta(seconds=61), "not_in_log"), (-timedelta(seconds=1), "unclear"), (timedelta(), "confirmed")],
)
def test_a_record_without_values_from_before_the_run_may_be_about_an_earlier_change(
    world: World, after: timedelta, expected: str
) -> None:
    run = world.begin(BEGAN, domain=(CLOSED, OPEN), sso=None)
    world.report(run, BEGAN + 2 * HOUR, 2)
    world.read(updated(BEGAN + after), now=BEGAN + 2 * DAY)
    assert world.status(run, 2) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "confirmed"),
        ({"result": "FAILURE"}, "not_in_log"),
        ({"result": None}, "unclear"),
        ({"createdAt": None}, "unclear"),
        ({"action": None}, "unclear"),
        ({"action": "Disable password"}, "not_in_log"),
        ({"area": "SAML", "action": "Enabled"}, "not_in_log"),
        ({"area": "Sign in", "action": "Enable password policy"}, "unclear"),
        ({"area": "User", "action": "Role changed", "result": None}, "not_in_log"),
        ({"source": "v9"}, "confirmed"),
        ({"actor": None}, "confirmed"),
        ({"actor": "u-17"}, "confirmed"),
        ({"actor": {"email": "bo@acme.com"}}, "another_actor"),
    ],
)
def test_a_record_must_prove_it(world: World, changes: dict[str, Any], expected: str) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    world.read(allowed(BEGAN + HOUR, **changes), now=BEGAN + 3 * HOUR)
    assert world.status(run) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("acme.com", "confirmed"), ("ACME.com", "confirmed"), ("acme.org", "not_in_log"), (None, "unclear")],
)
def test_a_record_must_name_the_domain(world: World, name: str | None, expected: str) -> None:
    run = world.begin(BEGAN, domain=(CLOSED, OPEN))
    world.report(run, BEGAN + 2 * HOUR, 2)
    world.read(updated(BEGAN + HOUR, object=name), now=BEGAN + 3 * HOUR)
    assert world.status(run, 2) == expected


def test_a_record_that_is_settled_late_confirms_at_the_next_reading(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    world.read(now=BEGAN + 3 * HOUR)
    assert world.status(run) == "not_in_log"
    assert has_unconfirmed(world.journal, TARGET, BEGAN + 3 * HOUR)
    world.read(allowed(BEGAN + HOUR), now=BEGAN + 20 * DAY)
    assert world.status(run) == "confirmed"
    assert not has_unconfirmed(world.journal, TARGET, BEGAN + 20 * DAY)


def test_a_log_that_was_last_read_before_the_report_says_so(world: World) -> None:
    run = world.begin(BEGAN)
    world.read(now=BEGAN + HOUR)
    world.report(run, BEGAN + 2 * HOUR)
    assert world.status(run) == "unread"


@pytest.mark.parametrize(
    "more",
    [
        {"unread": "no"},
        {"since": BEGAN + HOUR},
        {"gaps": (Gap(BEGAN - DAY, BEGAN + timedelta(minutes=1)),)},
        {"gaps": (Gap(BEGAN + 3 * HOUR, BEGAN + 4 * HOUR),)},
    ],
)
def test_a_log_with_missing_parts_never_says_that_the_change_is_not_in_it(world: World, more: Any) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    world.read(now=BEGAN + 5 * HOUR, **more)
    assert world.status(run) == "unread"


def test_records_that_are_no_longer_kept_are_unknown_but_a_confirmation_stays(world: World) -> None:
    runs = [world.begin(BEGAN), world.begin(BEGAN, domain=(CLOSED, OPEN), sso=None)]
    world.report(runs[0], BEGAN + HOUR)
    world.report(runs[1], BEGAN + HOUR, 2)
    world.read(allowed(BEGAN + HOUR), now=BEGAN + 2 * HOUR)
    late = BEGAN + 100 * DAY
    world.journal.audit.prune(TARGET.writer, late - 90 * DAY)
    assert (world.status(runs[0], now=late), world.status(runs[1], 2, now=late)) == ("confirmed", "unread")
    assert world.status(runs[1], 2, now=late, keep_days=900) == "unread"


@pytest.mark.parametrize("skew", [3 * HOUR, -3 * HOUR])
def test_a_clock_that_differs_is_corrected(world: World, skew: timedelta) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + HOUR)
    early = allowed(BEGAN - 2 * HOUR + skew)
    world.read(early, now=BEGAN + 5 * HOUR, skew=skew)
    assert world.journal.unconfirmed(ORG, BEGAN)
    world.read(early, allowed(BEGAN + HOUR / 2 + skew), now=BEGAN + 5 * HOUR, skew=skew)
    assert world.journal.unconfirmed(ORG, BEGAN) == ()
    shown = world.journal.run(run)
    assert shown is not None
    assert shown.steps[0].confirmation is not None
    (proof,) = shown.steps[0].confirmation.proofs
    assert (proof.at, proof.stated_at) == (BEGAN + HOUR / 2, BEGAN + HOUR / 2 + skew)


def test_the_same_step_in_two_runs(world: World) -> None:
    first = world.begin(BEGAN)
    world.report(first, BEGAN + HOUR)
    second = world.begin(BEGAN + 2 * HOUR)
    world.report(second, BEGAN + 4 * HOUR)
    world.read(allowed(BEGAN + 3 * HOUR), now=BEGAN + 5 * HOUR)
    assert (world.status(first), world.status(second)) == ("not_in_log", "confirmed")


def test_one_change_confirms_two_open_steps_that_request_it(world: World) -> None:
    runs = world.begin(BEGAN), world.begin(BEGAN + HOUR)
    for run in runs:
        world.report(run, BEGAN + 4 * HOUR)
    world.read(allowed(BEGAN + 3 * HOUR), now=BEGAN + 5 * HOUR)
    assert [world.status(run) for run in runs] == ["confirmed", "confirmed"]


def test_a_record_without_values_does_not_confirm_two_opposite_steps(world: World) -> None:
    first = world.begin(BEGAN, domain=(CLOSED, OPEN))
    second = world.begin(BEGAN + HOUR, domain=(OPEN, CLOSED))
    world.report(first, BEGAN + 4 * HOUR, 2)
    world.report(second, BEGAN + 4 * HOUR, 2)
    world.read(updated(BEGAN + 3 * HOUR), now=BEGAN + 5 * HOUR)
    assert (world.status(first, 2), world.status(second, 2)) == ("unclear", "confirmed")


def test_all_fields_must_be_confirmed_and_those_that_are_not_logged_are_named(world: World) -> None:
    run = world.begin(BEGAN, sso=(Sso(False, "A", "okta"), Sso(True, "B", "okta", False, True)))
    world.report(run, BEGAN + 2 * HOUR)
    world.read(allowed(BEGAN + HOUR), now=BEGAN + 3 * HOUR)
    shown = world.journal.run(run)
    assert shown is not None
    finding = findings(world.journal, TARGET, (shown,), BEGAN + 3 * HOUR)[run, 1]
    assert (finding.status, finding.missing) == ("not_in_log", ("sso.enabled",))
    assert [proof.fields for proof in finding.proofs] == [("sso.allow_passwords",)]
    world.read(allowed(BEGAN + HOUR, area="SAML", action="Enabled"), now=BEGAN + 4 * HOUR)
    shown = world.journal.run(run)
    assert shown is not None
    finding = findings(world.journal, TARGET, (shown,), BEGAN + 3 * HOUR)[run, 1]
    assert (finding.status, finding.unlogged) == ("confirmed", ("sso.name", "sso.allow_uninvited"))


def test_the_last_state_before_the_report_counts(world: World) -> None:
    def times(*actions: str) -> list[Any]:
        return [
            allowed(BEGAN + place * timedelta(minutes=10), action=f"{action} password")
            for place, action in enumerate(actions, 1)
        ]

    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    world.read(*times("Enable", "Disable"), now=BEGAN + 3 * HOUR)
    assert world.status(run) == "unclear"
    world.read(*times("Enable", "Disable", "Enable"), now=BEGAN + 3 * HOUR)
    assert world.status(run) == "confirmed"


def test_steps_of_an_org_with_another_log_are_left_out(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + HOUR)
    world.journal.keep(ORG, WRITER, "9999")
    shown = world.journal.run(run)
    assert shown is not None
    assert findings(world.journal, TARGET, (shown,), BEGAN + DAY) == {}
    assert findings(world.journal, None, (shown,), BEGAN + DAY) == {}
    assert findings(None, TARGET, (), BEGAN) == {}


def test_the_record_of_a_confirmation_can_be_found_again(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    raw = allowed(BEGAN + HOUR)
    world.read(raw, now=BEGAN + 3 * HOUR)
    shown = world.journal.run(run)
    assert shown is not None
    assert shown.steps[0].confirmation is not None
    (proof,) = shown.steps[0].confirmation.proofs
    (stored,) = world.journal.audit.records(TARGET.writer)
    assert (proof.key, json.loads(stored.body)) == (stored.key, raw)


def test_records_are_read_only_for_steps_that_they_can_show(world: World) -> None:
    run = world.begin(BEGAN, sso=(OFF, replace(OFF, name="New")))
    world.report(run, BEGAN + HOUR)
    assert not has_unconfirmed(world.journal, TARGET, BEGAN + DAY)
    world.read(now=BEGAN + 2 * HOUR)
    assert world.status(run) == "not_logged"


def test_a_record_may_still_come_until_a_day_after_the_report(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + HOUR)
    problems = []
    for now in (BEGAN + 2 * HOUR, BEGAN + HOUR + DAY):
        world.read(now=now)
        shown = world.journal.run(run)
        assert shown is not None
        finding = findings(world.journal, TARGET, (shown,), now)[run, 1]
        assert (finding.status, finding.writer) == ("not_in_log", "4711")
        problems.append(finding.problem)
    assert problems == ["the log was read on 12 Nov 2026, 11:00 UTC, and records appear with a delay", None]


@pytest.mark.parametrize("actions", [("Enable", "Disable"), ("Disable", "Enable")])
def test_two_opposite_records_of_one_moment_prove_nothing(world: World, actions: tuple[str, str]) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    for number in range(4):  # the order of records of one moment depends on their content
        pair = [allowed(BEGAN + HOUR, id=f"{number}{action}", action=f"{action} password") for action in actions]
        world.read(*pair, now=BEGAN + 3 * HOUR)
        assert world.status(run) == "unclear"


def test_a_change_by_another_user_is_not_recorded_as_a_confirmation(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + 2 * HOUR)
    by_bo = allowed(BEGAN + HOUR / 2, actor={"email": "bo@acme.com"})
    world.read(by_bo, now=BEGAN + 3 * HOUR)
    assert world.status(run) == "another_actor"
    assert world.journal.unconfirmed(ORG, BEGAN)
    world.read(by_bo, allowed(BEGAN + HOUR), now=BEGAN + 4 * HOUR)
    assert world.status(run) == "confirmed"


def test_records_older_than_configured_are_unknown_also_before_they_are_removed(world: World) -> None:
    run = world.begin(BEGAN)
    world.report(run, BEGAN + HOUR)
    world.read(now=BEGAN + 3 * DAY)
    assert world.status(run, now=BEGAN + 3 * DAY) == "not_in_log"
    assert world.status(run, now=BEGAN + 3 * DAY, keep_days=2) == "unread"
