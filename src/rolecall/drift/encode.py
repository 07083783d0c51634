"""A look for drift as JSON, as ``schemas/drift.schema.json`` describes it. Every key is always there."""

from __future__ import annotations

from typing import Any

from rolecall import __version__
from rolecall.codec.settings import Json, encode_value
from rolecall.drift.compare import Drift
from rolecall.drift.value import UNDETERMINED, Alarm, DriftReport, NewAdmin, PeopleNews
from rolecall.errors import Where
from rolecall.model.authorship import Blame
from rolecall.model.kinds import split_address
from rolecall.model.outcome import Event
from rolecall.plan.saved.encode import encode_problem, encode_released
from rolecall.plan.value import Plan, Tally, Who

FORMAT_VERSION = "1.0"


def encode_found(found: DriftReport) -> dict[str, Json]:
    """Everything that was found, people as they stand in it, see ``plan.drift_privacy``. No secret is in it."""
    return {
        "format_version": FORMAT_VERSION,
        "rolecall_version": __version__,
        "org": {"id": found.org.id, "name": found.org.name, "env": found.org.env, "url": found.org.url},
        "at": found.at.isoformat(),
        "as_of": found.as_of.isoformat(),
        "basis": {**found.basis._asdict(), "at": found.basis.at.isoformat() if found.basis.at else None},
        "undetermined": None if found.determined else UNDETERMINED,
        "coverage": {
            name: {"state": seen.state, "read": seen.read, "total": seen.total} for name, seen in found.coverage.items()
        },
        "drift": [_row(found, row) for row in found.drifts],
        "beside": [_row(found, row) for row in found.rows if row.fingerprint not in found.counted],
        "impact": {"did": _impact(found.did), "revert": _impact(found.revert)},
        "alarms": [_alarm(alarm) for alarm in found.alarms],
        "acknowledged": [{**row._asdict(), "at": row.at.isoformat()} for row in found.acknowledged.values()],
        "not_evaluated": list(found.not_evaluated),
        "people": _people(found.people),
        "groups": {
            "arrived": list(found.groups.arrived),
            "vanished": list(found.groups.vanished),
            "renamed": [row._asdict() for row in found.groups.renamed],
            "ready": list(found.groups.ready),
        },
        "released": [encode_released(row) for row in found.released],
        "unmanaged": [{**row._asdict(), "teams": list(row.teams)} for row in found.unmanaged],
        "roles": dict(found.sighting.roles) if found.sighting else None,
        "teams": dict(found.sighting.teams) if found.sighting else None,
        "without_access": found.without_access,
        "ignored": list(found.ignored),
        "warnings": [encode_problem(problem) for problem in found.warnings],
        "requests": found.requests,
    }


def _row(found: DriftReport, row: Drift) -> dict[str, Json]:
    section, _ = split_address(row.address)
    counts = row.fingerprint in found.counted
    return {
        "address": row.address,
        "id": row.id,
        "class": row.kind,
        "last": encode_value(section, row.last),
        "desired": encode_value(section, row.desired),
        "live": encode_value(section, row.live),
        "new_admin": row.new_admin,
        "who": row.event.actor if row.event else None,
        "when": row.event.at.isoformat() if row.event else None,
        "from": _event(row.event),
        "written": _blame(found.written.get(row.address)),
        "source": _where(row.source),
        "people": {
            "did": _tally(found.tally("did", row.address)) if counts else None,
            "revert": _tally(found.tally("revert", row.address)) if counts else None,
        },
        "fingerprint": row.fingerprint,
        "former_fingerprints": list(row.former_fingerprints),
    }


def _event(event: Event | None) -> dict[str, Json] | None:
    return None if event is None else {"channel": event.channel, "ip": event.source_ip, "key": event.key}


def _blame(said: Blame | None) -> dict[str, Json] | None:
    return None if said is None else {**said._asdict(), "at": said.at.isoformat()}


def _tally(tally: Tally | None) -> dict[str, Json] | None:
    return None if tally is None else tally._asdict()


def _impact(plan: Plan | None) -> dict[str, Json] | None:
    if plan is None:
        return None
    impact = plan.impact
    names = ("people", "problem", "gain", "lose", "change", "losing", "to_default", "to_nothing", "headline")
    return {
        **{name: getattr(impact, name) for name in names},
        "details": [
            {
                **_who(who),
                "before": [combo._asdict() for combo in move.before],
                "after": [combo._asdict() for combo in move.after],
                "kind": move.kind,
                "because": list(move.because),
            }
            for move in impact.moves
            for who in move.people
        ],
        "guards": [{"name": row.name, "verdict": row.verdict, "message": row.message} for row in plan.guards],
    }


def _alarm(alarm: Alarm) -> dict[str, Any]:
    who = None if alarm.who is None else _who(alarm.who)
    return {**alarm._asdict(), "who": who, "source": _where(alarm.source)}


def _people(news: PeopleNews | None) -> dict[str, Json] | None:
    if news is None:
        return None
    return {
        "since": news.since.isoformat(),
        "joined": news.joined,
        "left": news.left,
        "moved": news.moved,
        "new_org_admins": [_new_admin(row) for row in news.new_admins],
        "former_org_admins": [_who(who) for who in news.former_admins],
    }


def _new_admin(row: NewAdmin) -> dict[str, Json]:
    return {**_who(row.who), "by": row.by, "address": row.address, "fingerprint": row.fingerprint}


def _where(where: Where | None) -> dict[str, Json] | None:
    return None if where is None else where._asdict()


def _who(who: Who) -> dict[str, Json]:
    return {"id": who.id or None, "email": who.email}
