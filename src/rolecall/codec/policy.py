"""Encodes and decodes policies in the configuration's format: one reader for configurations, plans and the journal."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.codec.forms import Fault, Form, Misfit
from rolecall.codec.record import Codec, Shape
from rolecall.codec.settings import Json
from rolecall.model.policy import AccessTest, Allow, Guards, Limit, Policy

_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}


def days(duration: str) -> int:
    """Return the days of a duration such as ``30d``, ``6w``, ``12m`` (30 days each) or ``2y`` (365 days each)."""
    return int(duration[:-1]) * _DAYS[duration[-1]]


def encode_policy(policy: Policy) -> dict[str, Json]:
    """Return everything a policy says, places left out; lists keep their order."""
    return _CODEC.encode_record(policy)


def decode_policy(json: Mapping[str, Json]) -> Policy:
    """Return the policy, without places. A key that is missing means the default. Raises Misfit."""
    return _CODEC.decode(Policy, json)


def encode_guards(guards: Guards) -> dict[str, Json]:
    """Return all guards, including defaults."""
    return _CODEC.encode_record(guards)


def encode_limit(limit: Limit | None) -> Json:
    """Return ``10`` or ``"2%"``; None for no limit."""
    return None if limit is None else _write_limit(limit)


def encode_allow(entry: Allow) -> dict[str, Json]:
    """Return one override; ``for`` and ``until`` only if it has them."""
    return _CODEC.encode_record(entry)


def decode_allow(json: Mapping[str, Json]) -> Allow:
    """Decode what encode_allow returns. Raises Misfit."""
    return _CODEC.decode(Allow, json)


def encode_test(test: AccessTest) -> dict[str, Json]:
    """Return one access test."""
    return _CODEC.encode_record(test)


def _write_limit(limit: Limit) -> Json:
    return f"{limit.amount:g}%" if limit.percent else int(limit.amount)


def _read_limit(json: Json) -> Limit:
    """Return the limit of ``10``, ``"2%"`` or, for an age, ``"30d"``."""
    if isinstance(json, int) and not isinstance(json, bool):
        return Limit(json)
    try:
        return Limit(float(json[:-1]), percent=True) if json.endswith("%") else Limit(days(json))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Misfit(Fault((), "expected a limit such as 10, `2%` or `30d`")) from None


def _write_guards(_: Guards, json: Mapping[str, Json]) -> dict[str, Json]:
    ages = {level: None if age is None else f"{age}d" for level, age in json["observed_age"].items()}
    return {"observed_age": ages, "escalations": dict(sorted(json["escalations"].items()))}


def _read_guards(json: dict[str, Json]) -> dict[str, Json]:
    """Expand ``escalations``, which may be one value for all kinds, or a value for some of them."""
    escalations = json.get("escalations", {})
    stances = dict.fromkeys(_STANCES, escalations) if isinstance(escalations, str) else {**_STANCES, **escalations}
    return {**json, "escalations": stances}


_STANCES = Guards().escalations


def _write_test(test: AccessTest, _: Mapping[str, Json]) -> dict[str, Json]:
    return {} if test.groups is None else {"person": {"groups": list(test.groups)}}


def _read_test(json: dict[str, Json]) -> dict[str, Json]:
    """Expand an access test: a persona is ``person: {groups: [...]}``; ``has`` and ``never`` may be one value instead
    of a list.
    """
    listed = {
        name: json[name] if isinstance(json[name], list | tuple) else [json[name]]
        for name in ("has", "never")
        if json.get(name) is not None
    }
    persona = json.get("person")
    who = {"person": None, "groups": persona.get("groups", [])} if isinstance(persona, dict) else {}
    return {**json, **listed, **who}


def _write_policy(_: Policy, json: Mapping[str, Json]) -> dict[str, Json]:
    return {"manage": dict(sorted(json["manage"].items())), "watch": {"roles": json["watch"]}}


def _read_policy(json: dict[str, Json]) -> dict[str, Json]:
    return {**json, "watch": json.get("watch", {}).get("roles", [])}


POLICY_SHAPES: Mapping[type, Shape] = {
    Policy: Shape(write=_write_policy, read=_read_policy),
    Guards: Shape(write=_write_guards, read=_read_guards),
    AccessTest: Shape(
        (
            *("name", "person", "role", "expect", "has", "never", "granted_by_only"),
            *("at_most", "only_domains", "never_together"),
        ),
        write=_write_test,
        read=_read_test,
    ),
}
POLICY_FORMS: Mapping[type, Form] = {Limit: Form(_write_limit, _read_limit)}
_CODEC = Codec(POLICY_SHAPES, POLICY_FORMS)
