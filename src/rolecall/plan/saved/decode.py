"""A plan from JSON. Trusts its input to fit ``schemas/plan.schema.json``; the digest is checked by the caller."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from rolecall.codec.intents import decode_intent, decode_where
from rolecall.codec.policy import decode_allow, decode_policy
from rolecall.codec.settings import Json, decode_settings, decode_value
from rolecall.errors import Problem
from rolecall.model.change import Change, Rename
from rolecall.model.desired import NO_INTENT, Desired, Intent
from rolecall.model.directory import PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.live import Coverage
from rolecall.model.policy import Combo
from rolecall.model.settings import BLANK, Address
from rolecall.plan.moves import Attribution
from rolecall.plan.value import (
    AccessTestResult,
    Apart,
    Escalation,
    GuardResult,
    Impact,
    Move,
    OrgRef,
    Plan,
    PolicyChange,
    Released,
    Requests,
    Selection,
    Tally,
    TeamTally,
    Transient,
    Unmanaged,
    UpgradeImpact,
    Who,
)


def decode_plan(json: Mapping[str, Json]) -> Plan:
    """The inverse of ``encode_plan``."""
    about = {Address(at): decode_intent(said) for at, said in json["desired"]["intents"].items()}
    intents = {at: intent for at, intent in about.items() if intent != Intent(intent.source)}
    places = {at: intent.source for at, intent in about.items() if intent.source is not None}
    org = json["org"]
    return Plan(
        org=OrgRef(org["name"], org["id"], org["url"], org["env"], org["url"].startswith("local:")),
        created_at=datetime.fromisoformat(json["created_at"]),
        expires_at=datetime.fromisoformat(json["expires_at"]),
        as_of=date.fromisoformat(json["as_of"]),
        config_digest=json["config_digest"],
        desired=Desired(
            decode_settings(json["desired"]["settings"]), intents, decode_policy(json["desired"]["policy"]), places
        ),
        changes=tuple(_change(row, about) for row in json["changes"]),
        coverage={
            name: Coverage(seen["state"], seen["read"], seen["total"]) for name, seen in json["coverage"].items()
        },
        scope=_scope(json["relied"]["people_scope"]),
        counts=json["relied"]["counts"],
        switches=json["relied"]["switches"],
        lifts=tuple(decode_allow(row)._replace(source=decode_where(row["source"])) for row in json["lifts"]),
        released=tuple(map(_released, json["released"])),
        unmanaged=tuple(Unmanaged(**{**row, "teams": tuple(row["teams"])}) for row in json["unmanaged"]),
        impact=_impact(json["impact"], json["changes"]),
        guards=tuple(
            GuardResult(**{**row, "source": decode_where(row["source"]), "ways": tuple(row["ways"])})
            for row in json["guards"]
        ),
        access_tests=tuple(
            AccessTestResult(**{**row, "source": decode_where(row["source"])}) for row in json["access_tests"]
        ),
        policy_changes=tuple(PolicyChange(**row) for row in json["policy_changes"]),
        warnings=tuple(Problem(**{**row, "where": decode_where(row["where"])}) for row in json["warnings"]),
        requests=Requests(**json["requests"]),
        selection=_selection(json["selection"]),
        errored=json["errored"],
        group_ids=json["relied"].get("group_ids", {}),
    )


def _released(row: Mapping[str, Json]) -> Released:
    """An address that is no longer managed; plans of 0.1.0 name its address and users alone."""
    section, _ = split_address(row["address"])
    value = None if row.get("value") is None else decode_value(section, row["value"])
    fields, unmanaged = tuple(row.get("fields", ())), row.get("unmanaged", False)
    return Released(Address(row["address"]), row["people"], fields, value, row.get("id"), unmanaged)


def _change(row: Mapping[str, Json], intents: Mapping[Address, Intent]) -> Change:
    section = split_address(row["address"])[0]
    before, after = (decode_value(section, row[side]) for side in ("before", "after"))
    said = row["intent"]
    about = Intent(decode_where(row["source"]), said["owner"], said["reason"], said["ticket"])
    moved = row["moved"]
    return Change(
        address=Address(row["address"]),
        action=row["action"],
        before=None if before == BLANK else before,
        after=None if after == BLANK else after,
        reason=row["reason"],
        via=row["via"],
        via_reason=row["via_reason"],
        wave=row["wave"],
        intent=intents.get(Address(row["address"]), NO_INTENT if about == NO_INTENT else about),
        moved=Rename(Address(moved["from"]), Address(moved["to"])) if moved else None,
        level=row["level"],
        id=row.get("id"),
    )


def _selection(json: Mapping[str, Json]) -> Selection:
    return Selection(tuple(json["targets"]), tuple(json["excludes"]), json["only_expired"])


def _scope(json: Mapping[str, Json]) -> PeopleScope:
    sets = {name: frozenset(json[name]) for name in ("groups", "emails")}
    return PeopleScope(**{**json, **sets})


def _impact(json: Mapping[str, Json], changes: list[Json]) -> Impact:
    admins = json["org_admins"]
    counts = {name: json[name] for name in ("gain", "lose", "change", "losing", "to_default", "to_nothing")}
    return Impact(
        people=json["people"],
        problem=json["problem"],
        **counts,
        org_admins=None if admins is None else (admins["before"], admins["after"]),
        headline=json["headline"],
        escalations=tuple(
            Escalation(_who(row), _combos(row["gains"]), tuple(row["because"])) for row in json["escalations"]
        ),
        moves=_moves(json),
        transients=tuple(map(_transient, json["transients"])),
        at_risk=tuple(map(_who, json["at_risk"])),
        order_limited=json.get("order_limited", False),
        teams=tuple(TeamTally(**row) for row in json["teams"]),
        apart=tuple(map(_apart, json["apart"])),
        upgrade=_upgrade(json["upgrade"]),
        tallies={Address(row["address"]): Tally(**row["people"]) for row in changes if row["people"]},
        notes=tuple(json["notes"]),
        members={Address(at): number for at, number in json.get("members", {}).items()},
    )


def _moves(json: Mapping[str, Json]) -> tuple[Move, ...]:
    """Groups as they stand; the people of ``details`` follow in the same order, all of a group or none."""
    people = iter(json["details"])
    named = bool(json["details"])
    return tuple(
        Move(
            _combos(row["before"]),
            _combos(row["after"]),
            row["kind"],
            tuple(row["because"]),
            row["size"],
            tuple(_who(next(people)) for _ in range(row["size"])) if named else (),
            row["to_default"],
            tuple(map(_attribution, row.get("causes", ()))),
            row.get("on_default", row["to_default"]),
        )
        for row in json["groups"]
    )


def _attribution(row: Mapping[str, Json]) -> Attribution:
    """A part of a move with its causes; plans of 0.1.0 have none."""
    lost, gained = _combos(row["lost"]), _combos(row["gained"])
    return Attribution(lost, gained, tuple(row["because"]), row["each"], row["to_default"])


def _transient(row: Mapping[str, Json]) -> Transient:
    kind: Literal["lacks", "has"] = "lacks" if "lacks" in row else "has"
    return Transient(_who(row), kind, Combo(**row[kind]), row["from_step"], row["to_step"])


def _apart(row: Mapping[str, Json]) -> Apart:
    people, addresses = Tally(**row["people"]), tuple(map(Address, row["addresses"]))
    return Apart(row["kind"], addresses, people, row["to_default"], tuple(row["sentences"]))


def _upgrade(row: Mapping[str, Json] | None) -> UpgradeImpact | None:
    """Plans of the first versions do not say who would move."""
    if row is None:
        return None
    said = {name: value for name, value in row.items() if name != "details"}
    moves = _moves({"details": row.get("details", ()), "groups": row.get("moves", ())})
    return UpgradeImpact(**{**said, "org_admins_lost": tuple(map(_who, row["org_admins_lost"])), "moves": moves})


def _who(row: Mapping[str, Json]) -> Who:
    return Who(row["id"], row["email"])


def _combos(rows: list[Json]) -> tuple[Combo, ...]:
    return tuple(Combo(**row) for row in rows)
