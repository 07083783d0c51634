"""Policy to JSON and back, in the very shape that the config has, so that one description serves both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from rolecall.codec.settings import Json
from rolecall.model import normalise
from rolecall.model.policy import AccessTest, Allow, Band, Combo, Guards, Ignore, Limit, Policy
from rolecall.model.roles import role_id

_BANDS = ("max_people_losing_access", "max_removals", "observed_age")


def encode_policy(policy: Policy) -> dict[str, Json]:
    """Everything a policy says, places left out; lists keep their order."""
    return {
        "manage": dict(sorted(policy.manage.items())),
        "ignore": [
            _said(address=entry.address, reason=entry.reason, until=_day(entry.until)) for entry in policy.ignore
        ],
        "guards": encode_guards(policy.guards),
        "allow": [encode_allow(entry) for entry in policy.allow],
        "watch": {"roles": sorted(policy.watch_roles)},
        "access_tests": [_encode_test(test) for test in policy.access_tests],
    }


def decode_policy(json: Mapping[str, Json]) -> Policy:
    """The inverse; every key may be missing and then means the default."""
    return Policy(
        manage=dict(json.get("manage", {})),
        ignore=tuple(
            Ignore(entry["address"], entry.get("reason", ""), as_day(entry.get("until")))
            for entry in json.get("ignore", ())
        ),
        guards=decode_guards(json.get("guards", {})),
        allow=tuple(map(decode_allow, json.get("allow", ()))),
        watch_roles=frozenset(map(role_id, json.get("watch", {}).get("roles", ()))),
        access_tests=tuple(map(decode_test, json.get("access_tests", ()))),
    )


def encode_guards(guards: Guards) -> dict[str, Json]:
    """All guards, those that a config left out with their defaults."""
    return {
        "min_org_admins": guards.min_org_admins,
        "required_org_admins": list(guards.required_org_admins),
        "require_self": guards.require_self,
        **{name: _encode_band(getattr(guards, name), _UNITS.get(name, "")) for name in _BANDS},
        "escalations": dict(sorted(guards.escalations.items())),
        "approval": guards.approval,
    }


def decode_guards(json: Mapping[str, Json]) -> Guards:
    """Guards as a config has them; ``escalations`` may be one stance for all."""
    said: dict[str, Any] = {name: json[name] for name in ("min_org_admins", "require_self", "approval") if name in json}
    if "required_org_admins" in json:
        said["required_org_admins"] = tuple(map(normalise.email, json["required_org_admins"]))
    said |= {name: _decode_band(json[name], getattr(Guards(), name)) for name in _BANDS if name in json}
    if "escalations" in json:
        stances = json["escalations"]
        said["escalations"] = (
            dict.fromkeys(Guards().escalations, stances)
            if isinstance(stances, str)
            else {**Guards().escalations, **stances}
        )
    return Guards(**said)


def encode_allow(entry: Allow) -> dict[str, Json]:
    """One allowance; ``for`` and ``until`` only where it has them."""
    return {
        "guard": entry.guard,
        **_said(**{"for": entry.target}),
        "up_to": entry.up_to,
        **_said(until=_day(entry.until), reason=entry.reason),
    }


def decode_allow(json: Mapping[str, Json]) -> Allow:
    """The inverse of encode_allow."""
    return Allow(
        json["guard"].replace("-", "_"),
        json.get("for"),
        json.get("up_to", 0),
        as_day(json.get("until")),
        json.get("reason", ""),
    )


def decode_test(json: Mapping[str, Json]) -> AccessTest:
    """One access test as a config has it: ``person`` is an e-mail or ``{groups: [...]}``."""
    person = json.get("person")
    persona = person.get("groups", []) if isinstance(person, dict) else None
    return AccessTest(
        name=json["name"],
        person=normalise.email(person) if isinstance(person, str) else None,
        groups=None if persona is None else tuple(map(normalise.name, persona)),
        role=role_id(json["role"]) if "role" in json else None,
        expect=frozenset(map(_combo, json["expect"])) if "expect" in json else None,
        has=tuple(_combo(entry) if isinstance(entry, dict) else role_id(entry) for entry in _many(json.get("has"))),
        never=tuple(map(role_id, _many(json.get("never")))),
        granted_by_only=tuple(map(normalise.name, json["granted_by_only"])) if "granted_by_only" in json else None,
    )


def _encode_test(test: AccessTest) -> dict[str, Json]:
    return _said(
        name=test.name,
        person={"groups": list(test.groups)} if test.groups is not None else test.person,
        role=test.role,
        expect=None if test.expect is None else [combo._asdict() for combo in sorted(test.expect)],
        has=[entry if isinstance(entry, str) else entry._asdict() for entry in test.has] or None,
        never=list(test.never) or None,
        granted_by_only=None if test.granted_by_only is None else list(test.granted_by_only),
    )


def parse_limit(said: int | str) -> Limit:
    """``10``, ``"2%"`` or, for an age, ``"30d"``."""
    if isinstance(said, str):
        number = said.strip().rstrip("%d").strip()
        return Limit(float(number), percent=said.strip().endswith("%"))
    return Limit(said)


_UNITS = {"observed_age": "d"}


def _decode_band(json: Json, default: Band) -> Band:
    if not isinstance(json, dict):
        return default._replace(block=parse_limit(json))
    return default._replace(**{key: None if said is None else parse_limit(said) for key, said in json.items()})


def _encode_band(band: Band, unit: str) -> dict[str, Json]:
    return {key: None if limit is None else _encode_limit(limit, unit) for key, limit in band._asdict().items()}


def _encode_limit(limit: Limit, unit: str) -> int | str:
    if limit.percent or unit:
        return f"{limit.amount:g}{'%' if limit.percent else unit}"
    return int(limit.amount)


def _combo(json: Mapping[str, str]) -> Combo:
    return Combo(normalise.name(json["team"]), role_id(json["role"]))


def _many(json: Json) -> list[Json]:
    return json if isinstance(json, list) else [] if json is None else [json]


def _said(**pairs: Json) -> dict[str, Json]:
    return {key: said for key, said in pairs.items() if said not in (None, "")}


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def as_day(text: str | None) -> date | None:
    """``2026-12-05`` as a date. Raises ValueError for what is no day."""
    return date.fromisoformat(text) if text else None
