"""`drift`, from the look to the last line: look, remember, tell, and what it leaves with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from rolecall.cli.facts import run_facts
from rolecall.cli.journals import check_journal, journal_url
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.cli.planning import lifts, whose
from rolecall.cli.program import worst
from rolecall.cli.session import Session, day, now, read, session, wait_for, wanted
from rolecall.desired import Config
from rolecall.drift.compare import Memory
from rolecall.drift.scan import Past
from rolecall.drift.value import UNDETERMINED, Found
from rolecall.errors import Exit, Problem
from rolecall.jobs import memory
from rolecall.jobs.drift import DriftRequest, Drifts, drift
from rolecall.jobs.memory import forget_old, keep_first_look, record_look, watch_from
from rolecall.journal.port import Journal
from rolecall.model.desired import NOTHING_APPLIED
from rolecall.outside.git import UNSHALLOW, blame, is_shallow
from rolecall.outside.metrics import Metric
from rolecall.report.phrases import count


@dataclass(frozen=True, slots=True)
class Wish:
    """What `drift` was asked for. ``baseline`` stands in for the journal's memory of values."""

    form: str = "text"
    reports: tuple[tuple[str, Path], ...] = ()
    people: Any = None
    detailed_exitcode: bool = False
    include_unapplied: bool = False
    ignore: tuple[str, ...] = ()
    baseline: str | None = None
    accept: bool = False
    revert: bool = False
    out: Path | None = None
    approve: str | None = None
    allow: tuple[str, ...] = ()
    notify: str | None = None
    metrics_file: Path | None = None
    acknowledge: tuple[str, ...] = ()
    reason: str | None = None


def look_for_drift(call: Invocation, wish: Wish) -> Exit:
    """The whole of `drift`."""
    if wish.metrics_file is None:
        return _check(call, wish, None)
    from rolecall.cli.measuring import measured

    return measured(call, "drift", wish.metrics_file, partial(_check, call, wish))


def _check(call: Invocation, wish: Wish, metrics: list[Metric] | None) -> Exit:
    if wish.notify is not None:
        from rolecall.outside.notices import check

        check(wish.notify)
    config = read(call)
    if call.snapshot is None and wish.baseline is None:
        check_journal(call, config)
    with _journal(call, config, wish) as journal:
        return wait_for(_look(call, config, wish, journal, metrics))


async def _look(
    call: Invocation, config: Config, wish: Wish, journal: Journal | None, metrics: list[Metric] | None
) -> Exit:
    from rolecall.cli.drift_present import show_found, write_reports
    from rolecall.cli.drift_sides import accept_drift, revert_drift, say_nothing_to_accept

    begun = monotonic()
    made = await _made(call, config, wish, journal)
    if wish.acknowledge and journal is not None:
        from rolecall.cli.drift_acknowledge import acknowledge_findings

        made = acknowledge_findings(call, config, journal, made, wish.acknowledge, wish.reason or "")
    found = made.looked.found
    if journal is not None:
        _remember(call, config, journal, made)
    write_reports(call, config, found, wish.reports, wish.people)
    show_found(call, config, found, wish.form, wish.people)
    _tell_shallow(call, config, found)
    if metrics is not None:
        metrics += _metrics(call, config, journal, found, monotonic() - begun)
    left = _tell(call, config, wish, journal, found)
    if wish.accept:
        if found.drifts:
            return worst(left, accept_drift(call, config, made, wish.approve))
        say_nothing_to_accept(call, found)
    if wish.out:
        left = worst(left, revert_drift(call, config, found, wish.out, wish.people))
    return worst(left, drift_exit(found, detailed=wish.detailed_exitcode))


def _tell_shallow(call: Invocation, config: Config, found: Found) -> None:
    """Warn if the authors of lines are unknown because the clone has only a part of the history."""
    unknown = sum(row.source is not None and row.address not in found.written for row in found.rows)
    if unknown and is_shallow(config.root):
        message = f"this clone is shallow, so who wrote {count(unknown, 'line')} of the config is unknown"
        problem = Problem("git_shallow", message, None, UNSHALLOW, "warning")
        tell([problem], as_json=call.log_format == "json", color=call.color)


