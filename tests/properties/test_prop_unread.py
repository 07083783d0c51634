"""The law of what was not read: whoever cannot be read, no guard says less than it would if they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orgs as planning
from access_orgs import Org
from access_orgs import orgs as access_orgs
from hypothesis import given
from hypothesis import strategies as st
from test_prop_order import on_the_new_endpoint

from rolecall.codec.people import decode_people, encode_person
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, Person
from rolecall.model.live import UNREAD, Caller, Coverage, Group, Live
from rolecall.model.policy import AccessTest, Band, Guards, Limit, Policy
from rolecall.model.settings import BLANK, Domain, Settings, Sso
from rolecall.plan.make import make
from rolecall.plan.question import Question
from rolecall.plan.value import Plan

any_org = st.one_of(access_orgs(), on_the_new_endpoint())
guards = st.builds(
    Guards,
    min_org_admins=st.integers(1, 3),
    required_org_admins=st.sampled_from([(), ("P0@acme.com",), ("p1@acme.com", "gone@acme.com")]),
    max_people_losing_access=st.sampled_from([Band(Limit(0), Limit(1)), Band(Limit(0)), Band(None, Limit(0))]),
    escalations=st.sampled_from([{}, {"team_admin": "allow"}, {"org_admin": "deny", "custom": "deny"}]),
)
sso = st.sampled_from([Sso(), Sso(enabled=False), Sso(allow_passwords=False), Sso(allow_passwords=True)])
TESTS = (
    AccessTest("a person", person="p0@acme.com", never=("org_admin",)),
    AccessTest("a role", role="org_admin", granted_by_only=("G1",)),
)


def asked(org: Org, rules: Guards, wanted: Sso, caller: str | None) -> Question:
    """A plan to the org's other settings, and to fewer ways in."""
    pushed = {*(org.before.idp_groups or {}), *(org.after.idp_groups or {})}
    live = Settings(
        domains={"acme.com": Domain(True, "immediate"), "acme.de": Domain(True, "immediate")},
        sso=Sso(True, "Okta", "okta", False, True, "<md/>"),
        defaults=org.before.defaults,
        scim=org.before.scim,
        idp_groups={name: (org.before.idp_groups or {}).get(name, BLANK) for name in pushed},
    )
    facts = replace(
        org.facts,
        can=planning.EVERYTHING,
        groups={name: Group(f"id-{name}") for name in pushed},
        caller=Caller(caller),
    )
    policy = Policy(manage={"idp_groups": "authoritative"}, guards=rules, access_tests=TESTS)
    return planning.question(
        Desired(replace(org.after, sso=wanted), {}, policy), Live(live, facts=facts), directory=org.directory
    )


def some(people: Sequence[Person], groups: Sequence[str], kept: frozenset[int], coverage: Coverage) -> Directory:
    seen = [person for number, person in enumerate(people) if number in kept]
    return decode_people(map(encode_person, seen), groups, coverage=coverage)


@st.composite
def less(draw: st.DrawFn, org: Org) -> Directory | None:
    """Nobody, nobody with a reason, or some."""
    people = org.people
    kept = draw(st.frozensets(st.integers(0, max(0, len(people) - 1))))
    part = Coverage("partial", len(kept), len(people))
    return draw(
        st.sampled_from(
            [
                None,
                Directory(coverage=UNREAD),
                Directory(coverage=UNREAD._replace(problem="403")),
                some(people, org.directory.groups, kept, part),
            ]
        )
    )


def refused(plan: Plan) -> set[str]:
    return {test.name for test in plan.access_tests if test.refuses}


@given(st.data(), any_org, guards, sso, st.sampled_from([None, "p1@acme.com"]))
def test_no_guard_and_no_test_says_less_for_want_of_people(
    data: st.DataObject, org: Org, rules: Guards, wanted: Sso, caller: str | None
) -> None:
    question = asked(org, rules, wanted, caller)
    full = make(question)
    dim = make(replace(question, directory=data.draw(less(org))))
    for known, unknown in zip(full.guards, dim.guards, strict=True):
        if known.verdict != "pass":
            assert unknown.verdict in ("block", "not judged") or unknown.verdict == known.verdict == "review", (
                known.name
            )
    verdicts = {guard.name: guard.verdict for guard in dim.guards}
    if "not judged" in verdicts.values():
        assert verdicts["unread"] == "block"
    assert refused(full) <= refused(dim)
    assert {change.address for change in full.writes} == {change.address for change in dim.writes}
