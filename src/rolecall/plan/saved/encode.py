"""A plan as JSON, as ``schemas/plan.schema.json`` describes it. Every key is always there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rolecall import __version__
from rolecall.codec.intents import encode_intent, encode_where
from rolecall.codec.policy import encode_allow, encode_policy
from rolecall.codec.settings import Json, encode_settings, encode_value
from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.comparison import field_changes
from rolecall.model.desired import Desired
from rolecall.model.directory import PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.policy import Combo
from rolecall.model.settings import Address, Sso
from rolecall.plan.coverage import sections_of
from rolecall.plan.moves import Attribution
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.summary import summary
from rolecall.plan.value import (
    FORMAT_VERSION,
    Apart,
    Impact,
    Move,
    Plan,
    Released,
    Tally,
    Transient,
    UpgradeImpact,
    Who,
)


def encode_plan(plan: Plan) -> dict[str, Json]:
    """The whole plan. No secret is in it; people as they stand in it, see ``plan.privacy``."""
    return {
        "format_version": FORMAT_VERSION,
        "rolecall_version": __version__,
        "org": {"id": plan.org.id, "name": plan.org.name, "env": plan.org.env, "url": plan.org.url},
        "created_at": plan.created_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "as_of": plan.as_of.isoformat(),
        "config_digest": plan.config_digest,
        "digest": digest(plan),
        "coverage": {
            name: {"state": seen.state, "read": seen.read, "total": seen.total} for name, seen in plan.coverage.items()
        },
        "desired": {
            "settings": encode_settings(plan.desired.settings),
            "intents": {at: encode_intent(plan.desired.intent(at)) for at in sorted(_addresses(plan.desired))},
            "policy": encode_policy(plan.desired.policy),
        },
        "lifts": [{**encode_allow(lift), "source": encode_where(lift.source)} for lift in plan.lifts],
        "changes": [encode_change(change, plan.impact.tallies.get(change.address)) for change in plan.changes],
        "released": [encode_released(row) for row in plan.released],
        "unmanaged": [{**row._asdict(), "teams": list(row.teams)} for row in plan.unmanaged],
        "summary": summary(plan),
        "partial": plan.partial,
        "selection": {
            "targets": list(plan.selection.targets),
            "excludes": list(plan.selection.excludes),
            "only_expired": plan.selection.only_expired,
        },
        "relied": {
            "sections": sorted(sections_of(plan.coverage)),
            "reads": plan.requests.read,
            "people_scope": _scope(plan.scope),
            "counts": dict(sorted(plan.counts.items())),
            "switches": dict(sorted(plan.switches.items())),
            "group_ids": dict(sorted(plan.group_ids.items())),
        },
        "impact": _impact(plan.impact),
        "guards": [
            {**row._asdict(), "source": encode_where(row.source), "ways": list(row.ways)} for row in plan.guards
        ],
        "access_tests": [{**row._asdict(), "source": encode_where(row.source)} for row in plan.access_tests],
        "policy_changes": [row._asdict() for row in plan.policy_changes],
        "requests": plan.requests._asdict(),
        "warnings": [encode_problem(problem) for problem in plan.warnings],
        "errored": plan.errored,
        **_sso_metadata(plan),
    }


def _sso_metadata(plan: Plan) -> dict[str, Json]:
    """Return what the SAML metadata says that the plan writes; nothing where it writes none that can be read."""
    written = (change.after.metadata for change in plan.changes if isinstance(change.after, Sso))
    text = next((metadata for metadata in written if isinstance(metadata, str) and metadata), None)
    if text is None:
        return {}
    from rolecall.codec.saml import NotMetadata, decode_metadata

    try:
        metadata = decode_metadata(text)
    except NotMetadata:
        return {}
    certificates = [
        {"sha256": item.sha256, "not_before": item.not_before.isoformat(), "not_after": item.not_after.isoformat()}
        for item in metadata.readable
    ]
    ends = None if metadata.ends is None else metadata.ends.isoformat()
    return {"sso_metadata": {"entity_id": metadata.entity_id, "certificates": certificates, "ends": ends}}


def encode_released(row: Released) -> dict[str, Json]:
    """Return what is no longer managed, and the live value of it; null where it was not read."""
    section, _ = split_address(row.address)
    return {**row._asdict(), "fields": list(row.fields), "value": encode_value(section, row.value)}


def encode_change(change: Change, tally: Tally | None = None) -> dict[str, Json]:
    """One change; ``people`` is null where nobody was counted."""
    section = split_address(change.address)[0]
    intent = change.intent
    return {
        "address": change.address,
        "id": change.id,
        "action": change.action,
        "via": change.via,
        "via_reason": change.via_reason,
        "wave": change.wave,
        "level": change.level,
        "moved": {"from": change.moved.before, "to": change.moved.after} if change.moved else None,
        "reason": change.reason,
        "intent": {"owner": intent.owner, "reason": intent.reason, "ticket": intent.ticket},
        "before": encode_value(section, change.before),
        "after": encode_value(section, change.after),
        "fields": [
            {"path": field.path, "before": _plain(field.before), "after": _plain(field.after)}
            for field in field_changes(section, change.before, change.after)
        ],
        "source": encode_where(intent.source),
        "people": tally._asdict() if tally else None,
    }


def encode_problem(problem: Problem) -> dict[str, Json]:
    """A problem, with its place as an object."""
    return {**problem._asdict(), "where": encode_where(problem.where)}


def _plain(value: Any) -> Json:
    return sorted(value) if isinstance(value, frozenset) else value


def _addresses(desired: Desired) -> set[Address]:
    return {*desired.intents, *desired.places}


def _scope(scope: PeopleScope) -> dict[str, Json]:
    return {name: _plain(said) for name, said in scope._asdict().items()}


def _impact(impact: Impact) -> dict[str, Json]:
    admins = impact.org_admins
    return {
        "people": impact.people,
        "problem": impact.problem,
        **{
            name: getattr(impact, name)
            for name in ("changed", "gain", "lose", "change", "losing", "to_default", "to_nothing")
        },
        "escalations": [
            {**_who(row.who), "gains": _combos(row.gains), "because": list(row.because)} for row in impact.escalations
        ],
        "org_admins": None if admins is None else {"before": admins[0], "after": admins[1]},
        "headline": impact.headline,
        **_people(impact.moves),
        "transients": [_transient(row) for row in impact.transients],
        "at_risk": [_who(who) for who in impact.at_risk],
        **({"order_limited": True} if impact.order_limited else {}),
        "teams": [row._asdict() for row in impact.teams],
        "apart": [_apart(row) for row in impact.apart],
        "upgrade": None if impact.upgrade is None else _upgrade(impact.upgrade),
        "notes": list(impact.notes),
        "members": dict(sorted(impact.members.items())),
    }


def _people(moves: Iterable[Move]) -> dict[str, Json]:
    """The people who move, one by one and equal ones together."""
    listed = list(moves)
    return {
        "details": [detail for move in listed for detail in _details(move)],
        "groups": [
            {
                **_move(move),
                "on_default": move.on_default,
                "size": move.size,
                "causes": [*map(_attribution, move.causes)],
            }
            for move in listed
        ],
    }


def _move(move: Move) -> dict[str, Json]:
    return {
        "before": _combos(move.before),
        "after": _combos(move.after),
        "kind": move.kind,
        "because": list(move.because),
        "to_default": move.to_default,
    }


def _attribution(cause: Attribution) -> dict[str, Json]:
    combos = {"lost": _combos(cause.lost), "gained": _combos(cause.gained)}
    return {**cause._asdict(), **combos, "because": list(cause.because)}


def _details(move: Move) -> list[dict[str, Json]]:
    common = _move(move)
    return [{**_who(who), **common} for who in move.people]


def _transient(row: Transient) -> dict[str, Json]:
    return {**_who(row.who), row.kind: row.combo._asdict(), "from_step": row.from_step, "to_step": row.to_step}


def _apart(row: Apart) -> dict[str, Json]:
    people = row.people._asdict()
    return {**row._asdict(), "addresses": list(row.addresses), "people": people, "sentences": list(row.sentences)}


def _upgrade(row: UpgradeImpact) -> dict[str, Json]:
    people = _people(row.moves)
    lost = [_who(who) for who in row.org_admins_lost]
    return {**row._asdict(), "org_admins_lost": lost, "details": people["details"], "moves": people["groups"]}


def _who(who: Who) -> dict[str, Json]:
    return {"id": who.id, "email": who.email}


def _combos(combos: tuple[Combo, ...]) -> list[Json]:
    return [combo._asdict() for combo in combos]
