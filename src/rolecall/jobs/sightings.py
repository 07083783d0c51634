"""Answer `access --at DATE` from access records: who had which role, by which mapping, commit and approval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from rolecall.desired.build import Config
from rolecall.errors import Misuse, Problem
from rolecall.jobs.history import newest_first
from rolecall.journal.port import Journal
from rolecall.model.roles import MEMBER
from rolecall.model.run import Run
from rolecall.model.settings import Address
from rolecall.model.sighting import Sighting
from rolecall.plan.explain.access_records import Evidence, SeenAt


@dataclass(frozen=True, slots=True)
class When:
    """The time that is asked for: of a whole day its end, UTC."""

    text: str
    at: datetime


def when(text: str) -> When | None:
    """Convert a day or a time (RFC 3339; UTC without a zone); None for any other text."""
    try:
        if len(text) == len("2026-03-01"):
            day = date.fromisoformat(text)
            return When(text, datetime.combine(day, time.max, UTC))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return When(text, at if at.tzinfo else at.replace(tzinfo=UTC))


def seen_at(journal: Journal | None, config: Config, moment: When, team: str | None, role: str | None) -> SeenAt:
    """Return the last access record at that time or before it. Raises Misuse if there is none.

    ``team`` and ``role`` (an id) filter it. Access records name users above member; they only count members.
    """
    org_id = None if journal is None else _org(journal, config)
    if journal is None or org_id is None:
        raise Misuse(_no_record(moment, None))
    if role == MEMBER:
        hint = "use a role above member, or --at live"
        message = "access records name only users with a role above member"
        raise Misuse(Problem("sighting_members", message, None, hint))
    sighting, after = journal.sighting_at(org_id, moment.at)
    if sighting is None:
        raise Misuse(_no_record(moment, after))
    holdings = [
        holding for holding in sighting.holdings if team in (None, holding.team) and role in (None, holding.role)
    ]
    origins = _Origins(journal, org_id, sighting)
    evidence = tuple(Evidence(holding, origins.of(holding.address)) for holding in holdings)
    return SeenAt(org_id, config.org.name, config.env, sighting, after, evidence, journal.run(sighting.run))


class _Origins:
    """Finds the run that wrote a mapping, as far back as the journal goes."""

    def __init__(self, journal: Journal, org_id: str, sighting: Sighting) -> None:
        self._runs = newest_first(journal, org_id, ("apply", "rollback"), sighting.run + 1)
        self._writers: dict[Address, Run] = {}
        self._journal = journal
        self._recorded = {
            record.address: record.run for record in journal.records(org_id) if record.run <= sighting.run
        }

    def of(self, address: Address | None) -> Run | None:
        """Return the run that wrote the mapping last, or else the one that first found it as configured."""
        if address is None:
            return None
        while address not in self._writers and (run := next(self._runs, None)) is not None:
            for written in _written(run):
                self._writers.setdefault(written, run)
        recorded = self._recorded.get(address)
        return self._writers.get(address) or (None if recorded is None else self._journal.run(recorded))


def _written(run: Run) -> Iterator[Address]:
    return (step.address for step in run.steps if step.state in ("done", "attested"))


def _org(journal: Journal, config: Config) -> str | None:
    """Return the org's ID: that of the configuration, or of the newest run for an org of this name and environment."""
    if config.org.id is not None:
        return config.org.id
    for run in newest_first(journal):
        if (run.facts.org_name, run.facts.env) == (config.org.name, config.env):
            return run.org_id
    orgs = journal.orgs()
    return orgs[0] if len(orgs) == 1 else None


def _no_record(moment: When, after: Sighting | None) -> Problem:
    message = f"there is no access record from {moment.text} or earlier"
    if after is None:
        return Problem("no_sighting", message, None, "to write one now: rolecall snapshot --record")
    message = f"{message}; the first is from {after.at:%d %b %Y, %H:%M} UTC (run {after.run})"
    return Problem("no_sighting", message, None, f"use --at {after.at:%Y-%m-%d} or later")
