"""The laws of order: nobody outside the people at risk sees a transient, and what is told is what happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, islice, permutations, product

import orgs as planning
from access_orgs import GROUPS, ROLES, Org, defaults, org_roles, team_roles, team_sets
from access_orgs import orgs as access_orgs
from hypothesis import assume, given
from hypothesis import strategies as st
from naive_access import naive_access, naive_entitlements, naive_org_role

from rolecall.access.moves import facts_after
from rolecall.codec.people import decode_people, encode_person
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import Person, Traits
from rolecall.model.live import Facts, Group, Live
from rolecall.model.policy import Policy
from rolecall.model.settings import BLANK, GroupMapping, Scim, Settings
from rolecall.plan.forecast import AccessForecast, forecast_access
from rolecall.plan.make import make
from rolecall.plan.order.risk import Risk, at_risk, levels
from rolecall.plan.order.steps import toggles
from rolecall.plan.order.swap import WORK, improved
from rolecall.plan.order.transients import Timeline, weight
from rolecall.plan.value import Plan

Entitlements = frozenset[tuple[str, str]]


def planned(org: Org, **more: object) -> tuple[Plan, Live]:
    """The plan from an org's settings to the others, with everybody read."""
    pushed = {*(org.before.idp_groups or {}), *(org.after.idp_groups or {})}
    held = {name: (org.before.idp_groups or {}).get(name, BLANK) for name in pushed}
    before = replace(org.before, idp_groups=held)
    facts = org.facts._replace(can=planning.EVERYTHING, groups={name: Group(f"id-{name}") for name in pushed})
    live = Live(before, facts=facts)
    policy = Policy(manage={"idp_groups": "authoritative"})
    plan_input = planning.question(Desired(org.after, {}, policy), live, directory=org.directory, **more)
    return make(plan_input), live


full_maps = st.fixed_dictionaries(
    {name: st.builds(GroupMapping, st.sampled_from([None, *ROLES]), team_sets) for name in GROUPS}
)
members = st.lists(st.sampled_from(GROUPS), min_size=2, max_size=4, unique=True).map(tuple)
edited = st.builds(Traits, manual=st.lists(team_roles, min_size=1, max_size=2).map(tuple), org_role=org_roles)


@st.composite
def on_the_new_endpoint(draw: st.DrawFn) -> Org:
    """Everybody in several groups that all may change, so that much changes hands."""
    before, after = (
        Settings(
            defaults=draw(defaults) if n == 0 or draw(st.booleans()) else None,
            scim=Scim(enabled=True, endpoint="new", manual_editing=draw(st.booleans())),
            idp_groups=draw(full_maps),
        )
        for n in range(2)
    )
    after = replace(after, defaults=after.defaults or before.defaults)
    drawn = draw(st.lists(st.tuples(members, st.one_of(st.just(Traits()), edited)), min_size=1, max_size=4))
    people = [Person(f"p{n}@acme.com", f"u{n}", groups, traits) for n, (groups, traits) in enumerate(drawn)]
    return Org(before, after, Facts(teams=None), decode_people(map(encode_person, people), GROUPS))


def walk(live: Live, changes: Iterable[Change]) -> list[tuple[Settings, Facts]]:
    """The org at the start and after each step."""
    states = [(live.settings, live.facts)]
    for change in changes:
        held, facts = states[-1]
        settings = planning.carry_out(replace(live, settings=held), (change,)).settings
        if change.action == "upgrade" and held.scim.endpoint == "legacy":
            settings = replace(settings, idp_groups={})
        states.append((settings, facts_after(facts, held, settings)))
    return states


def moments(states: Sequence[tuple[Settings, Facts]], person: Person) -> list[tuple[str, int, Entitlements]]:
    """(lacks or has, after which step, entitlements): everything that neither end says so of, by the naive rules."""
    held = [
        naive_entitlements(naive_access(settings, facts, person), naive_org_role(person)) for settings, facts in states
    ]
    before, after = held[0], held[-1]
    found = []
    for step, now in enumerate(held[1:-1], 1):
        found += [("lacks", step, before & after - now), ("has", step, now - (before | after))]
    return [row for row in found if row[2]]


