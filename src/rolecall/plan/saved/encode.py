"""Encode a plan as JSON and decode it, as described in ``schemas/plan.schema.json``; every key is always present."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from rolecall import __version__
from rolecall.codec.forms import Form
from rolecall.codec.policy import POLICY_FORMS, POLICY_SHAPES
from rolecall.codec.record import Codec, Shape
from rolecall.codec.settings import Json
from rolecall.model.change import Change
from rolecall.model.desired import Desired, Intent
from rolecall.model.kinds import field_changes, split_address
from rolecall.model.live import Coverage
from rolecall.model.policy import Policy, TeamRole
from rolecall.model.settings import Address, Settings, Sso
from rolecall.plan.coverage import sections_of
from rolecall.plan.moves import LISTED, hash_of
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.summary import summary
from rolecall.plan.value import (
    CLASSES_VERSION,
    FORMAT_VERSION,
    Impact,
    Move,
    OrgRef,
    Plan,
    Released,
    Transient,
    UpgradeImpact,
)


def encode_plan(plan: Plan) -> dict[str, Json]:
    """Return the whole plan. It contains no secret; for users see ``plan.saved.privacy``."""
    return _CODEC.encode_record(plan)


def decode_plan(json: Mapping[str, Json]) -> Plan:
    """Return the plan; the caller checks its digest. Raises Misfit for what is none."""
    return _CODEC.decode(Plan, json)


def encode_released(released: Released) -> dict[str, Json]:
    """Return what is no longer managed, and the live value of it; null where it was not read."""
    return _CODEC.encode_record(released)


def _write_plan(plan: Plan, json: Mapping[str, Json]) -> dict[str, Json]:
    tallies = plan.impact.tallies
    counted = [None if (tally := tallies.get(c.address)) is None else tally._asdict() for c in plan.changes]
    return {
        "format_version": _format_version(json["impact"]),
        "rolecall_version": __version__,
        "digest": digest(plan),
        "changes": [{**change, "people": people} for change, people in zip(json["changes"], counted, strict=True)],
        "summary": summary(plan),
        "partial": plan.partial,
        "relied": {
            "sections": sorted(sections_of(plan.coverage)),
            "reads": plan.requests.read,
            "people_scope": _CODEC.encode(plan.scope),
            "counts": dict(sorted(plan.counts.items())),
            "switches": dict(sorted(plan.switches.items())),
            "group_ids": dict(sorted(plan.group_ids.items())),
        },
        **_sso_metadata(plan),
        **_readings(plan),
    }


def _format_version(impact: Json) -> str:
    """Return the format, 1.1 where users are not listed in ``details``."""
    upgrade = impact["upgrade"] or {}
    return CLASSES_VERSION if "details_omitted" in impact or "details_omitted" in upgrade else FORMAT_VERSION


def _read_plan(json: dict[str, Json]) -> dict[str, Json]:
    """Take what a plan relies on, the tallies of its changes and their intents from where its JSON has them."""
    intents, relied = json["desired"]["intents"], json["relied"]
    changes = [
        {**change, "intent": intents.get(change["address"]) or {**change["intent"], "source": change["source"]}}
        for change in json["changes"]
    ]
    tallies = {change["address"]: change["people"] for change in json["changes"] if change["people"]}
    readings = json.get("readings", {})
    return {
        **json,
        "coverage": {name: {**part, **readings.get(name, {})} for name, part in json["coverage"].items()},
        "changes": changes,
        "impact": {**json["impact"], "tallies": tallies},
        "scope": relied["people_scope"],
        "group_ids": relied.get("group_ids", {}),
        **{name: relied[name] for name in ("counts", "switches")},
    }


def _readings(plan: Plan) -> dict[str, Json]:
    """Return who read each section and when, and who reported values done since, for an org that an admin reads;
    nothing for one with an API."""
    readings = {
        name: {
            "taken_by": part.taken_by,
            "taken_at": part.taken_at and part.taken_at.isoformat(),
            **({"reported": [_CODEC.encode(report) for report in part.reported]} if part.reported else {}),
        }
        for name, part in plan.coverage.items()
        if part.taken_by or part.taken_at or part.reported
    }
    return {"readings": readings} if readings else {}


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
    certificates = [_CODEC.encode(certificate) for certificate in metadata.readable]
    ends = None if metadata.ends is None else metadata.ends.isoformat()
    return {"sso_metadata": {"entity_id": metadata.entity_id, "certificates": certificates, "ends": ends}}


def _write_change(change: Change, _json: Mapping[str, Json]) -> dict[str, Json]:
    fields = field_changes(split_address(change.address)[0], change.before, change.after)
    intent = change.intent
    return {
        "intent": {"owner": intent.owner, "reason": intent.reason, "ticket": intent.ticket},
        "fields": [
            {"path": field.path, "before": _plain(field.before), "after": _plain(field.after)} for field in fields
        ],
        "source": None if intent.source is None else intent.source._asdict(),
    }


def _plain(value: Any) -> Json:
    return sorted(value) if isinstance(value, frozenset) else value


class _Desired(NamedTuple):
    """The desired state, with everything about an address in one place."""

    settings: Settings
    intents: Mapping[Address, Intent]
    policy: Policy


def _encode_desired(desired: Desired) -> Json:
    addresses = sorted({*desired.intents, *desired.places})
    return _CODEC.encode(_Desired(desired.settings, {at: desired.intent(at) for at in addresses}, desired.policy))


def _decode_desired(json: Json) -> Desired:
    settings, about, policy = _CODEC.decode(_Desired, json)
    intents = {at: intent for at, intent in about.items() if intent != Intent(intent.source)}
    places = {at: intent.source for at, intent in about.items() if intent.source is not None}
    return Desired(settings, intents, policy, places)


def _write_impact(impact: Impact, json: Mapping[str, Json]) -> dict[str, Json]:
    admins = impact.org_admins
    return {
        "changed": impact.changed,
        "org_admins": None if admins is None else {"before": admins[0], "after": admins[1]},
        **_users(impact.moves, json["groups"], "groups"),
        "members": dict(sorted(impact.members.items())),
    }


def _read_impact(json: dict[str, Json]) -> dict[str, Json]:
    admins = json["org_admins"]
    return {
        **json,
        "org_admins": None if admins is None else [admins["before"], admins["after"]],
        "groups": _moves(json["groups"], json["details"]),
    }


def _write_upgrade(upgrade: UpgradeImpact, json: Mapping[str, Json]) -> dict[str, Json]:
    return _users(upgrade.moves, json["moves"], "moves")


def _read_upgrade(json: dict[str, Json]) -> dict[str, Json]:
    return {**json, "moves": _moves(json.get("moves", []), json.get("details", []))}


_OF_PERSON = ("before", "after", "kind", "because", "to_default")


def _users(moves: Sequence[Move], encoded: Json, key: str) -> dict[str, Json]:
    """Return the users of the moves: one by one up to 10,000, else once in each class, and how many are not listed."""
    if not any(move.members_hash for move in moves) and sum(len(move.people) for move in moves) <= LISTED:
        return {"details": _details(moves, encoded)}
    return {
        "details": [],
        "details_omitted": sum(move.size for move in moves),
        key: [{**json, **_members(move)} for move, json in zip(moves, encoded, strict=True)],
    }


def _members(move: Move) -> dict[str, Json]:
    """Return the ids of a class with the names that are shown; of one of more than 10,000 users the hash of the ids."""
    if move.members_hash or len(move.people) > LISTED:
        return {"members_hash": move.members_hash or hash_of(move.people)}
    return {"members": [list(user) for user in move.people]} if move.people else {}


def _details(moves: Iterable[Move], encoded: Iterable[Mapping[str, Json]]) -> list[Json]:
    """Return the users of the moves, one by one; a move has those whose access changes alike."""
    details: list[Json] = []
    for move, json in zip(moves, encoded, strict=True):
        common = {key: json[key] for key in _OF_PERSON}
        details += ({"id": who.id, "email": who.email, **common} for who in move.people)
    return details


def _moves(groups: Iterable[Json], details: list[Json]) -> list[Json]:
    """Return the moves with their users: those of ``details`` are in the same order, all of a move or none.

    Plans of 0.1.0 do not say which users have default access only.
    """
    people = iter(details)
    return [
        {
            "on_default": group["to_default"],
            **group,
            "people": [next(people, None) for _ in range(group["size"])]
            if details
            else [{"id": id_, "email": email} for id_, email in group.get("members", ())],
        }
        for group in groups
    ]


def _write_transient(transient: Transient, _: Mapping[str, Json]) -> dict[str, Json]:
    return {transient.kind: transient.team_role._asdict()}


def _read_transient(json: dict[str, Json]) -> dict[str, Json]:
    kind = "lacks" if "lacks" in json else "has"
    return {**json, "kind": kind, "team_role": json[kind]}


def _read_org(json: dict[str, Json]) -> dict[str, Json]:
    return {**json, "local": json["url"].startswith("local:")}


REPORT_SHAPES: Mapping[type, Shape] = {
    OrgRef: Shape(("id", "name", "env", "url"), read=_read_org),
    Coverage: Shape(("state", "read", "total", "changed_since")),
}
"""The hooks that the JSON of a plan and that of a drift report share."""

_CODEC = Codec(
    {
        **POLICY_SHAPES,
        TeamRole: Shape(shared=True),
        Plan: Shape(
            (
                *("format_version", "rolecall_version", "org", "created_at", "expires_at", "as_of", "config_digest"),
                *("digest", "coverage", "desired", "lifts", "changes", "released", "unmanaged", "summary", "partial"),
                *("selection", "relied", "impact", "guards", "access_tests", "policy_changes", "requests", "warnings"),
                *("errored", "sso_metadata", "readings", "idp", "metadata_file", "command", "usage"),
                *("open_run", "idp_side", "what_if"),
            ),
            _write_plan,
            _read_plan,
        ),
        **REPORT_SHAPES,
        Intent: Shape(
            ("owner", "reason", "ticket", "id", "protect", "remove", "previously", "expires", "source"),
        ),
        Change: Shape(
            (
                *("address", "id", "action", "via", "via_reason", "wave", "level", "moved", "reason", "intent"),
                *("before", "after", "fields", "source"),
            ),
            _write_change,
        ),
        Impact: Shape(
            (
                *("people", "problem", "changed", "gain", "lose", "change", "losing", "to_default", "to_nothing"),
                *(
                    "escalations",
                    "org_admins",
                    "headline",
                    "details",
                    "details_omitted",
                    "groups",
                    "transients",
                    "at_risk",
                ),
                *(
                    "order_limited",
                    "teams",
                    "apart",
                    "upgrade",
                    "notes",
                    "members",
                    "remaining_admins",
                    "org_roles",
                    "lite_seats",
                    "missing",
                ),
            ),
            _write_impact,
            _read_impact,
        ),
        Move: Shape(
            ("before", "after", "kind", "because", "to_default", "on_default", "size", "causes", "members_hash")
        ),
        UpgradeImpact: Shape(write=_write_upgrade, read=_read_upgrade),
        Transient: Shape(("id", "email", "lacks", "has", "from_step", "to_step"), _write_transient, _read_transient),
    },
    {**POLICY_FORMS, Desired: Form(_encode_desired, _decode_desired)},
)
