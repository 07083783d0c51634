"""Builds the policy: guards, allowances, what is managed or ignored, watches, access tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from rolecall.desired.sources import Sources
from rolecall.desired.targets import days
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.policy import AccessTest, Allow, Band, Combo, Guards, Ignore, Limit, Policy
from rolecall.model.roles import role_id

ESCALATIONS = ("team_admin", "org_admin", "custom")


def build_policy(effective: dict[str, Any], sources: Sources) -> Policy:
    """The policy of a valid config."""
    watch = effective.get("watch", {})
    return Policy(
        manage=dict(effective.get("manage", {})),
        ignore=tuple(_ignore(said, sources.where(("ignore", at))) for at, said in _items(effective, "ignore")),
        guards=build_guards(effective.get("guards", {})),
        allow=tuple(_allow(said, sources.where(("allow", at))) for at, said in _items(effective, "allow")),
        watch_roles=frozenset(map(role_id, watch.get("roles", ()))),
        access_tests=tuple(
            build_test(said, sources.where(("access_tests", at))) for at, said in _items(effective, "access_tests")
        ),
        sources=dict(_places(effective, sources)),
    )


def build_guards(said: dict[str, Any]) -> Guards:
    """The guards; whatever is not said has its default. A band is replaced whole."""
    made: dict[str, Any] = {name: said[name] for name in ("min_org_admins", "require_self", "approval") if name in said}
    if "required_org_admins" in said:
        made["required_org_admins"] = tuple(map(normalise.email, said["required_org_admins"]))
    for name in ("max_people_losing_access", "max_removals", "observed_age"):
        if name in said:
            made[name] = Band(**{level: _limit(limit) for level, limit in said[name].items()})
    if "escalations" in said:
        stances = said["escalations"]
        wanted = dict.fromkeys(ESCALATIONS, stances) if isinstance(stances, str) else stances
        made["escalations"] = {**Guards().escalations, **wanted}
    return Guards(**made)


def build_test(said: dict[str, Any], source: Where | None = None) -> AccessTest:
    """One access test; names normalised, roles as ids."""
    person = said.get("person")
    persona = person["groups"] if isinstance(person, dict) else None
    has = said.get("has", ())
    only = said.get("granted_by_only")
    return AccessTest(
        name=said["name"],
        person=normalise.email(person) if isinstance(person, str) else None,
        groups=None if persona is None else tuple(map(normalise.name, persona)),
        role=role_id(said["role"]) if "role" in said else None,
        expect=frozenset(map(_combo, said["expect"])) if "expect" in said else None,
        has=tuple(_held(one) for one in (has if isinstance(has, list | tuple) else (has,))),
        never=tuple(map(role_id, _listed(said.get("never", ())))),
        granted_by_only=None if only is None else tuple(map(normalise.name, only)),
        source=source,
    )


def _items(effective: dict[str, Any], key: str) -> Iterator[tuple[int, Any]]:
    return enumerate(effective.get(key, ()))


def _listed(said: Any) -> Any:
    return (said,) if isinstance(said, str) else said


def _held(said: Any) -> str | Combo:
    return role_id(said) if isinstance(said, str) else _combo(said)


def _combo(said: dict[str, str]) -> Combo:
    return Combo(normalise.name(said["team"]), role_id(said["role"]))


def _limit(said: int | str) -> Limit:
    if isinstance(said, str):
        return Limit(float(said[:-1]), percent=True) if said.endswith("%") else Limit(days(said))
    return Limit(said)


def _ignore(said: dict[str, Any], source: Where) -> Ignore:
    return Ignore(said["address"], said["reason"], _date(said.get("until")), source)


def _allow(said: dict[str, Any], source: Where) -> Allow:
    return Allow(said["guard"], said.get("for"), said["up_to"], _date(said.get("until")), said["reason"], source)


def _date(said: str | None) -> date | None:
    return date.fromisoformat(said) if said else None


def _places(effective: dict[str, Any], sources: Sources) -> Iterator[tuple[str, Where]]:
    """The place of every policy key that is said: ``guards``, ``guards.approval``, ``manage.domains``, ..."""
    for top in ("manage", "guards", "watch", "ignore", "allow", "access_tests"):
        if top in effective:
            yield top, sources.where((top,), key=True)
    for top in ("manage", "guards", "watch"):
        for name in effective.get(top, ()):
            yield f"{top}.{name}", sources.where((top, name), key=True)
