"""Read and write what the journal keeps between runs: what was applied, rosters, access records, known findings.

A drift check may compare with a file or a commit instead of what was applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.codec.roster import decode_roster, encode_roster
from rolecall.desired.build import Config
from rolecall.drift.compare import Memory
from rolecall.drift.membership import take_roster, waiting
from rolecall.drift.scan import Past
from rolecall.drift.value import Acknowledgement, Basis, DriftReport
from rolecall.errors import ConfigError, Problem, Where
from rolecall.journal.content import moment
from rolecall.journal.port import Journal
from rolecall.model.desired import NOTHING_APPLIED, Applied
from rolecall.model.kinds import KINDS, address
from rolecall.model.run import Opening, Record, Run, RunFacts, RunKind
from rolecall.model.settings import BLANK, UNSET, Address, Settings
from rolecall.model.sighting import Roster, Sighting
from rolecall.plan.explain.access_records import record_access
from rolecall.plan.inputs import PlanInput
from rolecall.plan.resolve import on_day

LOOK = "drift.look"
WATCHED = "drift.watched"
PRUNED = "journal.pruned"
"""Keys of the journal's notes: the groups and users at the last apply, the time of the access record that watched roles
are compared with, and when old content was last pruned."""

GIT = "git:"
_LOOK_BACK = 20


class WatchBaseline(NamedTuple):
    """The state to compare with instead of the last apply: ``source`` is a snapshot, a config's main file or
    ``git:REF``.

    A configuration is read for the day ``as_of``, so that entries which expired since are not drift.
    """

    config: Config
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class DriftMemory:
    """The state known before a drift check: the journal, and a baseline for the values; either may be missing."""

    journal: Journal | None = None
    baseline: WatchBaseline | None = None

    def past(self, org_id: str) -> Past:
        """Return what is known of an org. Raises ConfigError for an invalid baseline."""
        past = Past(Memory(NOTHING_APPLIED)) if self.journal is None else _from_journal(self.journal, org_id)
        return past if self.baseline is None else _with_baseline(past, self.baseline)

    def recorded(self, org_id: str) -> dict[Address, datetime]:
        """Return when each address was recorded; nothing for a baseline."""
        if self.journal is None or self.baseline is not None:
            return {}
        return {record.address: record.at for record in self.journal.records(org_id)}

    def has_sent(self, key: str) -> bool:
        """Return whether a step of a run in the journal was sent with an Idempotency-Key.

        A run that a restored journal has lost used the same numbers, so the keys are compared.
        """
        if self.journal is None:
            return False
        step = step_of(key, self.journal.id)
        return step is not None and sent_under(self.journal, *step, key)


def _from_journal(journal: Journal, org_id: str) -> Past:
    records = journal.records(org_id)
    applied = journal.applied(org_id)
    last = _last_apply(journal, org_id)
    basis = Basis() if applied == NOTHING_APPLIED else _basis(last, records)
    memory = Memory(applied, frozenset(record.address for record in records), journal.id)
    known = journal.recall(org_id, WATCHED, moment)
    watched = journal.sighting_at(org_id, known)[0] if known else None
    roster = last_roster(journal, org_id)
    sighting = journal.sighting_at(org_id, roster.at)[0] if roster else None
    return Past(memory, basis, roster, sighting, watched, acknowledged(journal, org_id, last.id if last else None))


def _basis(last: Run | None, records: Sequence[Record]) -> Basis:
    """Return the last apply, or, if its run was pruned, the run that recorded the newest value."""
    if last is not None:
        return Basis("journal", f"run {last.id}", last.ended_at or last.started_at)
    if not records:
        return Basis("journal", "an apply")
    newest = max(records, key=lambda record: record.at)
    return Basis("journal", f"run {newest.run}", newest.at)


def last_roster(journal: Journal, org_id: str) -> Roster | None:
    """Return the last roster; None if there is none, or if another version wrote it."""
    note = journal.recall(org_id, LOOK)
    try:
        return None if note is None else decode_roster(note)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def sent_under(journal: Journal, run: int, number: int, key: str) -> bool:
    """Return whether a step of a run, by their numbers, was sent with an Idempotency-Key."""
    known = journal.run(run)
    return known is not None and any((step.number, step.key) == (number, key) for step in known.steps)


def sent(journal: Journal, key: str) -> bool:
    """Return whether the journal has a write with an Idempotency-Key.

    Of a run whose content was pruned, which is one before the newest, the number decides.
    """
    step = step_of(key, journal.id)
    if step is None:
        return False
    newest = next(iter(journal.runs(limit=1)), None)
    pruned = newest is not None and step[0] < newest.id and journal.run(step[0]) is None
    return pruned or sent_under(journal, *step, key)


def step_of(key: str, journal: str) -> tuple[int, int] | None:
    """Return the numbers of run and step in an Idempotency-Key of the journal with this ID; None for another key.

    Any client of the org can choose a key, so the numbers may be any.
    """
    parts = key.split("/")
    numbers = [part for part in parts[2:4] if part.isascii() and part.isdigit() and len(part) < _DIGITS]
    return (int(numbers[0]), int(numbers[1])) if parts[:2] == ["rolecall", journal] and len(numbers) == 2 else None


_DIGITS = 19
"""A number with as many digits may be too large for a database."""


def _with_baseline(past: Past, baseline: WatchBaseline) -> Past:
    """Return the past with the values of the baseline instead of those last applied."""
    config, source, as_of = baseline
    if source.startswith(GIT):
        memory, basis = _of_ref(config, source.removeprefix(GIT), as_of)
    else:
        memory, basis = _of_file(config, Path(source), as_of)
    return replace(past, memory=replace(memory, journal=past.memory.journal), basis=basis)


def _last_apply(journal: Journal, org_id: str) -> Run | None:
    """Return the newest apply or rollback that ended."""
    runs = journal.runs(org_id, _LOOK_BACK, ("apply", "rollback"))
    return next((run for run in runs if run.outcome != "open"), None)


def _of_ref(config: Config, ref: str, as_of: date) -> tuple[Memory, Basis]:
    from rolecall.outside.git import at_ref

    with at_ref(config.root, ref) as (folder, at):
        return _of_config(folder, config, as_of), Basis("git", ref, at)


def _of_config(folder: Path, config: Config, as_of: date) -> Memory:
    from rolecall.desired.build import read_config

    was = on_day(read_config(folder, config.env, config.main).desired, as_of)
    authoritative = frozenset(kind.section for kind in KINDS if was.policy.managing(kind.section) == "authoritative")
    addresses = frozenset(_addresses(was.settings))
    return Memory(Applied(was.settings, was.policy), addresses, baseline=True, whole=authoritative)


def _of_file(config: Config, path: Path, as_of: date) -> tuple[Memory, Basis]:
    from rolecall.source.files import read_file

    start = read_file(path, str(path))[:4096]
    if b"snapshot" not in start:
        if b"version" not in start:
            hint = "use a snapshot file, a rolecall.yaml, or git:REF"
            raise ConfigError(Problem("baseline", "is neither a snapshot nor a configuration", Where(str(path)), hint))
        main = config._replace(main=path.name)
        return _of_config(path.parent, main, as_of), Basis("file", str(path))
    from rolecall.live.snapshot.reader import SnapshotReader

    snapshot = SnapshotReader(path).load()
    live = snapshot.live
    whole = frozenset(kind.section for kind in KINDS if live.covered(kind.section).state == "complete")
    groups = {} if live.settings.idp_groups is UNSET else live.settings.idp_groups
    mapped = frozenset(address("idp_groups", name) for name, mapping in groups.items() if mapping != BLANK)
    applied = Applied(live.settings, unmanaged=mapped)
    memory = Memory(applied, frozenset(_addresses(live.settings)), baseline=True, whole=whole)
    return memory, Basis("file", str(path), snapshot.taken_at)


def _addresses(settings: Settings) -> Iterator[Address]:
    for kind in KINDS:
        setting = getattr(settings, kind.section)
        if setting is not UNSET:
            yield from (address(kind.section, key) for key in setting) if kind.keyed else (address(kind.section),)


def record_reading(
    journal: Journal, org_id: str, kind: RunKind, facts: RunFacts, sighting: Sighting | None, message: str | None = None
) -> int:
    """Record a run of a command that wrote nothing to the org, with its access record. Return the run's number."""
    run = journal.begin(Opening(org_id, kind, facts))
    if sighting is not None:
        journal.sight(run, sighting)
    journal.close_run(run, "done", message)
    return run