async def _made(call: Invocation, config: Config, wish: Wish, journal: Journal | None) -> Drifts:
    """The look itself; the requests of all its reads are counted."""
    async with session(call, config) as opened:
        made = await drift(_request(call, config, wish, opened, journal))
        requests = getattr(opened.org, "reads", made.looked.found.requests)
    return replace(made, looked=replace(made.looked, found=replace(made.looked.found, requests=requests)))


def _metrics(
    call: Invocation, config: Config, journal: Journal | None, found: Found, seconds: float
) -> Iterator[Metric]:
    from rolecall.cli.measuring import common_metrics
    from rolecall.jobs.metrics import apply_metrics, drift_metrics

    applies = () if journal is None else journal.runs(found.org.id, 1, ("apply", "rollback"))
    yield from drift_metrics(found, seconds)
    yield from apply_metrics(next(iter(applies), None), found.org)
    yield from common_metrics(call, config, journal, found.org)


def _tell(call: Invocation, config: Config, wish: Wish, journal: Journal | None, found: Found) -> Exit:
    if wish.notify is None:
        return Exit.OK
    from rolecall.cli.drift_tell import notify

    return notify(call, config, journal, found, wish.notify, wish.people)


def _request(call: Invocation, config: Config, wish: Wish, found: Session, journal: Journal | None) -> DriftRequest:
    org: Any = found.org
    moment = now()

    def known(org_id: str) -> Past:
        was = Past(Memory(NOTHING_APPLIED)) if journal is None else memory.from_journal(journal, org_id)
        return was if wish.baseline is None else memory.with_baseline(was, config, wish.baseline, day(call))

    return DriftRequest(
        wanted=wanted(call, config),
        org=org,
        people=found.people,
        audit=org if hasattr(org, "since") else None,
        now=moment,
        as_of=day(call),
        past=known,
        moments=(lambda _: {}) if journal is None or wish.baseline else partial(memory.moments, journal),
        knows=(lambda *_: False) if journal is None else partial(memory.sent_under, journal),
        blame=lambda where: blame(config.root, where.file, where.line),
        ignore=wish.ignore,
        include_unapplied=wish.include_unapplied,
        whose=whose(call, config),
        lifts=lifts(wish.allow),
    )


def _remember(call: Invocation, config: Config, journal: Journal, made: Drifts) -> None:
    found, org_id = made.looked.found, made.looked.found.org.id
    caller = made.inquiry.question.live.facts.caller.email
    facts = run_facts(call, config, caller)
    message = _outcome(found)
    record_look(journal, org_id, "drift", facts, found.sighting, message)
    keep_first_look(journal, org_id, made.looked.look)
    if found.sighting is not None and found.sighting.complete:
        watch_from(journal, org_id, found.at, first=True)
    forget_old(journal, org_id, found.at, config.journal.keep_days)


def _outcome(found: Found) -> str:
    """Return the closing line of a check, for the journal."""
    if found.drifts:
        return f"{len(found.drifts)} drifted"
    if not found.determined:
        return UNDETERMINED
    return "no drift in what was read" if found.unread else "nothing drifted"


@contextmanager
def _journal(call: Invocation, config: Config, wish: Wish) -> Iterator[Journal | None]:
    """The journal, made where there is none; with a baseline in its place only one that is there. None for a file."""
    from rolecall.journal.opened import find_journal, open_journal

    if call.snapshot is not None:
        yield None
        return
    opened = partial(find_journal, writes=True) if wish.baseline else open_journal
    journal = opened(journal_url(call, config), config.root)
    try:
        yield journal
    finally:
        if journal is not None:
            journal.close()


def drift_exit(found: Found, *, detailed: bool) -> Exit:
    """Return the exit code of a check: 3 if a standing limit or an access test fails, with ``detailed`` 2 for drift and
    7 if drift is unknown, wholly or in part."""
    codes = [Exit.REFUSED] if any(alarm.kind != "watch" for alarm in found.alarms) else []
    if detailed and (found.drifts or found.alarms):
        codes.append(Exit.CHANGES)
    elif detailed and (found.unread or found.observed or not found.determined):
        codes.append(Exit.UNSEEN)
    return worst(*codes)
