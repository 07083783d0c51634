"""Drift checks made of values alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orgs

from rolecall.codec.people import decode_people
from rolecall.drift.compare import Memory
from rolecall.drift.scan import DriftScan, Past
from rolecall.drift.value import Basis
from rolecall.errors import Where
from rolecall.model.desired import Applied, Desired
from rolecall.model.live import Facts, Group, Live
from rolecall.model.outcome import Event
from rolecall.model.policy import Policy
from rolecall.model.settings import Defaults, GroupMapping, Scim, Settings
from rolecall.plan.inputs import PlanInput
from rolecall.plan.value import OrgRef

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
M = GroupMapping("member", frozenset({"Marketing"}))
L = GroupMapping("member", frozenset({"Legal"}))
LEAD = GroupMapping("team_admin", frozenset({"Marketing"}))
A = GroupMapping("org_admin", frozenset({"IT"}))
TEAMS = frozenset({"Everyone", "Marketing", "Legal", "IT"})
PEOPLE: list[dict[str, Any]] = [
    {"id": "p1", "email": "ann@acme.com", "groups": ["Admins"]},
    {"id": "p2", "email": "bo@acme.com", "groups": ["Admins", "G"]},
    {"id": "p3", "email": "cy@acme.com", "groups": ["G"]},
    {"id": "p4", "email": "di@acme.com", "groups": []},
]
DEFAULTS = Defaults("member", frozenset({"Everyone"}))


def live(people: list[dict[str, Any]] | None = None, **groups: GroupMapping) -> Live:
    """An org with these mappings, Admins beside them."""
    held = {"Admins": A, **groups}
    counts = Counter(group for row in people or PEOPLE for group in row["groups"])
    facts = Facts(
        org_id="org_1",
        teams=TEAMS,
        groups={key: Group(f"id-{key}", members=counts[key]) for key in held},
        can=orgs.EVERYTHING,
        local=True,
    )
    return Live(
        Settings(defaults=DEFAULTS, scim=Scim(enabled=True, endpoint="new", manual_editing=False), idp_groups=held),
        facts=facts,
    )


def memory(unmanaged: Any = frozenset(), policy: Policy | None = None, **groups: GroupMapping) -> Memory:
    """What was applied: these mappings and Admins'."""
    held = {"Admins": A, **groups}
    ids = {key: f"id-{key}" for key in held}
    applied = Applied(Settings(idp_groups=held), policy, group_ids=ids, unmanaged=unmanaged)
    return Memory(applied, frozenset(f"idp_groups/{key}" for key in held), "j1", frozenset({"rolecall/j1/1/1"}))


def event(at: str, actor: str = "bo@acme.com", key: str | None = None) -> Event:
    """A write in the audit log."""
    return Event("e1", NOW, actor, "console", at, None, None, key, "10.0.0.7")


def inquiry(
    wanted: dict[str, GroupMapping],
    there: dict[str, GroupMapping],
    was: dict[str, GroupMapping],
    policy: Policy | None = None,
    people: list[dict[str, Any]] | None = None,
    **more: Any,
) -> DriftScan:
    """A look: what the config wants, what the org has, what was applied."""
    found = live(people, **there)
    places = {f"idp_groups/{key}": Where("rolecall.yaml", 5 + row, 3) for row, key in enumerate(sorted(wanted))}
    directory = decode_people(PEOPLE if people is None else people, found.facts.groups, roles=found.facts.roles)
    past = Past(memory(**was), Basis("journal", "run 1", NOW))
    question = PlanInput(
        Desired(Settings(idp_groups={"Admins": A, **wanted}), {}, policy or Policy(), places),
        found,
        OrgRef("acme", "org_1", "local:org.db", "prod", True),
        NOW,
        NOW.date(),
        applied=past.memory.applied,
        directory=directory,
    )
    return replace(DriftScan(question, past), **more)


def many(number: int) -> DriftScan:
    """Return a check with so many changed mappings, each of a group of one user, made in the console one after another.

    Half of them give another team and half team admin; every 50th gives org admin.
    """
    names = [f"Writer-Group-{n:05}" for n in range(number)]
    users = [{"id": f"u{n}", "email": f"user{n}@acme.com", "groups": [name]} for n, name in enumerate(names)]
    mappings = {name: A if n % 50 == 2 else (L, LEAD)[n % 2] for n, name in enumerate(names)}
    events = {f"idp_groups/{name}": event(f"idp_groups/{name}") for name in names}
    applied = dict.fromkeys(names, M)
    return inquiry(
        {**applied, "Later": L}, {**mappings, "Later": M}, {**applied, "Later": M}, None, users, events=events
    )
