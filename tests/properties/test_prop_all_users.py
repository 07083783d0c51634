"""The law of access tests over all users: their verdict, and the users they name, are those of a check of each user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from access_orgs import TEAMS, Org, orgs
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_access import naive_access, naive_org_role

from rolecall.access.rules import compile_access
from rolecall.model.directory import Directory, Person
from rolecall.model.live import Coverage
from rolecall.model.policy import AccessTest, TeamRole
from rolecall.model.roles import RANK
from rolecall.plan.explain.access_tests import run_tests
from rolecall.plan.explain.all_users import Population

ROLES = ("member", "team_admin", "org_admin", "editor", "it_admin")
DOMAINS = ("acme.com", "acme.de")
TEAM_ROLES = st.builds(TeamRole, st.sampled_from(TEAMS), st.sampled_from(ROLES[:4]))
DOMAIN_LISTS = st.lists(st.sampled_from(DOMAINS), min_size=1, unique=True).map(tuple)
EXCLUDED = st.lists(TEAM_ROLES, min_size=2, max_size=3, unique_by=lambda one: one.team).map(tuple)
TESTS = st.one_of(
    st.tuples(st.sampled_from(ROLES), st.integers(0, 4)).map(lambda it: AccessTest("t", role=it[0], at_most=it[1])),
    st.tuples(st.sampled_from(ROLES), DOMAIN_LISTS).map(lambda it: AccessTest("t", role=it[0], only_domains=it[1])),
    EXCLUDED.map(lambda excluded: AccessTest("t", never_together=excluded)),
)
POPULATIONS = orgs().flatmap(lambda org: st.tuples(st.just(org), st.lists(st.sampled_from(DOMAINS), min_size=6)))


def named(org: Org, domains: Sequence[str]) -> Directory:
    """Return the users with addresses at these domains."""
    emails = [f"p{n}@{domain.upper()}" for n, domain in zip(range(len(org.directory)), domains, strict=False)]
    return replace(org.directory, emails=tuple(emails))


def roles_of(org: Org, person: Person) -> tuple[frozenset[TeamRole], frozenset[str]]:
    """Return the team roles of a user, and every role in a team or at org level, by the naive rules."""
    pairs = frozenset(TeamRole(team, role) for team, role in naive_access(org.before, org.facts, person))
    org_role = naive_org_role(person)
    return pairs, frozenset({role for _, role in pairs} | ({org_role} if org_role else set()))


def includes(has: TeamRole, wanted: TeamRole) -> bool:
    return has.team == wanted.team and (has.role == wanted.role or 0 < RANK.get(wanted.role, 0) < RANK.get(has.role, 0))


def violating(test: AccessTest, org: Org, directory: Directory) -> set[str]:
    """Return the users whom a test is against, each checked alone."""
    people = {person.email: roles_of(org, person) for person in map(directory.person, range(len(directory)))}
    if test.never_together is not None:
        wanted = test.never_together
        return {
            email
            for email, (pairs, _) in people.items()
            if all(any(includes(has, one) for has in pairs) for one in wanted)
        }
    holders = {email for email, (_, roles) in people.items() if test.role in roles}
    if test.at_most is not None:
        return holders if len(holders) > test.at_most else set()
    return {email for email in holders if email.lower().partition("@")[2] not in (test.only_domains or ())}


@given(POPULATIONS, TESTS)
@settings(max_examples=settings.default.max_examples // 2)
def test_a_verdict_over_all_users_is_that_of_each_user(population: tuple[Org, list[str]], test: AccessTest) -> None:
    org, domains = population
    directory, rules = named(org, domains), compile_access(org.before, org.facts)
    if rules.missing:
        return
    wrong = violating(test, org, directory)
    (result,) = run_tests([test], rules, directory)
    assert result.passed == (not wrong)
    excesses = list(Population(rules, directory, None).excesses(test))
    assert {directory.emails[number] for excess in excesses for number in excess.users} == wrong
    shown = " ".join(detail.text for detail in result.details)
    assert all(email in shown for email in wrong) or len(wrong) > 5


@given(POPULATIONS, TESTS)
@settings(max_examples=settings.default.max_examples // 4)
def test_users_who_were_not_read_never_make_a_test_pass(population: tuple[Org, list[str]], test: AccessTest) -> None:
    org, domains = population
    directory, rules = named(org, domains), compile_access(org.before, org.facts)
    if rules.missing:
        return
    partial = replace(directory, coverage=Coverage("partial", problem="403"))
    (result,) = run_tests([test], rules, partial)
    assert not result.passed
    assert result.evaluated == bool(violating(test, org, directory))
    (unread,) = run_tests([test], rules, None)
    assert (unread.passed, unread.evaluated) == (False, False)
