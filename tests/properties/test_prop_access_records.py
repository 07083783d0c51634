"""The law of access records: who holds more than member, and why, is what asking each user alone would give."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from unittest import mock

from access_orgs import ROLES, TEAMS, Org, odd_orgs, orgs
from hypothesis import given
from hypothesis import strategies as st

from rolecall.access import compile_access, effective, tally
from rolecall.codec.people import decode_people, encode_person
from rolecall.jobs.access import OrgState, UserAccess, holders
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, Person
from rolecall.model.live import Live
from rolecall.model.roles import MEMBER
from rolecall.model.settings import Settings
from rolecall.plan.explain.access_records import record_access
from rolecall.plan.value import OrgRef

AT = datetime(2026, 11, 29, tzinfo=UTC)


def alike(org: Org) -> Directory:
    """The org's users, each once more as a plain user with the same groups, and with one of these groups."""
    people = org.people
    people += [Person(f"plain-{person.email}", f"p{person.id}", person.groups) for person in org.people]
    people += [Person(f"single-{person.email}", f"s{person.id}", person.groups[:1]) for person in org.people]
    return decode_people(map(encode_person, people), org.directory.groups)


@given(st.one_of(orgs(), odd_orgs()), st.sampled_from([1, 5, tally.CHUNK]), st.sampled_from([0, tally.MOST_COLUMNS]))
def test_an_access_record_is_what_each_user_has(org: Org, chunk: int, columns: int) -> None:
    directory = alike(org)
    rules = compile_access(org.before, org.facts)
    with mock.patch.multiple(tally, CHUNK=chunk, MOST_COLUMNS=columns):
        seen = record_access(Live(org.before, facts=org.facts), directory, Desired(Settings()), AT)
    holdings, roles, teams, without_access = [], Counter[str](), Counter[str](), 0
    for number in range(len(directory)):
        person = directory.person(number)
        granted = effective(rules, person).team_roles
        holdings += [
            (person.email, person.id, row.role, row.team, tuple(reason.source for reason in row.reasons))
            for row in granted
            if row.role != MEMBER
        ]
        org_role = person.traits.org_role if person.traits.present else None
        at_org_level = set() if org_role is None else {org_role.role}
        holdings += [(person.email, person.id, role, "", ("org_role",)) for role in at_org_level]
        roles.update({row.role for row in granted} | at_org_level & {"org_admin"})
        teams.update({row.team for row in granted})
        without_access += person.traits.present and not granted
    assert [holding[:5] for holding in seen.sighting.holdings] == sorted(holdings)
    assert seen.sighting.roles == dict(sorted(roles.items()))
    assert seen.sighting.teams == dict(sorted(teams.items()))
    assert list(seen.sighting.roles) == sorted(roles)
    assert seen.without_access == without_access
    assert seen.org_admins == len({row[1] for row in holdings if row[2] == "org_admin"})


@given(
    st.one_of(orgs(), odd_orgs()),
    st.none() | st.sampled_from([*TEAMS, "Nowhere"]),
    st.none() | st.sampled_from([*ROLES, "none"]),
)
def test_holders_are_those_who_have_the_team_and_the_role(org: Org, team: str | None, role: str | None) -> None:
    directory, rules = alike(org), compile_access(org.before, org.facts)
    state = OrgState(OrgRef("acme", "o", "local:o"), rules, directory, Desired(Settings()), org.facts)
    people = sorted((directory.person(number) for number in range(len(directory))), key=lambda person: person.email)
    everyone = [UserAccess(person.email, effective(rules, person)) for person in people]
    assert list(holders(state, team, role)) == [
        holder
        for holder in everyone
        if any(team in (None, row.team) and role in (None, row.role) for row in holder.access.team_roles)
        or (team is None and holder.access.org_role is not None and role in (None, holder.access.org_role.role))
    ]
