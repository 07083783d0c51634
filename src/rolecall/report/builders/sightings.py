"""Who was seen to hold what at a moment of the past, as lines, JSON and CSV. People are named: it is evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.plan.explain.access_records import Evidence, SeenAt
from rolecall.plan.headline import access_words, role_word
from rolecall.report.document import Table
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import cells, count, listed, visible

COLUMNS = (
    "email", "id", "role", "team", "by", "mapping", "source", "commit", "pull_request", "approved_by", "applied_by_run",
    "seen_at", "run", "hash",
)  # fmt: skip

_COLUMN = 28
_SHORT = 8


def sighting_lines(record: SeenAt) -> Iterator[Line]:
    """Yield when it was seen and when again, a line for each team role, the counts."""
    yield line(f"{visible(record.org_name)} ({visible(record.org_id)}): {recorded_words(record)}", "head", hang=2)
    if not record.sighting.complete:
        yield line("Not everybody could be read then: there may have been others.", "warn")
    for evidence in record.evidence:
        yield _evidence_line(evidence)
    people = len({item.holding.id or item.holding.email for item in record.evidence})
    yield line(f"{count(people, 'person')}.", "bold")
    roles = ", ".join(
        f"{visible(role_word(role))} {number:,}" for role, number in sorted(record.sighting.roles.items())
    )
    yield line(f"People by role then: {roles or 'nobody'}.", "dim")


def recorded_words(record: SeenAt) -> str:
    """Return ``as seen 1 Mar 2026 02:00 UTC by run 812; next sighting 2 March``."""
    first, after = record.sighting, record.after
    text = f"as seen {_day(first.at)} {first.at.year} {first.at:%H:%M} UTC by run {first.run}"
    if after is None:
        return f"{text}; nobody has looked since"
    same = after.at.date() == first.at.date()
    year = f" {after.at.year}" if after.at.year != first.at.year else ""
    return f"{text}; next sighting {f'{after.at:%H:%M} UTC' if same else _day(after.at) + year}"


def sighting_json(record: SeenAt) -> str:
    """Return ``{"seen_at", "run", "hash", "next", "complete", "people": [...], "roles", "teams"}``; people as
    `access` has them."""
    first = record.sighting
    body: dict[str, Any] = {
        "org": {"id": record.org_id, "name": record.org_name, "env": record.env},
        "seen_at": first.at.isoformat(),
        "run": first.run,
        "hash": first.hash,
        "next": record.after.at.isoformat() if record.after else None,
        "complete": first.complete,
        "people": list(_people(record)),
        "roles": dict(first.roles),
        "teams": dict(first.teams),
    }
    return json.dumps(body, indent=2) + "\n"


def sighting_table(record: SeenAt) -> Table:
    """Return a table with a row for each team role, with the run and the hash that vouch for it."""
    return Table(COLUMNS, (_columns(item, record) for item in record.evidence))


def _evidence_line(evidence: Evidence) -> Line:
    holding, run = evidence.holding, evidence.run
    who = visible(holding.email)
    pad = " " * (max(_COLUMN - cells(who), 0) + 2)
    parts = [visible(part) for part in (holding.source, *_decisions(evidence)) if part]
    by = listed(holding.reasons[:1]) or "unknown"
    tail = f"  {' · '.join(parts)}" if parts else "" if run else "  not by rolecall"
    style: Style = "warn" if holding.role == ORG_ADMIN else "plain"
    access = access_words([TeamRole(holding.team, holding.role)])
    return Line(
        (Span(who, "bold"), Span(pad), Span(visible(access), style), Span(f" ({by})"), Span(tail, "dim")), hang=4
    )


def _decisions(evidence: Evidence) -> Iterator[str]:
    """Yield the commit, the pull request and who approved."""
    run = evidence.run
    if run is None:
        return
    if run.facts.commit:
        yield f"commit {run.facts.commit[:_SHORT]}"
    if run.facts.pull_request:
        yield f"pull request {run.facts.pull_request}"
    if evidence.approved_by:
        yield f"approved by {', '.join(evidence.approved_by)}"
    yield f"run {run.id}"


def _people(record: SeenAt) -> Iterator[dict[str, Any]]:
    by_email: dict[str, list[Evidence]] = {}
    for evidence in record.evidence:
        by_email.setdefault(evidence.holding.email, []).append(evidence)
    for email in sorted(by_email):
        granted = [_team_role(evidence) for evidence in by_email[email]]
        org_admin = any(team_role["role"] == ORG_ADMIN for team_role in granted)
        yield {"email": email, "org_admin": org_admin, "combos": granted}


def _team_role(evidence: Evidence) -> dict[str, Any]:
    holding, run = evidence.holding, evidence.run
    return {
        "team": holding.team,
        "role": holding.role,
        "reason": holding.reasons[0] if holding.reasons else None,
        "reasons": list(holding.reasons),
        "mapping": holding.address,
        "source": holding.source,
        "commit": run.facts.commit if run else None,
        "pull_request": run.facts.pull_request if run else None,
        "approved_by": list(evidence.approved_by),
        "applied_by_run": run.id if run else None,
    }


def _columns(evidence: Evidence, record: SeenAt) -> tuple[str, ...]:
    holding, run, first = evidence.holding, evidence.run, record.sighting
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
        "; ".join(evidence.approved_by),
        str(run.id) if run else "",
        first.at.isoformat(),
        str(first.run),
        first.hash,
    )


def _day(at: datetime) -> str:
    return f"{at.day} {at:%B}"
