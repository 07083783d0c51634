"""A small org in a few words, and the plan for a change of it: what tests of impact, guards and order start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orgs

from rolecall.codec.people import decode_people, encode_person
from rolecall.errors import Where
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.directory import Directory, Person, Traits
from rolecall.model.kinds import address
from rolecall.model.live import Caller, Facts, Group, Live
from rolecall.model.policy import Guards, Policy, TeamRole
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Settings, Sso
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.value import GuardResult, Plan

Spec = Mapping[str, str]
"""Group -> ``member: Marketing, Brand``; empty for blank."""


def mapping(said: str) -> GroupMapping:
    """``member: Marketing, Brand``; ``: Marketing`` has no role; nothing is blank."""
    if not said:
        return BLANK
    role, _, teams = said.partition(":")
    return GroupMapping(role.strip() or None, frozenset(team.strip() for team in teams.split(",") if team.strip()))


def mappings(spec: Spec) -> dict[str, GroupMapping]:
    return {name: mapping(said) for name, said in spec.items()}


def person(name: str, *groups: str, **traits: Any) -> Person:
    """``ann`` is ann@acme.com with the id u-ann; ``manual`` may be ``"team_admin: Sales"``."""
    if isinstance(traits.get("manual"), str):
        given = mapping(traits["manual"])
        traits["manual"] = tuple(TeamRole(team, given.role or "member") for team in sorted(given.teams))
    return Person(f"{name}@acme.com", f"u-{name}", groups, Traits(**traits))


def crowd(people: Iterable[Person]) -> Directory:
    return decode_people(map(encode_person, people))


def many(count: int, *groups: str, stem: str = "p") -> list[Person]:
    return [person(f"{stem}{number:03}", *groups) for number in range(count)]


def live(groups: Spec, **more: Any) -> Live:
    """An org on the new endpoint, SSO and SCIM on, default Everyone member, one domain, whose caller is a service."""
    settings = Settings(
        domains={"acme.com": Domain(True, "approval")},
        defaults=more.pop("defaults", Defaults("member", frozenset({"Everyone"}))),
        sso=more.pop("sso", Sso(True, "Okta", "okta", False, False)),
        scim=more.pop("scim", Scim(True, "okta", "new", False)),
        idp_groups=mappings(groups),
    )
    facts = Facts(
        org_id="org_1",
        org_name="acme",
        groups={name: Group(f"id-{name}", None, None) for name in groups},
        can=orgs.EVERYTHING,
        caller=Caller(more.pop("caller", None)),
    )
    return Live(settings, facts=facts._replace(**more))


def config(groups: Spec | None, policy: Policy | None = None, **more: Any) -> Desired:
    """A config whose groups are all of them; each entry stands on a line of its own, from 10 on, in rolecall.yaml."""
    about = more.pop("intents", {})
    held: Any = UNSET if groups is None else mappings(groups)
    places = {
        address("idp_groups", name): Where("rolecall.yaml", line, 3) for line, name in enumerate(groups or {}, 10)
    }
    said = {at: intent for name, intent in about.items() if (at := address("idp_groups", name)) in places}
    intents = {at: intent._replace(source=places[at]) for at, intent in said.items()}
    places |= {address(section): Where("rolecall.yaml", 4, 1) for section in more}
    wanted = policy or Policy()
    wanted = wanted._replace(manage={"idp_groups": "authoritative", **wanted.manage})
    return Desired(Settings(idp_groups=held, **more), intents, wanted, places)


def ask(
    desired: Desired, org: Live, people: Iterable[Person] | None, applied: Applied = NOTHING_APPLIED, **more: Any
) -> PlanInput:
    directory = None if people is None else crowd(people)
    return orgs.question(desired, org, directory=directory, applied=applied, **more)


def plan(
    before: Spec,
    after: Spec,
    people: Iterable[Person] | None,
    guards: Guards | None = None,
    policy: Policy | None = None,
    **more: Any,
) -> Plan:
    """The plan from one set of mappings to another."""
    asked = {
        name: more.pop(name) for name in ("applied", "lifts", "as_of", "scope", "config", "targets") if name in more
    }
    intents = more.pop("intents", {})
    rules = (policy or Policy())._replace(guards=guards or Guards())
    return make(ask(config(after, rules, intents=intents), live(before, **more), people, **asked))


def words(result: GuardResult) -> list[str]:
    """Return what a guard says: its message, then its causes and overrides, each with its place."""
    places = [f" ({detail.source.file}:{detail.source.line})" if detail.source else "" for detail in result.details]
    return [result.message, *(f"{detail.text}{at}" for detail, at in zip(result.details, places, strict=True))]


def verdict(made: Plan, name: str) -> GuardResult:
    """Return the result of one guard."""
    return next(result for result in made.guards if result.name == name)
