"""The law of users on both sides: what a plan predicts is what follows from the state after it, from nothing else.

The twin knows no plan. It has both sides after the changes: who is assigned, which groups are pushed (R29, R30), what
an invited user becomes (R12), and what each user then has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import orgs
from hypothesis import given
from hypothesis import strategies as st

from rolecall.access.person import effective
from rolecall.access.rules import Rules, compile_access
from rolecall.codec.people import DirectoryBuilder
from rolecall.jobs.access import after_idp
from rolecall.model.desired import Desired
from rolecall.model.directory import EVERYBODY, PLAIN, Directory, Person, Traits
from rolecall.model.kinds import address
from rolecall.model.live import Facts, Group, IdpGroup, IdpSide, Live
from rolecall.model.policy import Policy, TeamRole
from rolecall.model.settings import Defaults, GroupMapping, IdpAssignment, IdpPush, Scim, Settings
from rolecall.plan.forecast import State, finish
from rolecall.plan.make import make

USERS = tuple(f"{name}@acme.com" for name in ("ann", "bo", "cy", "dee", "eve"))
ASSIGNABLE, PUSHABLE = ("All", "Partners", "Temps"), ("Admins", "Brand", "Legal")
TEAMS = frozenset({"Everyone", "Marketing", "Legal"})
INVITED = Traits(origin="invite", manual=(TeamRole("Legal", "team_admin"),))
TRAITS = st.sampled_from([None, Traits(active=False), INVITED, Traits(origin="saml"), Traits(pending=True)])
MAPPINGS = st.builds(
    GroupMapping,
    st.sampled_from(["member", "team_admin", "org_admin"]),
    st.frozensets(st.sampled_from(sorted(TEAMS)), min_size=1),
)
Access = Mapping[str, frozenset[TeamRole]]


class World(NamedTuple):
    """Both sides, before and after: members by group, who is assigned by a group or directly, and which groups are
    pushed. ``unsent`` are the traits of users without the app, None for one who is not in the org."""

    members: Mapping[str, frozenset[str]]
    direct: frozenset[str]
    assigned: tuple[frozenset[str], frozenset[str]]
    pushed: tuple[frozenset[str], frozenset[str]]
    mapped: Mapping[str, GroupMapping]
    unsent: Mapping[str, Traits | None]

    def has_app(self, email: str, side: int) -> bool:
        return email in self.direct or any(email in self.members[group] for group in self.assigned[side])

    def groups_of(self, email: str, pushed: frozenset[str]) -> frozenset[str]:
        return frozenset(group for group in pushed if email in self.members[group])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    some = st.frozensets(st.sampled_from(USERS))
    members = {group: draw(some) for group in (*ASSIGNABLE, *PUSHABLE)}
    assigned, pushed = st.frozensets(st.sampled_from(ASSIGNABLE)), st.frozensets(st.sampled_from(PUSHABLE))
    mapped = draw(st.dictionaries(st.sampled_from(PUSHABLE), MAPPINGS))
    return World(
        members,
        draw(st.frozensets(st.sampled_from(USERS), max_size=1)),
        (draw(assigned), draw(assigned)),
        (draw(pushed), draw(pushed)),
        mapped,
        {email: draw(TRAITS) for email in USERS},
    )


def live_of(world: World) -> Live:
    """Return both sides as they are read before the plan. Only pushed groups are in the org."""
    pushed = world.pushed[0]
    settings = Settings(
        defaults=Defaults("member", frozenset({"Everyone"})),
        scim=Scim(True, "okta", "new", False),
        idp_groups={group: world.mapped.get(group, GroupMapping()) for group in pushed},
        idp_assignments={group: IdpAssignment(group) for group in world.assigned[0]},
        idp_pushes={group: IdpPush(group) for group in pushed},
    )
    groups = {group: IdpGroup(group, group, "OKTA_GROUP", world.members[group]) for group in world.members}
    side = IdpSide("Okta", "Okta, acme.okta.com, app 0oa1", groups, pushed=pushed, direct=world.direct)
    facts = Facts("org_1", teams=TEAMS, groups={group: Group(f"id-{group}") for group in pushed}, idp=side)
    return Live(settings, facts=facts)


def people_of(world: World) -> list[Person]:
    """Return the users of the org before the plan; those who have the app are provisioned."""
    people = []
    for email in USERS:
        traits = PLAIN if world.has_app(email, 0) else world.unsent[email]
        if traits is not None:
            groups = world.groups_of(email, world.pushed[0]) if traits == PLAIN else frozenset()
            people.append(Person(email, f"id-{email}", tuple(sorted(groups)), traits))
    return people


def directory_of(people: list[Person], groups: frozenset[str]) -> Directory:
    builder = DirectoryBuilder(sorted(groups))
    builder.add(
        {
            "email": person.email,
            "id": person.id,
            "origin": person.traits.origin,
            "active": person.traits.active,
            "pending": person.traits.pending,
            "manual": [team_role._asdict() for team_role in person.traits.manual],
            "groups": list(person.groups),
        }
        for person in people
    )
    return builder.build()


def desired_of(world: World) -> Desired:
    both = dict.fromkeys(("idp_assignments", "idp_pushes"), "authoritative")
    mappings = {group: world.mapped.get(group, GroupMapping()) for group in (*world.pushed[0], *world.pushed[1])}
    settings = Settings(
        idp_groups=mappings,
        idp_assignments={group: IdpAssignment(group) for group in world.assigned[1]},
        idp_pushes={group: IdpPush(group) for group in world.pushed[1]},
    )
    return Desired(settings, {}, Policy(manage=both))


def twin(world: World, *, arrived: bool) -> Access:
    """Return what each user has after the plan. A group that is no longer pushed stays in WRITER with its members; one
    that is pushed from now on is there once it has ``arrived``."""
    live = live_of(world)
    pushed = world.pushed[0] | (world.pushed[1] if arrived else frozenset())
    mappings = {group: world.mapped.get(group, GroupMapping()) for group in pushed}
    rules = compile_access(replace(live.settings, idp_groups=mappings), live.facts)
    before = {person.email: person for person in people_of(world)}
    access = {}
    for email in USERS:
        was = before.get(email)
        if world.has_app(email, 1):
            person = Person(email, groups=tuple(sorted(world.groups_of(email, pushed))))
        elif world.has_app(email, 0) or was is None:
            person = Person(email, traits=Traits(active=False))
        else:
            person = was
        access[email] = team_roles(rules, person)
    return access


def access_in(directory: Directory, settings: Settings, facts: Facts) -> Access:
    rules = compile_access(settings, facts)
    people = map(directory.person, range(len(directory)))
    return {person.email: team_roles(rules, person) for person in people}


def team_roles(rules: Rules, person: Person) -> frozenset[TeamRole]:
    return frozenset(TeamRole(granted.team, granted.role) for granted in effective(rules, person).team_roles)


@given(worlds())
def test_a_plan_predicts_what_follows_from_both_sides(world: World) -> None:
    live, directory = live_of(world), directory_of(people_of(world), world.pushed[0])
    plan = make(orgs.question(desired_of(world), live, directory=directory, scope=EVERYBODY))
    assert plan.impact.problem is None
    before, after = access_in(directory, live.settings, live.facts), twin(world, arrived=False)
    changes = {email: after[email] for email in USERS if after[email] != before.get(email, frozenset())}
    predicted = {
        user.email: (frozenset(move.before), frozenset(move.after))
        for move in plan.impact.moves
        for user in move.people
    }
    assert predicted == {email: (before.get(email, frozenset()), has) for email, has in changes.items()}
    for move in plan.impact.moves:
        assert all(at.startswith("idp_assignments/") for at in move.because)


@given(worlds())
def test_the_desired_state_is_that_after_all_groups_have_arrived(world: World) -> None:
    live, directory = live_of(world), directory_of(people_of(world), world.pushed[0])
    plan = make(orgs.question(desired_of(world), live, directory=directory, scope=EVERYBODY))
    end = finish(State(live.settings, live.facts), plan.changes)
    access = access_in(after_idp(live, plan.changes, directory), end.settings, end.facts)
    expected = twin(world, arrived=True)
    assert {email: access.get(email, frozenset()) for email in USERS} == expected


@given(worlds())
def test_each_change_counts_the_users_who_get_the_app_or_lose_it(world: World) -> None:
    live, directory = live_of(world), directory_of(people_of(world), world.pushed[0])
    plan = make(orgs.question(desired_of(world), live, directory=directory, scope=EVERYBODY))
    present = {person.email for person in people_of(world) if person.traits.active}
    assert plan.idp_side is not None
    for change in plan.changes:
        group = change.address.partition("/")[2]
        if not change.address.startswith("idp_assignments/"):
            continue
        counts = plan.idp_side.users.get(change.address)
        news = {email for email in world.members[group] if not world.has_app(email, 0)}
        lost = {email for email in world.members[group] if not world.has_app(email, 1)}
        if change.action == "create":
            assert ((counts.gain, counts.taken_over) if counts else (0, 0)) == (len(news), len(news & present))
        else:
            assert (counts.lose if counts else 0) == len(lost)


@given(worlds(), st.sampled_from((*ASSIGNABLE, *PUSHABLE)))
def test_members_that_were_not_read_leave_the_users_unknown(world: World, group: str) -> None:
    live, directory = live_of(world), directory_of(people_of(world), world.pushed[0])
    side = live.facts.idp
    assert side is not None
    unread = side._replace(groups={**side.groups, group: IdpGroup(group, group)})
    live = replace(live, facts=live.facts._replace(idp=unread))
    plan = make(orgs.question(desired_of(world), live, directory=directory, scope=EVERYBODY))
    began, ended = world.assigned[1] - world.assigned[0], world.assigned[0] - world.assigned[1]
    needed = (
        (began | ended)
        | (world.pushed[0] if began else frozenset())
        | (world.assigned[0] | world.assigned[1] if ended else frozenset())
    )
    if began | ended:
        arriving = world.pushed[1] - world.pushed[0]
        assert (plan.impact.problem is not None) == (group in needed | arriving)
        assert address("idp_assignments", group) not in (plan.idp_side.users if plan.idp_side else {})
