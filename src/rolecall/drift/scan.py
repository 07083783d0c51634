"""Check for drift, with what was read and what the journal has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from rolecall.access.rules import Rules, compile_access
from rolecall.drift.compare import Comparison, Drift, Memory, compare_resolved
from rolecall.drift.membership import group_movements, take_roster, user_movements, waiting
from rolecall.drift.plans import plan_of_drift, revert_plan
from rolecall.drift.role_events import RoleLog, new_holders, unclear_roles
from rolecall.drift.value import Acknowledgement, Basis, DriftReport, UserMovements, Violation
from rolecall.drift.violations import limits, not_evaluated, tests, watched
from rolecall.drift.writers import FieldWrite
from rolecall.errors import Problem, clause
from rolecall.model import normalise
from rolecall.model.evidence import Finding
from rolecall.model.kinds import KINDS, SECTIONS, address, split_address
from rolecall.model.live import Coverage
from rolecall.model.outcome import Event
from rolecall.model.settings import UNSET, Address
from rolecall.model.sighting import Roster, Sighting
from rolecall.plan.commands import env_flag
from rolecall.plan.coverage import USERS, coverage_of, incomplete, people_coverage, sections_of, unread_warnings
from rolecall.plan.explain.access_records import AccessRecord, record_access
from rolecall.plan.impact.inventory import released, unmanaged
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.notes import changed_notes, whose_reading


@dataclass(frozen=True, slots=True)
class Past:
    """Hold the past: the applied values, groups and users at the last apply (``roster``, ``sighting``), the record that
    watched roles are compared with, and what was acknowledged since, by fingerprint. All but the memory may be
    missing."""

    memory: Memory
    basis: Basis = Basis()
    roster: Roster | None = None
    sighting: Sighting | None = None
    watched: Sighting | None = None
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DriftScan:
    """Hold the input of a check. ``events`` are the org's last writes by live address, ``writes`` those of each field,
    where the last one does not explain all of them, ``findings`` what WRITER's audit log shows of other differences,
    ``role_log`` the log with role changes; ``ignore`` are addresses or globs that it leaves out."""

    plan_input: PlanInput
    past: Past
    events: Mapping[Address, Event] = field(default_factory=dict)
    findings: Mapping[Address, Finding] = field(default_factory=dict)
    writes: Mapping[Address, tuple[FieldWrite, ...]] = field(default_factory=dict)
    role_log: RoleLog | None = None
    ignore: tuple[str, ...] = ()
    include_unapplied: bool = False
    warnings: tuple[Problem, ...] = ()

    @property
    def resolved(self) -> PlanInput:
        """Return the input with the applied values of the memory and every label resolved."""
        plan_input = self.plan_input
        applied = self.past.memory.applied
        return plan_input if plan_input.identity is not None else plan_input._replace(applied=applied).resolved


@dataclass(frozen=True, slots=True)
class DriftResult:
    """Hold the report of a check, and the groups and users to remember."""

    report: DriftReport
    roster: Roster


def scan(drift_scan: DriftScan) -> DriftResult:
    """Compare, compute the effect of drift and of reverting it, and find policy violations and other changes."""
    drift_scan = replace(drift_scan, plan_input=drift_scan.resolved)
    plan_input, past = drift_scan.plan_input, drift_scan.past
    live, directory = plan_input.live, plan_input.directory
    compared = classes(drift_scan)
    coverage = coverage_of(plan_input.desired, live, plan_input.as_of, drift_scan.ignore)
    entries = _differing(drift_scan, compared)
    now = take_roster(live, directory, waiting(plan_input.known), plan_input.created_at)
    rules = compile_access(live.settings, live.facts)
    users = people_coverage(directory, rules.scim.groups, observed=live.facts.observed)
    read = None if users.state == "unread" else directory
    record = None if read is None else record_access(live, read, plan_input.desired, plan_input.created_at, rules)
    wait = frozenset(drift.address for drift in entries if _waits(drift, compared))
    chosen = [drift for drift in entries if _counts(drift, drift_scan) and drift.address not in wait]
    back = plan_of_drift(plan_input, chosen)
    chosen = [drift for drift in chosen if drift.kind != "idp" or _touches(drift, plan_input, past)]
    explained = {drift.address for drift in chosen}
    alarms = tuple(_alarms(drift_scan, record, rules, explained))
    news = user_movements(past.roster, now, past.sighting, record.sighting) if record else None
    settled = _settled(past, chosen, alarms, news)
    chosen = [drift for drift in chosen if drift.fingerprint not in settled]
    report = DriftReport(
        org=plan_input.org,
        at=plan_input.created_at,
        as_of=plan_input.as_of,
        basis=past.basis,
        entries=tuple(entries),
        counted=frozenset(drift.fingerprint for drift in chosen),
        did=plan_of_drift(plan_input, chosen) if settled and chosen else back if chosen else None,
        revert=revert_plan(plan_input, chosen),
        keys={address("idp_groups", name): address("idp_groups", key) for name, key in plan_input.known.keys.items()},
        released=released(plan_input, compared.difference, drift_scan.ignore),
        unmanaged=unmanaged(plan_input, compared.difference, drift_scan.ignore),
        waiting=wait,
        findings=drift_scan.findings,
        writes=drift_scan.writes,
        groups=group_movements(past.roster, now, live, plan_input.known),
        people=news and replace(news, new_admins=tuple(_unsettled(news.new_admins, settled))),
        alarms=tuple(_unsettled(alarms, settled)),
        acknowledged=settled,
        not_evaluated=not_evaluated(plan_input.desired, plan_input.applied, record and record.sighting, past.watched),
        sighting=record.sighting if record else None,
        without_access=record.without_access if record and record.sighting.complete else None,
        coverage={**coverage, USERS: users},
        counts=_sizes(drift_scan),
        observed=live.facts.observed,
        ignored=(*compared.difference.ignored, *drift_scan.ignore),
        warnings=(
            *changed_notes({**coverage, USERS: users}, plan_input.org),
            *_unseen(plan_input, coverage),
            *_users_unread(plan_input, users),
            *plan_input.warnings,
            *compared.difference.problems,
            *drift_scan.warnings,
            *_unclear_roles(drift_scan),
        ),
        requests=live.requests,
    )
    return DriftResult(report, now)


class _Finding(Protocol):
    @property
    def fingerprint(self) -> str: ...


_F = TypeVar("_F", bound=_Finding)


def _settled(
    past: Past, drifts: Iterable[Drift], alarms: Iterable[Violation], news: UserMovements | None
) -> dict[str, Acknowledgement]:
    """Return the acknowledgements of findings, by fingerprint; standing limits and access tests have none."""
    names = {drift.fingerprint: (drift.fingerprint, *drift.former_fingerprints) for drift in drifts}
    names |= {alarm.fingerprint: (alarm.fingerprint,) for alarm in alarms if alarm.kind == "watch"}
    names |= {admin.fingerprint: (admin.fingerprint,) for admin in (news.new_admins if news else ())}
    recorded_as = {
        name: next((print_ for print_ in known if print_ in past.acknowledged), None) for name, known in names.items()
    }
    return {
        name: past.acknowledged[print_]._replace(fingerprint=name)
        for name, print_ in recorded_as.items()
        if print_ is not None
    }


def _unsettled(findings: Iterable[_F], settled: Collection[str]) -> Iterator[_F]:
    return (finding for finding in findings if finding.fingerprint not in settled)


def classes(drift_scan: DriftScan) -> Comparison:
    """Return every managed address with its class, including what this check ignores."""
    plan_input = drift_scan.resolved
    return compare_resolved(
        plan_input.known, plan_input.live, drift_scan.past.memory, plan_input.as_of, drift_scan.events
    )


def drifted(drift_scan: DriftScan) -> tuple[Drift, ...]:
    """Return the addresses for which the audit log is read."""
    return tuple(drift for drift in _differing(drift_scan, classes(drift_scan)) if drift.kind in _ASKED)


_ASKED = ("console", "both", "other_run", "idp", "differs", "converged")


def _differing(drift_scan: DriftScan, compared: Comparison) -> list[Drift]:
    reported = (
        drift
        for drift in compared.entries
        if drift.kind != "in_sync" and not compared.difference.identity.covers(drift_scan.ignore, drift.address)
    )
    return [replace(drift, event=_of_others(drift.event, drift_scan.past.memory)) for drift in reported]


def _of_others(event: Event | None, memory: Memory) -> Event | None:
    """Return the event unless a run of this journal made it: such a write explains no drift."""
    return None if event is not None and event.key in memory.keys else event


def _counts(drift: Drift, drift_scan: DriftScan) -> bool:
    if drift.kind in ("differs", "unapplied"):
        return drift_scan.include_unapplied
    return drift.kind in ("console", "both", "other_run", "idp")


def _waits(drift: Drift, compared: Comparison) -> bool:
    """Return whether an apply is due but pending, as the IdP has not pushed the group."""
    section, key = split_address(drift.address)
    absent = section == "idp_groups" and drift.desired is not None and key not in compared.difference.identity.present
    return absent and drift.kind in ("differs", "unapplied")


def _touches(drift: Drift, plan_input: PlanInput, past: Past) -> bool:
    """Return whether a group that the IdP deleted had members, by the last check; if unknown, it had."""
    if drift.last is None:
        return False
    id_ = plan_input.applied.group_ids.get(split_address(drift.address)[1] or "")
    known = past.roster.groups.get(id_) if past.roster and id_ else None
    return known is None or known.members is None or known.members > 0


def _alarms(
    drift_scan: DriftScan, record: AccessRecord | None, rules: Rules, explained: Collection[Address]
) -> Iterator[Violation]:
    plan_input = drift_scan.plan_input
    if record is not None:
        yield from limits(plan_input.desired, record.sighting)
        yield from watched(plan_input.desired, record.sighting, drift_scan.past.watched, explained)
    yield from _of_the_log(drift_scan, record)
    yield from tests(plan_input.desired, plan_input.applied, rules, plan_input.directory)


def _of_the_log(drift_scan: DriftScan, record: AccessRecord | None) -> Iterator[Violation]:
    """Yield the new holders of watched roles that only the audit log shows."""
    if drift_scan.role_log is None:
        return
    plan_input = drift_scan.plan_input
    sightings = (drift_scan.past.watched, record.sighting if record else None)
    before = {
        (holding.role, normalise.email(holding.email))
        for sighting in sightings
        if sighting is not None
        for holding in sighting.holdings
    }
    yield from new_holders(
        drift_scan.role_log, plan_input.desired.policy.watch_roles, plan_input.live.facts.roles, before
    )


def _unseen(plan_input: PlanInput, coverage: Mapping[str, Coverage]) -> Iterator[Problem]:
    """Yield who observed the org, and what was not read, with the reason."""
    yield from whose_reading(plan_input.live, sections_of(coverage) or SECTIONS, plan_input.created_at)
    yield from unread_warnings(plan_input.desired, coverage, lambda _: "nothing is known about it")


def _unclear_roles(drift_scan: DriftScan) -> Iterator[Problem]:
    if drift_scan.role_log is not None and (problem := unclear_roles(drift_scan.role_log)) is not None:
        yield problem


def _users_unread(plan_input: PlanInput, users: Coverage) -> Iterator[Problem]:
    why = incomplete(users)
    if why is not None:
        message = f"{clause(why)}; limits, watched roles and access tests that need users were not evaluated"
        hint = plan_input.people_hint or f"to find the cause: rolecall doctor{env_flag(plan_input.org)}"
        yield Problem("people_unread", message, None, hint, "warning")


def _sizes(drift_scan: DriftScan) -> dict[str, int]:
    """Return the numbers of domains, groups and users that were read."""
    settings, directory = drift_scan.plan_input.live.settings, drift_scan.plan_input.directory
    sizes: dict[str, int] = {
        kind.section: len(values)
        for kind in KINDS
        if kind.keyed and (values := getattr(settings, kind.section)) is not UNSET
    }
    whole = people_coverage(directory).state == "complete"
    return {**sizes, "people": len(directory)} if directory is not None and whole else sizes