def sight_run(journal: Journal, run: int, plan_input: PlanInput, at: datetime) -> None:
    """Write the access record of a run that has ended, and keep the groups and users for the next drift check.

    Whoever approved the run has seen this state, so watched roles are compared with it from now on.
    """
    org_id = plan_input.live.facts.org_id
    plan_input = plan_input.resolved
    if plan_input.directory is None:
        return
    if plan_input.directory.coverage.state != "unread":
        sighting = record_access(plan_input.live, plan_input.directory, plan_input.desired, at).sighting
        journal.sight(run, sighting)
        if sighting.complete:
            watch_from(journal, org_id, at)
    keep_roster(journal, org_id, take_roster(plan_input.live, plan_input.directory, waiting(plan_input.known), at))


def keep_first_roster(journal: Journal, org_id: str, roster: Roster) -> None:
    """Keep the roster of a drift check if there is none of an apply, so that a check never changes what the next one
    reports."""
    before = last_roster(journal, org_id)
    if before is None:
        keep_roster(journal, org_id, roster)
    elif before.people is None and roster.people is not None:
        keep_roster(journal, org_id, replace(before, people=roster.people, at=roster.at))


def keep_roster(journal: Journal, org_id: str, roster: Roster) -> None:
    """Keep a roster for the next check. If not all users were read, the users of the previous one are kept."""
    if roster.people is None and (before := last_roster(journal, org_id)) is not None:
        roster = replace(roster, people=before.people, at=before.at)
    journal.keep(org_id, LOOK, encode_roster(roster))