def told(plan: Plan, email: str) -> list[tuple[str, int, Entitlements]]:
    """The same out of a plan's transients; there, member beside team admin of one team may be left out."""
    rows: dict[tuple[str, int], set[tuple[str, str]]] = {}
    for row in plan.impact.transients:
        if row.who.email == email:
            for step in range(row.from_step, row.to_step):
                rows.setdefault((row.kind, step), set()).add((row.team_role.team or "*", row.team_role.role))
    return sorted((kind, step, frozenset(entitlements)) for (kind, step), entitlements in rows.items())


def highest(rows: Iterable[tuple[str, int, Entitlements]]) -> list[tuple[str, int, Entitlements]]:
    """With that member left out everywhere."""
    return sorted(
        (kind, step, frozenset(a for a in entitlements if a[1] != "member" or (a[0], "team_admin") not in entitlements))
        for kind, step, entitlements in rows
    )


def steps(plan: Plan) -> list[Change]:
    return [change for change in plan.changes if change.via != "waiting"]


@given(access_orgs())
def test_what_is_told_is_what_happens_to_everybody(org: Org) -> None:
    plan, live = planned(org)
    states = walk(live, steps(plan))
    for person in org.people:
        assert highest(told(plan, person.email)) == highest(moments(states, person))


@given(on_the_new_endpoint(), st.randoms(use_true_random=False))
def test_nobody_outside_the_risk_sees_a_transient_whatever_the_order_in_a_wave(org: Org, random) -> None:
    plan, live = planned(org)
    shuffled = []
    for _, wave in groupby(steps(plan), key=lambda change: change.wave):
        members = list(wave)
        mappings = [change for change in members if not toggles(change)]
        random.shuffle(mappings)
        shuffled += [*mappings, *(change for change in members if toggles(change))]
    states = walk(live, shuffled)
    at_risk = {who.email for who in plan.impact.at_risk}
    for person in org.people:
        if person.email not in at_risk:
            assert moments(states, person) == []


@given(on_the_new_endpoint(), st.randoms(use_true_random=False))
def test_steps_side_by_side_may_end_in_any_order(org: Org, random) -> None:
    plan, live = planned(org)
    shuffled = []
    for level in levels(plan):
        assert len({change.wave for change in level}) == 1
        shuffled += random.sample(level, len(level))
    assert sorted(map(id, shuffled)) == sorted(map(id, plan.writes))
    one, other = walk(live, plan.writes), walk(live, shuffled)
    for person in org.people:
        assert _entitlements_of(moments(one, person)) == _entitlements_of(moments(other, person))


def _entitlements_of(rows: Iterable[tuple[str, int, Entitlements]]) -> set[tuple[str, tuple[str, str]]]:
    return {(kind, entitlement) for kind, _, entitlements in rows for entitlement in entitlements}


@st.composite
def with_two_scim_steps(draw: st.DrawFn) -> Org:
    """SCIM is switched or manual editing toggled while the endpoint is upgraded, whatever else changes with it."""
    org = draw(access_orgs())
    scim = Scim(
        enabled=draw(st.booleans()),
        endpoint=draw(st.sampled_from(["legacy", "upgrading"])),
        manual_editing=draw(st.booleans()),
        role_attribute="role",
    )
    wanted = replace(scim, enabled=draw(st.booleans()), endpoint="new", manual_editing=draw(st.booleans()))
    before, after = replace(org.before, scim=scim), replace(org.after, scim=wanted)
    drawn = draw(st.lists(st.tuples(st.one_of(st.just(()), members), st.one_of(st.just(Traits()), edited)), max_size=3))
    people = [Person(f"q{n}@acme.com", f"q{n}", groups, traits) for n, (groups, traits) in enumerate(drawn)]
    directory = decode_people(map(encode_person, [*org.people, *people]), org.directory.groups)
    return Org(before, after, org.facts, directory)


def interleavings(plan: Plan, most: int = 60) -> Iterator[list[Change]]:
    """Every order in which apply may end the steps of a plan, its levels one after the other; at most so many."""
    orders = product(*(permutations(level) for level in levels(plan)))
    return ([change for level in order for change in level] for order in islice(orders, most))


def highest_of(rows: set[tuple[str, tuple[str, str]]]) -> set[tuple[str, tuple[str, str]]]:
    """Without member where team admin of the same team stands beside it."""
    return {
        (kind, entitlement)
        for kind, entitlement in rows
        if entitlement[1] != "member" or (kind, (entitlement[0], "team_admin")) not in rows
    }


