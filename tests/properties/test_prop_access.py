"""The laws of effective access, on random orgs, and a second implementation that reads like the rules."""

from __future__ import annotations

from dataclasses import replace

from access_orgs import Org, directories, facts_of_an_org, odd_orgs, orgs, settings_of_an_org
from hypothesis import given
from hypothesis import strategies as st
from naive_access import naive_access, naive_entitlements, naive_org_role

from rolecall.access import compile_access, effective
from rolecall.access.candidates import candidates, everyone, scope
from rolecall.access.entitlements import ORG
from rolecall.access.evaluate import masks, org_admins, person_mask, shifts
from rolecall.access.moves import compile_change, facts_after
from rolecall.access.shift import escalates, is_org_admin, kind, loses, to_nothing
from rolecall.model.directory import Directory, PeopleScope, Person
from rolecall.model.live import Facts
from rolecall.model.policy import OrgRole
from rolecall.model.settings import Settings

any_org = st.one_of(orgs(), odd_orgs())


@given(any_org)
def test_the_evaluator_agrees_with_the_naive_one(org: Org) -> None:
    rules = compile_access(org.before, org.facts)
    for number, mask in masks(rules, org.directory):
        person = org.directory.person(number)
        expected = naive_access(org.before, org.facts, person)
        assert frozenset(rules.entitlements.team_roles(mask)) == expected
        access, org_role = effective(rules, person), naive_org_role(person)
        assert access.pairs == expected
        assert access.org_role == (None if org_role is None else OrgRole(org_role))
        assert is_org_admin(mask) == access.org_admin == (("*", "org_admin") in naive_entitlements(expected, org_role))


@given(any_org)
def test_the_union_of_the_explained_winners_is_the_effective_access(org: Org) -> None:
    rules = compile_access(org.before, org.facts)
    for person in org.people:
        access = effective(rules, person)
        winners = 0
        for granted in access.team_roles:
            assert granted.role == granted.reasons[0].role
            winners |= rules.entitlements.mask(granted.team_role)
        winners |= ORG if access.org_role == OrgRole("org_admin") else 0
        assert rules.entitlements.access_bits(winners) == rules.entitlements.access_bits(person_mask(rules, person))
        assert access.org_admin == any(role == "org_admin" for _, role in access.roles)


@given(any_org)
def test_working_out_everybody_finds_no_more_than_the_candidates(org: Org) -> None:
    before, after = compile_change(org.before, org.after, org.facts)
    among = everyone(candidates(before, after, org.directory))
    assert shifts(before, after, org.directory, among) == shifts(before, after, org.directory)


@given(any_org)
def test_each_shift_is_what_the_rules_say_before_and_after(org: Org) -> None:
    before, after = compile_change(org.before, org.after, org.facts)
    then = facts_after(org.facts, org.before, org.after)
    moved = {n: pair for pair, numbers in shifts(before, after, org.directory).items() for n in numbers}
    for number, person in enumerate(org.people):
        old, new = naive_access(org.before, org.facts, person), naive_access(org.after, then, person)
        assert (number in moved) == (old != new)
        if number in moved:
            assert before.entitlements.team_roles(moved[number][0]) == tuple(sorted(old))
            assert after.entitlements.team_roles(moved[number][1]) == tuple(sorted(new))


@given(any_org)
def test_kinds_escalations_and_losses_are_what_their_definitions_say(org: Org) -> None:
    before, after = compile_change(org.before, org.after, org.facts)
    for b, a in shifts(before, after, org.directory):
        had, has = (
            naive_entitlements(frozenset(before.entitlements.team_roles(mask)), "org_admin" if mask & ORG else None)
            for mask in (b, a)
        )
        assert kind(before.entitlements, b, a) == ("gain" if had < has else "lose" if has < had else "change")
        assert loses(before.entitlements, b, a) == bool(had - has)
        assert bool(escalates(before.entitlements, b, a)) == any(role != "member" for _, role in has - had)
        assert to_nothing(before.entitlements, b, a) == (bool(had) and not has)


@given(any_org)
def test_org_admins_are_found_without_asking_everybody(org: Org) -> None:
    rules = compile_access(org.before, org.facts)
    expected = [n for n, person in enumerate(org.people) if effective(rules, person).org_admin]
    assert list(org_admins(rules, org.directory)) == expected


@given(orgs())
def test_whoever_moves_is_in_the_scope_that_is_read(org: Org) -> None:
    before, after = compile_change(org.before, org.after, org.facts)
    asked = scope(before, after, ["boss@acme.com"])
    for numbers in shifts(before, after, org.directory).values():
        for number in numbers:
            assert _covers(asked, org, org.directory.person(number))


def _covers(asked: PeopleScope, org: Org, person: Person) -> bool:
    """What an org's search answers: the union of the parts."""
    rules = compile_access(org.before, org.facts)
    traits = person.traits
    unmapped = not any(group in rules.scim.groups for group in person.groups) or traits.origin != "scim"
    return (
        asked.everybody
        or bool(asked.groups.intersection(person.groups))
        or (asked.unmapped and unmapped)
        or (asked.manual and bool(traits.manual))
        or (asked.attribute_admins and traits.role_attribute == "admin")
    )


@given(settings_of_an_org, facts_of_an_org, directories())
def test_starting_the_upgrade_moves_nobody(settings: Settings, facts: Facts, directory: Directory) -> None:
    legacy = _scim(settings, endpoint="legacy", enabled=True)
    started = replace(_scim(legacy, endpoint="upgrading"), idp_groups={})
    assert shifts(*compile_change(legacy, started, facts), directory) == {}


@given(settings_of_an_org, facts_of_an_org, directories())
def test_switching_scim_off_moves_nobody(settings: Settings, facts: Facts, directory: Directory) -> None:
    on = _scim(settings, enabled=True)
    assert shifts(*compile_change(on, _scim(on, enabled=False), facts), directory) == {}


@given(orgs())
def test_while_scim_is_off_nothing_moves_a_scim_person(org: Org) -> None:
    before = _scim(org.before, enabled=False)
    after = _scim(org.after, enabled=False, endpoint=before.scim.endpoint)  # no upgrade while SCIM is off (R20)
    for numbers in shifts(*compile_change(before, after, org.facts), org.directory).values():
        assert {org.directory.traits(number).origin for number in numbers} <= {"saml", "invite", "discovery"}


@given(orgs())
def test_the_order_of_groups_and_edits_does_not_matter(org: Org) -> None:
    rules = compile_access(org.before, org.facts)
    for person in org.people:
        turned = person._replace(
            groups=person.groups[::-1], traits=person.traits._replace(manual=person.traits.manual[::-1])
        )
        assert effective(rules, turned).team_roles == effective(rules, person).team_roles


@given(orgs())
def test_everybody_who_is_in_has_a_team_while_the_default_stands(org: Org) -> None:
    """R4."""
    rules = compile_access(org.before, org.facts._replace(teams=None))
    for person in org.people:
        present = person.traits.active and not person.traits.pending
        assert bool(effective(rules, person).team_roles) == present


def _scim(settings: Settings, **fields: object) -> Settings:
    return replace(settings, scim=replace(settings.scim, **fields))
