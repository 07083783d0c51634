"""The law of `why --not`: whatever it says would give a role does, done by itself."""

from __future__ import annotations

from dataclasses import replace

from access_orgs import TEAMS, Org, orgs
from hypothesis import given
from hypothesis import strategies as st
from naive_access import groups, naive_access, naive_org_role

from rolecall.access import compile_access
from rolecall.model.directory import Person
from rolecall.model.live import Facts
from rolecall.model.policy import TeamRole
from rolecall.model.roles import RANK
from rolecall.model.settings import GroupMapping, Settings
from rolecall.plan.explain.why import Option, why_not


def has(settings: Settings, facts: Facts, person: Person, role: str) -> bool:
    found = [held for _, held in naive_access(settings, facts, person)] + [naive_org_role(person) or ""]
    return any(held == role or 0 < RANK.get(role, 0) < RANK.get(held, 0) for held in found)


def done(settings: Settings, facts: Facts, person: Person, role: str, option: Option) -> list[tuple[Settings, Person]]:
    """What the option says, done; in each way that its sentence leaves open."""
    name = (option.address or "").partition("/")[2]
    teams = sorted(TEAMS if facts.teams is None else facts.teams)
    traits = person.traits
    if option.way == "join_group":
        return [(settings, person._replace(groups=(*person.groups, name)))]
    if option.way == "map_group":
        mapped = {**groups(settings), name: GroupMapping(role, frozenset(teams[:1]))}
        return [(replace(settings, idp_groups=mapped), person)]
    if option.way == "change_default":
        return [(replace(settings, defaults=settings.defaults._replace(role=role)), person)]
    if option.way == "role_attribute":
        return [(settings, person._replace(traits=traits._replace(role_attribute="admin")))]
    editing = replace(settings, scim=replace(settings.scim, manual_editing=True))
    given = (
        {team for group in person.groups for team in _gives(settings, facts, group)}
        if traits.origin == "scim"
        else set()
    )
    free = teams if role == "org_admin" else [team for team in teams if team not in given]
    assert free
    return [(editing, person._replace(traits=traits._replace(manual=(TeamRole(team, role),)))) for team in free]


def _gives(settings: Settings, facts: Facts, group: str) -> frozenset[str]:
    if settings.scim.endpoint == "upgrading":
        return (facts.legacy_links or {}).get(group, frozenset())
    held = groups(settings).get(group)
    return held.teams if isinstance(held, GroupMapping) else frozenset()


@given(orgs(), st.sampled_from(["member", "team_admin", "org_admin", "editor"]))
def test_each_option_by_itself_gives_the_role(org: Org, role: str) -> None:
    rules = compile_access(org.before, org.facts)
    for person in org.people:
        told = why_not(rules, person, role)
        assert bool(told.has) == has(org.before, org.facts, person, role)
        if told.has:
            assert told.options == ()
        for option in told.options:
            if option.way not in ("activate", "scim_on"):
                for settings, somebody in done(org.before, org.facts, person, role, option):
                    assert has(settings, org.facts, somebody, role), (option, settings, somebody)