def outcome(live: Live, order: Sequence[Change], people: Iterable[Person]) -> list[tuple[set, Entitlements]]:
    """For each person what is missing or extra in between, and what the end of an order gives."""
    states = walk(live, order)
    return [
        (
            _entitlements_of(moments(states, person)),
            naive_entitlements(naive_access(*states[-1], person), naive_org_role(person)),
        )
        for person in people
    ]


@given(st.one_of(access_orgs(), with_two_scim_steps()))
def test_every_interleaving_of_a_level_has_the_outcome_that_is_told(org: Org) -> None:
    plan, live = planned(org)
    states = walk(live, plan.writes)
    planned_end = [
        naive_entitlements(naive_access(*states[-1], person), naive_org_role(person)) for person in org.people
    ]
    transients = [_entitlements_of(told(plan, person.email)) for person in org.people]
    for order in interleavings(plan):
        for (between, end), known, expected in zip(
            outcome(live, order, org.people), transients, planned_end, strict=True
        ):
            assert end == expected
            assert highest_of(between) == known


@given(with_two_scim_steps())
def test_what_is_told_of_an_upgrade_beside_a_switch_is_what_happens(org: Org) -> None:
    plan, live = planned(org)
    states = walk(live, steps(plan))
    for person in org.people:
        assert highest(told(plan, person.email)) == highest(moments(states, person))


@given(on_the_new_endpoint())
def test_around_one_person_no_order_of_mappings_is_better(org: Org) -> None:
    org = org._replace(after=replace(org.after, defaults=org.before.defaults))
    one = org.people[0]._replace(traits=Traits())
    alone = decode_people([encode_person(one)], org.directory.groups)
    plan, live = planned(org._replace(directory=alone))
    person = alone.person(0)
    made = [change for change in steps(plan) if change.address.partition("/")[2] in person.groups]

    def bad(order: Sequence[Change]) -> int:
        rows = moments(walk(live, order), person)
        return len({(kind, entitlement) for kind, _, entitlements in rows for entitlement in entitlements})

    ours = bad(made)
    if ours and len(made) <= 5:
        assert ours <= min(map(bad, permutations(made)))


def before_the_search(org: Org) -> tuple[list[Change], tuple[Risk, ...], AccessForecast]:
    """Steps in an order that nobody improved, the users whom it matters to, and the outlook."""
    plan, live = planned(org)
    forecast = forecast_access(live, org.directory, plan.changes)
    mixed = sorted(steps(plan), key=lambda change: (change.wave, change.address))
    return mixed, at_risk(forecast), forecast


@given(on_the_new_endpoint(), st.sampled_from([0, 20, 60, 200, 1_000, WORK]))
def test_the_search_never_makes_an_order_worse_whatever_its_limit(org: Org, limit: int) -> None:
    before, risks, forecast = before_the_search(org)
    timeline = Timeline(forecast, before)
    after, _ = improved(before, risks, timeline, limit)
    assert sorted(map(id, after)) == sorted(map(id, before))
    assert [change.wave for change in after] == [change.wave for change in before]
    assert weight(Timeline(forecast, after), risks) <= weight(timeline, risks)


@given(on_the_new_endpoint(), members)
def test_around_users_of_the_same_groups_the_search_finds_the_best_order_for_all(org: Org, groups) -> None:
    alike = decode_people([encode_person(one._replace(groups=groups)) for one in org.people], org.directory.groups)
    before, risks, forecast = before_the_search(org._replace(directory=alike))
    assume(risks)
    timeline = Timeline(forecast, before)
    after, limited = improved(before, risks, timeline)
    places = [number for number, change in enumerate(before) if change.address in risks[0].mappings]

    def cost(mappings: Sequence[Change]) -> int:
        tried = list(before)
        for place, change in zip(places, mappings, strict=True):
            tried[place] = change
        waves_kept = [change.wave for change in tried] == [change.wave for change in before]
        return weight(Timeline(forecast, tried), risks) if waves_kept else 1 << 60

    assert not limited
    assert weight(Timeline(forecast, after), risks) == min(map(cost, permutations(before[place] for place in places)))


@given(on_the_new_endpoint())
def test_order_does_not_depend_on_the_order_of_people(org: Org) -> None:
    plan, _ = planned(org)
    people = list(reversed(org.people))
    turned = decode_people(map(encode_person, people), org.directory.groups)
    other, _ = planned(org._replace(directory=turned))
    assert [change.address for change in plan.changes] == [change.address for change in other.changes]
    assert plan.impact.transients == other.impact.transients
    assert plan.impact.headline == other.impact.headline
