"""Who was seen to hold what at a moment of the past, as lines, JSON and CSV. People are named: it is evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN
from rolecall.plan.explain.access_records import Evidence, SeenAt
from rolecall.plan.headline import combos, role_word
from rolecall.report.document import Table
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import cells, count, listed, visible

COLUMNS = (
    "email", "id", "role", "team", "by", "mapping", "source", "commit", "pull_request", "approved_by", "applied_by_run",
    "seen_at", "run", "hash",
)  # fmt: skip

_COLUMN = 28
_SHORT = 8


def sighting_lines(seen: SeenAt) -> Iterator[Line]:
    """When it was seen and when again, a line for each combo, the counts."""
    yield line(f"{visible(seen.org_name)} ({visible(seen.org_id)}): {seen_words(seen)}", "head", hang=2)
    if not seen.sighting.complete:
        yield line("Not everybody could be read then: there may have been others.", "warn")
    for row in seen.evidence:
        yield _row(row)
    people = len({row.holding.id or row.holding.email for row in seen.evidence})
    yield line(f"{count(people, 'person')}.", "bold")
    roles = ", ".join(f"{visible(role_word(role))} {number:,}" for role, number in sorted(seen.sighting.roles.items()))
    yield line(f"People by role then: {roles or 'nobody'}.", "dim")


def seen_words(seen: SeenAt) -> str:
    """``as seen 1 Mar 2026 02:00 UTC by run 812; next sighting 2 March``."""
    first, after = seen.sighting, seen.after
    said = f"as seen {_day(first.at)} {first.at.year} {first.at:%H:%M} UTC by run {first.run}"
    if after is None:
        return f"{said}; nobody has looked since"
    same = after.at.date() == first.at.date()
    year = f" {after.at.year}" if after.at.year != first.at.year else ""
    return f"{said}; next sighting {f'{after.at:%H:%M} UTC' if same else _day(after.at) + year}"


def sighting_json(seen: SeenAt) -> str:
    """``{"seen_at", "run", "hash", "next", "complete", "people": [...], "roles", "teams"}``; people as of `access`."""
    first = seen.sighting
    said: dict[str, Any] = {
        "org": {"id": seen.org_id, "name": seen.org_name, "env": seen.env},
        "seen_at": first.at.isoformat(),
        "run": first.run,
        "hash": first.hash,
        "next": seen.after.at.isoformat() if seen.after else None,
        "complete": first.complete,
        "people": list(_people(seen)),
        "roles": dict(first.roles),
        "teams": dict(first.teams),
    }
    return json.dumps(said, indent=2) + "\n"


def sighting_table(seen: SeenAt) -> Table:
    """Return a table with a row for each combo, with the run and the hash that vouch for it."""
    return Table(COLUMNS, (_columns(row, seen) for row in seen.evidence))


def _row(row: Evidence) -> Line:
    holding, run = row.holding, row.run
    who = visible(holding.email)
    pad = " " * (max(_COLUMN - cells(who), 0) + 2)
    told = [visible(part) for part in (holding.source, *_behind(row)) if part]
    by = listed(holding.reasons[:1]) or "unknown"
    tail = f"  {' · '.join(told)}" if told else "" if run else "  not by rolecall"
    style: Style = "warn" if holding.role == ORG_ADMIN else "plain"
    held = combos([Combo(holding.team, holding.role)])
    return Line((Span(who, "bold"), Span(pad), Span(visible(held), style), Span(f" ({by})"), Span(tail, "dim")), hang=4)


def _behind(row: Evidence) -> Iterator[str]:
    """The commit, the pull request and who approved."""
    run = row.run
    if run is None:
        return
    if run.facts.commit:
        yield f"commit {run.facts.commit[:_SHORT]}"
    if run.facts.pull_request:
        yield f"pull request {run.facts.pull_request}"
    if row.approved_by:
        yield f"approved by {', '.join(row.approved_by)}"
    yield f"run {run.id}"


def _people(seen: SeenAt) -> Iterator[dict[str, Any]]:
    by: dict[str, list[Evidence]] = {}
    for row in seen.evidence:
        by.setdefault(row.holding.email, []).append(row)
    for email in sorted(by):
        held = [_combo(row) for row in by[email]]
        yield {"email": email, "org_admin": any(row["role"] == ORG_ADMIN for row in held), "combos": held}


def _combo(row: Evidence) -> dict[str, Any]:
    holding, run = row.holding, row.run
    return {
        "team": holding.team,
        "role": holding.role,
        "reason": holding.reasons[0] if holding.reasons else None,
        "reasons": list(holding.reasons),
        "mapping": holding.address,
        "source": holding.source,
        "commit": run.facts.commit if run else None,
        "pull_request": run.facts.pull_request if run else None,
        "approved_by": list(row.approved_by),
        "applied_by_run": run.id if run else None,
    }


def _columns(row: Evidence, seen: SeenAt) -> tuple[str, ...]:
    holding, run, first = row.holding, row.run, seen.sighting
    return (
        holding.email,
        holding.id,
        holding.role,
        holding.team,
        "; ".join(holding.reasons),
        holding.address or "",
        holding.source or "",
        (run.facts.commit or "") if run else "",
        (run.facts.pull_request or "") if run else "",
        "; ".join(row.approved_by),
        str(run.id) if run else "",
        first.at.isoformat(),
        str(first.run),
        first.hash,
    )


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B}"
