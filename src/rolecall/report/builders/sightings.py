"""Report access records: who had which access at a time in the past. Users are named, because it is evidence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN
from rolecall.plan.dates import moment_words
from rolecall.plan.explain.access_records import Evidence, SeenAt
from rolecall.plan.headline import access_words, role_word
from rolecall.report.document import Document, Listing, Note, Row, Table, Tone
from rolecall.report.phrases import count, listed, visible

COLUMNS = (
    "email", "id", "role", "team", "by", "mapping", "source", "commit", "pull_request", "approved_by", "applied_by_run",
    "seen_at", "run", "hash",
)  # fmt: skip

_EMAIL = 28
_SHORT = 8


def record_document(record: SeenAt) -> Document:
    """Return when access was recorded and when next, a row for each team role, and the counts."""
    title = f"{visible(record.org_name)} ({visible(record.org_id)}): {recorded_words(record)}"
    listing = Listing(tuple(_rows(record)), (_EMAIL,))
    return Document("access", title=title, listings=(listing,))


def _rows(record: SeenAt) -> Iterator[Row]:
    if not record.sighting.complete:
        yield Row((Note("Users were only partially read then, so this list may be incomplete.", "warn"),))
    yield from map(_evidence_row, record.evidence)
    users = len({item.holding.id or item.holding.email for item in record.evidence})
    yield Row((Note(f"{count(users, 'user')}.", "strong"),))
    roles = ", ".join(
        f"{visible(role_word(role))} {number:,}" for role, number in sorted(record.sighting.roles.items())
    )
    yield Row((Note(f"Users by role: {roles or 'none'}.", "dim"),))


def recorded_words(record: SeenAt) -> str:
    """Return ``access recorded 1 Mar 2026, 02:00 UTC by run 812; next record 2 Mar 2026, 02:00 UTC``."""
    first, after = record.sighting, record.after
    following = f"next record {moment_words(after.at)}" if after else "no later record"
    return f"access recorded {moment_words(first.at)} by run {first.run}; {following}"


def sighting_json(record: SeenAt) -> str:
    """Return ``{"seen_at", "run", "hash", "next", "complete", "people": [...], "roles", "teams"}``; users as
    in `access`."""
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


def _evidence_row(evidence: Evidence) -> Row:
    holding = evidence.holding
    parts = [visible(part) for part in (holding.source, *_decisions(evidence)) if part]
    by = listed(holding.reasons[:1]) or "unknown"
    source = " · ".join(parts) if parts else "" if evidence.run else "not by rolecall"
    access = visible(access_words([TeamRole(holding.team, holding.role)]))
    tone: Tone = "more" if holding.role == ORG_ADMIN else "plain"
    cells = Note(visible(holding.email), "strong"), Note(f"{access} ({by})", tone)
    return Row((*cells, Note(source, "dim")) if source else cells)


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
