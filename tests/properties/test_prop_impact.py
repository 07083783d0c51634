"""The laws of impact, guards and privacy, on random orgs: what a plan says of people is what the rules say."""

from __future__ import annotations

import json

import jsonschema_rs
from access_orgs import Org
from access_orgs import orgs as access_orgs
from hypothesis import given
from hypothesis import strategies as st
from naive_access import naive_access, naive_entitlements, naive_org_role
from test_prop_order import on_the_new_endpoint, planned, steps, walk

from rolecall.model.directory import Person
from rolecall.model.policy import Allow, TeamRole
from rolecall.plan.guards.evaluate import GUARDS
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.saved.privacy import redact
from rolecall.schema_files import schema_text

SCHEMA = jsonschema_rs.validator_for(json.loads(schema_text("plan.schema.json")))
any_org = st.one_of(access_orgs(), on_the_new_endpoint())


def listed(team_roles: frozenset[TeamRole], person: Person) -> tuple[TeamRole, ...]:
    """Access as a move has it: with org admin at org level, where no team has it."""
    at_org_level = naive_org_role(person) == "org_admin" and all(role != "org_admin" for _, role in team_roles)
    return tuple(sorted(team_roles | {TeamRole("", "org_admin")} if at_org_level else team_roles))


@given(any_org)
def test_impact_is_what_the_naive_rules_say_of_everybody(org: Org) -> None:
    plan, live = planned(org)
    states = walk(live, steps(plan))
    told = {who.email: move for move in plan.impact.moves for who in move.people}
    losing = admins_before = admins_after = 0
    for person in org.people:
        before, after = (naive_access(*states[end], person) for end in (0, -1))
        assert (person.email in told) == (before != after)
        if person.email in told:
            move = told[person.email]
            assert (move.before, move.after) == (listed(before, person), listed(after, person))
            had, has = (naive_entitlements(access, naive_org_role(person)) for access in (before, after))
            assert move.kind == ("gain" if had < has else "lose" if has < had else "change")
            assert move.because
            assert set(move.because) <= {change.address for change in steps(plan)}
        org_role = naive_org_role(person)
        losing += bool(naive_entitlements(before, org_role) - naive_entitlements(after, org_role))
        admins_before += ("*", "org_admin") in naive_entitlements(before, org_role)
        admins_after += ("*", "org_admin") in naive_entitlements(after, org_role)
    assert plan.impact.losing == losing
    assert plan.impact.changed == len(told) == sum(move.size for move in plan.impact.moves)
    assert plan.impact.org_admins in (None, (admins_before, admins_after))


@given(any_org)
def test_a_role_at_org_level_stays_and_is_counted(org: Org) -> None:
    plan, _ = planned(org)
    moved = {who.email for move in plan.impact.moves for who in move.people}
    roles = [person.traits.org_role.role for person in org.people if person.email in moved and person.traits.org_role]
    assert plan.impact.org_roles == {role: roles.count(role) for role in roles}


@given(any_org)
def test_whoever_gains_above_member_is_an_escalation_and_nobody_else(org: Org) -> None:
    plan, live = planned(org)
    states = walk(live, steps(plan))
    escalated = {row.who.email for row in plan.impact.escalations}
    for person in org.people:
        before, after = (
            naive_entitlements(naive_access(*states[end], person), naive_org_role(person)) for end in (0, -1)
        )
        assert (person.email in escalated) == any(role != "member" for _, role in after - before)


@given(any_org)
def test_no_cause_is_named_that_touches_nobody(org: Org) -> None:
    plan, _ = planned(org)
    groups = {person.email: person.groups for person in org.people}
    for move in plan.impact.moves:
        for at in move.because:
            if at.startswith("idp_groups/"):
                assert all(at.partition("/")[2] in groups[who.email] for who in move.people)


@given(any_org, st.sampled_from(["masked", "counts"]))
def test_no_e_mail_leaves_a_plan_whose_people_are_not_to_be_named(org: Org, mode) -> None:
    plan, _ = planned(org)
    shown = redact(plan, mode, b"secret")
    text = json.dumps(encode_plan(shown))
    assert "@acme.com" not in text
    assert digest(shown) == digest(plan)
    assert encode_plan(decode_plan(encode_plan(shown))) == encode_plan(shown)


@given(any_org, st.sampled_from(sorted(GUARDS)), st.integers(0, 5))
def test_an_allowance_only_ever_helps_its_own_guard(org: Org, name: str, up_to: int) -> None:
    plan, _ = planned(org)
    lifted, _ = planned(org, lifts=(Allow(name, None, up_to, None, "once"),))
    for before, after in zip(plan.guards, lifted.guards, strict=True):
        assert before.name == after.name
        if before.name != name or before.verdict in ("pass", "not judged"):
            assert before.verdict == after.verdict
        else:
            assert after.verdict in (before.verdict, "allowed", "review")
            if after.verdict == "allowed":
                assert before.found <= up_to
    assert plan.changes == lifted.changes


@given(any_org)
def test_a_plan_that_changes_nothing_passes_every_guard(org: Org) -> None:
    plan, _ = planned(org._replace(after=org.before))
    if not plan.changes:
        assert plan.verdict == "pass"
        assert plan.impact.changed == 0


@given(any_org)
def test_every_plan_fits_its_schema(org: Org) -> None:
    plan, _ = planned(org)
    assert SCHEMA.is_valid(encode_plan(plan)), next(SCHEMA.iter_errors(encode_plan(plan))).message
