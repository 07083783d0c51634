"""The content of the chain's entries: what is recorded, as JSON and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from rolecall.codec.policy import decode_allow, encode_allow
from rolecall.codec.settings import decode_value, encode_value
from rolecall.journal.chain import canonical
from rolecall.model.kinds import split_address
from rolecall.model.policy import Allow
from rolecall.model.run import Approval, Attestation, Ended, Intent, Opening, Planned, RunFacts
from rolecall.model.settings import Address, Value
from rolecall.model.sighting import Holding, Sighting

Json = Any


def stamp(at: datetime) -> str:
    """A moment as text that sorts: UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return a moment from its text. Raises ValueError for one without a time zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


def value_json(at: str, value: Value | None) -> Json:
    """A value by its address; None where there is no entry, or a blank one."""
    return encode_value(split_address(at)[0], value)


def value_of(at: str, json: Json) -> Value | None:
    """The inverse, as changes have it: a blank mapping is None."""
    return None if json is None else decode_value(split_address(at)[0], json)


def opening_body(opening: Opening) -> str:
    """How a run begins; its plan is an entry of its own."""
    return canonical(
        {
            "kind": opening.kind,
            "facts": opening.facts._asdict(),
            "digest": opening.digest,
            "lifts": [encode_allow(lift) for lift in opening.lifts],
            "approvals": [_approval_json(approval) for approval in opening.approvals],
            "steps": [_with_values(step._asdict()) for step in opening.steps],
        }
    )


def facts_of(json: Mapping[str, Json]) -> RunFacts:
    if not all(isinstance(value, str | None) for value in json.values()):
        raise TypeError(json)
    return RunFacts(**json)


def planned_of(json: Mapping[str, Json]) -> Planned:
    return Planned(**_values_of(json, json["address"]))


def approval_of(json: Mapping[str, Json]) -> Approval:
    return Approval(**{**json, "at": moment(json["at"]) if json["at"] else None})


def lift_of(json: Mapping[str, Json]) -> Allow:
    return decode_allow(json)


def intent_body(intent: Intent) -> str:
    return canonical(_with_values(intent._asdict()))


def intent_of(body: str) -> Intent:
    said = json.loads(body)
    return Intent(**_values_of(said, said["address"]))


def ended_body(ended: Ended) -> str:
    return canonical({**ended._asdict(), "found": value_json(ended.address, ended.found)})


def ended_of(body: str) -> Ended:
    said = json.loads(body)
    return Ended(**{**said, "address": Address(said["address"]), "found": value_of(said["address"], said["found"])})


def attestation_body(word: Attestation) -> str:
    return canonical(word._asdict())


def attestation_of(body: str) -> Attestation:
    return Attestation(**json.loads(body))


def sighting_body(sighting: Sighting) -> str:
    return canonical(
        {
            "holdings": [holding._asdict() for holding in sighting.holdings],
            "roles": dict(sighting.roles),
            "teams": dict(sighting.teams),
            "complete": sighting.complete,
        }
    )


def sighting_of(run: int, at: str, body: str, chain_hash: str) -> Sighting:
    said = json.loads(body)
    holdings = tuple(Holding(**{**row, "reasons": tuple(row["reasons"])}) for row in said["holdings"])
    return Sighting(moment(at), holdings, said["roles"], said["teams"], said["complete"], run, chain_hash)


def _approval_json(approval: Approval) -> Json:
    return {**approval._asdict(), "at": stamp(approval.at) if approval.at else None}


def _with_values(row: dict[str, Json]) -> dict[str, Json]:
    return {**row, **{side: value_json(row["address"], row[side]) for side in ("before", "after")}}


def _values_of(row: Mapping[str, Json], at: str) -> dict[str, Json]:
    return {**row, "address": Address(at), **{side: value_of(at, row[side]) for side in ("before", "after")}}