def watch_from(journal: Journal, org_id: str, at: datetime, *, first: bool = False) -> None:
    """Compare watched roles with the access record of this time from now on; it must be complete. ``first``: only if
    there is none yet."""
    if not (first and journal.recall(org_id, WATCHED)):
        journal.keep(org_id, WATCHED, at.isoformat())


def forget_old(journal: Journal, org_id: str, now: datetime, keep_days: int) -> int:
    """Prune the content of runs and access records that are older than configured, once a day. Return how many runs."""
    last = journal.recall(org_id, PRUNED, moment)
    if last is not None and now - last < timedelta(days=1):
        return 0
    pruned = journal.prune(org_id, now - timedelta(days=keep_days))
    journal.keep(org_id, PRUNED, now.isoformat())
    return pruned


NOTE = "drift.acknowledged"
"""The key of the journal's note: fingerprint -> number of the run that recorded it."""


def acknowledged(journal: Journal, org_id: str, last_apply: int | None) -> dict[str, Acknowledgement]:
    """Return what was acknowledged since an apply (None: ever), by fingerprint.

    Who and why are read from the run itself, which is in the chain; a note without such a run does not count.
    """
    runs = journal.recall(org_id, NOTE, _runs) or {}
    acknowledgements = {}
    for fingerprint, number in runs.items():
        run = journal.run(number) if number > (last_apply or 0) else None
        start = _start(fingerprint)
        if run is not None and run.org_id == org_id and (run.message or "").startswith(start):
            reason = (run.message or "").removeprefix(start)
            acknowledgements[fingerprint] = Acknowledgement(
                fingerprint, run.facts.actor, run.started_at, reason, number
            )
    return acknowledgements


def acknowledge(journal: Journal, org_id: str, facts: RunFacts, fingerprints: list[str], reason: str) -> None:
    """Record that findings are known, with a run for each."""
    runs = journal.recall(org_id, NOTE, _runs) or {}
    for fingerprint in fingerprints:
        runs[fingerprint] = journal.begin(Opening(org_id, "acknowledge", facts))
        journal.close_run(runs[fingerprint], "done", f"{_start(fingerprint)}{reason}")
    journal.keep(org_id, NOTE, runs)


def can_be_acknowledged(report: DriftReport) -> frozenset[str]:
    """Return the fingerprints of findings that can be acknowledged: not those of policy limits and access tests, which
    fail until the org or the configuration changes."""
    admins = report.people.new_admins if report.people else ()
    return frozenset(
        (
            *(drift.fingerprint for drift in report.drifts),
            *(alarm.fingerprint for alarm in report.alarms if alarm.kind == "watch"),
            *(admin.fingerprint for admin in admins),
        )
    )


def _runs(note: Any) -> dict[str, int]:
    """Decode the note. Raises TypeError and ValueError for anything else."""
    return {str(fingerprint): int(number) for fingerprint, number in dict(note).items()}


def _start(fingerprint: str) -> str:
    return f"acknowledged {fingerprint}: "
