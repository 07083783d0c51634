"""What the journal keeps between looks at an org: what was applied, looks, sightings, acknowledged findings.

A drift check may have a file or a commit in the place of what was applied.
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
"""Keys of the journal's notes: what the last apply saw of groups and users, the moment of the sighting that watched
roles are compared with, and when old content was last pruned."""

GIT = "git:"
_LOOK_BACK = 20


class Baseline(NamedTuple):
    """What stands in for what was last applied: ``source`` is a snapshot, a config's main file or ``git:REF``.

    A config is read for the day ``as_of``, so that what has lapsed since is no drift.
    """

    config: Config
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class DriftMemory:
    """What is known from before a look for drift, by the journal, and values by a baseline; either may be missing."""

    journal: Journal | None = None
    baseline: Baseline | None = None

    def past(self, org_id: str) -> Past:
        """Return what is known of an org. Raises ConfigError for a baseline that is none."""
        past = Past(Memory(NOTHING_APPLIED)) if self.journal is None else _from_journal(self.journal, org_id)
        return past if self.baseline is None else _with_baseline(past, self.baseline)

    def recorded(self, org_id: str) -> dict[Address, datetime]:
        """Return when each address was recorded; of a baseline that is not known."""
        if self.journal is None or self.baseline is not None:
            return {}
        return {record.address: record.at for record in self.journal.records(org_id)}

    def has_sent(self, key: str) -> bool:
        """Return whether a step of a run in the journal was sent under an Idempotency-Key.

        A run that a restored journal has lost used the same numbers, so the keys themselves are compared.
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
    """The last apply, or, where its run was pruned, the run that recorded the newest value."""
    if last is not None:
        return Basis("journal", f"run {last.id}", last.ended_at or last.started_at)
    if not records:
        return Basis("journal", "an apply")
    newest = max(records, key=lambda record: record.at)
    return Basis("journal", f"run {newest.run}", newest.at)


def last_roster(journal: Journal, org_id: str) -> Roster | None:
    """The last look that was kept; None where there is none, or where another version kept it."""
    note = journal.recall(org_id, LOOK)
    try:
        return None if note is None else decode_roster(note)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def sent_under(journal: Journal, run: int, number: int, key: str) -> bool:
    """Return whether a step of a run, by their numbers, was sent under an Idempotency-Key."""
    known = journal.run(run)
    return known is not None and any((step.number, step.key) == (number, key) for step in known.steps)


def sent(journal: Journal, key: str) -> bool:
    """Return whether the journal has sent a write under an Idempotency-Key. Of a run whose content was pruned, which is
    one before the newest, the number decides."""
    step = step_of(key, journal.id)
    if step is None:
        return False
    newest = next(iter(journal.runs(limit=1)), None)
    pruned = newest is not None and step[0] < newest.id and journal.run(step[0]) is None
    return pruned or sent_under(journal, *step, key)


def step_of(key: str, journal: str) -> tuple[int, int] | None:
    """Return the numbers of the run and the step in an Idempotency-Key of the journal with this id; None for another
    key. Whoever writes to the org may choose a key, so the numbers may be any."""
    parts = key.split("/")
    numbers = [part for part in parts[2:4] if part.isascii() and part.isdigit() and len(part) < _DIGITS]
    return (int(numbers[0]), int(numbers[1])) if parts[:2] == ["rolecall", journal] and len(numbers) == 2 else None


_DIGITS = 19
"""A number with as many digits may be larger than a database takes."""


def _with_baseline(past: Past, baseline: Baseline) -> Past:
    """Return the past with what the baseline has, in place of what was last applied."""
    config, source, as_of = baseline
    if source.startswith(GIT):
        memory, basis = _of_ref(config, source.removeprefix(GIT), as_of)
    else:
        memory, basis = _of_file(config, Path(source), as_of)
    return replace(past, memory=replace(memory, journal=past.memory.journal), basis=basis)


def _last_apply(journal: Journal, org_id: str) -> Run | None:
    """The newest run that wrote, or found nothing to write, and came to an end."""
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
            hint = "write a snapshot file, a config's rolecall.yaml, or git:REF"
            raise ConfigError(Problem("baseline", "is no snapshot and no config", Where(str(path)), hint))
        main = replace(config, main=path.name)
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


def record_look(
    journal: Journal, org_id: str, kind: RunKind, facts: RunFacts, sighting: Sighting | None, message: str | None = None
) -> int:
    """A run of a command that wrote nothing to the org, with who was seen. Answers its number."""
    run = journal.begin(Opening(org_id, kind, facts))
    if sighting is not None:
        journal.sight(run, sighting)
    journal.close_run(run, "done", message)
    return run


def sight_run(journal: Journal, run: int, plan_input: PlanInput, at: datetime) -> None:
    """Keep, for a run that has ended, who holds what in the org that was read: settings after the run, and everybody.

    What is there now was looked at by whoever approved the run: watched roles are compared with it.
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
    """Keep what a drift check saw, if nothing is there to compare the next one with: what an apply saw stays, so that a
    check does not change what the next one reports."""
    before = last_roster(journal, org_id)
    if before is None:
        keep_roster(journal, org_id, roster)
    elif before.people is None and roster.people is not None:
        keep_roster(journal, org_id, replace(before, people=roster.people, at=roster.at))


def keep_roster(journal: Journal, org_id: str, roster: Roster) -> None:
    """Keep a look for the next one to be compared with. Where it did not see everybody, the people seen before stay."""
    if roster.people is None and (before := last_roster(journal, org_id)) is not None:
        roster = replace(roster, people=before.people, at=before.at)
    journal.keep(org_id, LOOK, encode_roster(roster))


def watch_from(journal: Journal, org_id: str, at: datetime, *, first: bool = False) -> None:
    """From now on watched roles are compared with the sighting of this moment, which has to be complete: with any other
    nothing can be compared. ``first``: only where there is none."""
    if not (first and journal.recall(org_id, WATCHED)):
        journal.keep(org_id, WATCHED, at.isoformat())


def forget_old(journal: Journal, org_id: str, now: datetime, keep_days: int) -> int:
    """Blank runs and sightings that are older than the config wants them kept; once a day, for every run is looked at.
    Answers how many runs went."""
    last = journal.recall(org_id, PRUNED, moment)
    if last is not None and now - last < timedelta(days=1):
        return 0
    pruned = journal.prune(org_id, now - timedelta(days=keep_days))
    journal.keep(org_id, PRUNED, now.isoformat())
    return pruned


NOTE = "drift.acknowledged"
"""The key of the journal's note: fingerprint -> the number of the run that recorded it."""


def acknowledged(journal: Journal, org_id: str, last_apply: int | None) -> dict[str, Acknowledgement]:
    """Return what was acknowledged since an apply (None: ever), by fingerprint.

    Who and why are read from the run itself, which is part of the chain; a note without such a run counts for nothing.
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
    """Record that findings are known; a run for each."""
    runs = journal.recall(org_id, NOTE, _runs) or {}
    for fingerprint in fingerprints:
        runs[fingerprint] = journal.begin(Opening(org_id, "acknowledge", facts))
        journal.close_run(runs[fingerprint], "done", f"{_start(fingerprint)}{reason}")
    journal.keep(org_id, NOTE, runs)


def can_be_acknowledged(report: DriftReport) -> frozenset[str]:
    """Return the fingerprints of findings that an acknowledgement settles: not those of standing limits and access
    tests, which fail until the org or the configuration changes."""
    admins = report.people.new_admins if report.people else ()
    return frozenset(
        (
            *(drift.fingerprint for drift in report.drifts),
            *(alarm.fingerprint for alarm in report.alarms if alarm.kind == "watch"),
            *(admin.fingerprint for admin in admins),
        )
    )


def _runs(note: Any) -> dict[str, int]:
    """Decode the note. Raises TypeError and ValueError for what is none."""
    return {str(fingerprint): int(number) for fingerprint, number in dict(note).items()}


def _start(fingerprint: str) -> str:
    return f"acknowledged {fingerprint}: "
