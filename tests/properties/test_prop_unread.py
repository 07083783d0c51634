"""The laws of what was not read: whoever cannot be read, no guard says less than it would if they were, and no output
in any format is an all-clear."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import orgs as planning
from access_orgs import Org
from access_orgs import orgs as access_orgs
from calm import CALM, NO_EFFECT
from hypothesis import given
from hypothesis import strategies as st
from test_prop_order import on_the_new_endpoint

from rolecall.cli.commands.drift import drift_exit
from rolecall.cli.options import InRepository
from rolecall.cli.output import render_drift, render_plan
from rolecall.cli.report_options import FORMATS
from rolecall.codec.people import decode_people, encode_person
from rolecall.drift.compare import Memory
from rolecall.drift.scan import DriftScan, Past, scan
from rolecall.errors import Exit
from rolecall.jobs.assertions import broken
from rolecall.jobs.metrics import drift_metrics
from rolecall.model.desired import Applied, Desired
from rolecall.model.directory import Directory, Person
from rolecall.model.live import UNREAD, Caller, Coverage, Group, Live
from rolecall.model.policy import AccessTest, Band, Guards, Limit, Policy
from rolecall.model.settings import BLANK, Domain, Settings, Sso
from rolecall.outside.metrics import metrics_text
from rolecall.plan.coverage import gaps
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest
from rolecall.plan.value import Plan

any_org = st.one_of(access_orgs(), on_the_new_endpoint())
guards = st.builds(
    lambda **limits: Guards(**limits),
    min_org_admins=st.integers(1, 3),
    required_org_admins=st.sampled_from([(), ("P0@acme.com",), ("p1@acme.com", "gone@acme.com")]),
    max_people_losing_access=st.sampled_from([Band(Limit(0), Limit(1)), Band(Limit(0)), Band(None, Limit(0))]),
    escalations=st.sampled_from([{}, {"team_admin": "allow"}, {"org_admin": "deny", "custom": "deny"}]),
)
sso = st.sampled_from([Sso(), Sso(enabled=False), Sso(allow_passwords=False), Sso(allow_passwords=True)])
AT = InRepository()
TESTS = (
    AccessTest("a person", person="p0@acme.com", never=("org_admin",)),
    AccessTest("a role", role="org_admin", granted_by_only=("G1",)),
)


def asked(org: Org, rules: Guards, wanted: Sso, caller: str | None) -> PlanInput:
    """A plan to the org's other settings, and to fewer ways in."""
    pushed = {*(org.before.idp_groups or {}), *(org.after.idp_groups or {})}
    live = Settings(
        domains={"acme.com": Domain(True, "immediate"), "acme.de": Domain(True, "immediate")},
        sso=Sso(True, "Okta", "okta", False, True, "<md/>"),
        defaults=org.before.defaults,
        scim=org.before.scim,
        idp_groups={name: (org.before.idp_groups or {}).get(name, BLANK) for name in pushed},
    )
    facts = org.facts._replace(
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
    plan_input = asked(org, rules, wanted, caller)
    full = make(plan_input)
    dim = make(plan_input._replace(directory=data.draw(less(org))))
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


forms = st.sampled_from(FORMATS)


@st.composite
def without_groups(draw: st.DrawFn, plan_input: PlanInput, org: Org) -> PlanInput:
    """The question with a source of users that lacks some groups, while the org counts the members of each."""
    dropped = draw(st.frozensets(st.sampled_from(sorted(plan_input.live.facts.groups) or ["G1"]), min_size=1))
    counts = Counter(group for person in org.people for group in person.groups)
    groups = {name: group._replace(members=counts[name]) for name, group in plan_input.live.facts.groups.items()}
    facts = plan_input.live.facts._replace(groups=groups)
    rows = [person._replace(groups=tuple(set(person.groups) - dropped)) for person in org.people]
    read = decode_people(map(encode_person, rows))
    live = replace(plan_input.live, facts=facts)
    return plan_input._replace(live=live, directory=replace(read, gaps=gaps(read, facts)))


@given(st.data(), any_org, guards, forms)
def test_no_output_of_a_plan_is_an_all_clear_for_want_of_people(
    data: st.DataObject, org: Org, rules: Guards, form: str
) -> None:
    plan_input = asked(org, rules, Sso(), None)
    full = make(plan_input)
    dim = make(plan_input._replace(directory=data.draw(less(org))))
    if full.impact.changed:
        assert "people" in dim.unread
    if "people" in dim.unread:
        text = render_plan(dim, form, AT, digest(dim))
        assert not CALM.search(text), text
        assert re.search("(U|u)sers|people", text), text
        assert not NO_EFFECT.search(text) or not dim.impact.problem
    if dim.impact.problem:
        assert broken(dim, ["no-access-change"])


@given(st.data(), on_the_new_endpoint(), guards, forms)
def test_a_group_that_only_the_org_knows_is_not_taken_for_empty(
    data: st.DataObject, org: Org, rules: Guards, form: str
) -> None:
    """But for users who are in another group that changes, too: of those the other group tells."""
    plan_input = asked(org, rules, Sso(), None)
    full = make(plan_input)
    gap = data.draw(without_groups(plan_input, org))
    dim = make(gap)
    changed = {at for move in full.impact.moves for at in move.because}
    hidden = {f"idp_groups/{name}" for name in gap.directory.gaps.missing} if gap.directory else set()
    if hidden & changed or (hidden and not changed.isdisjoint({"defaults", "scim"})):
        assert "people" in dim.unread
        text = render_plan(dim, form, AT, digest(dim))
        assert not CALM.search(text)
        assert not NO_EFFECT.search(text)
    elif hidden:
        assert "people_group_missing" in {problem.code for problem in dim.warnings}
    moved = {who.id for move in dim.impact.moves for who in move.people}
    known = {person.email: person.groups for person in org.people}
    for move in full.impact.moves:
        for who in move.people:
            alone = {f"idp_groups/{name}" for name in known[who.email or ""]} - hidden
            assert who.id in moved or "people" in dim.unread or alone & changed


@given(st.data(), any_org, guards, forms)
def test_no_output_of_drift_is_an_all_clear_for_want_of_people(
    data: st.DataObject, org: Org, rules: Guards, form: str
) -> None:
    plan_input = asked(org, rules, Sso(), None)
    directory = data.draw(less(org))
    same = plan_input.desired._replace(settings=plan_input.live.settings)
    memory = Memory(
        Applied(plan_input.live.settings), whole=frozenset({"domains", "defaults", "sso", "scim", "idp_groups"})
    )
    found = scan(DriftScan(plan_input._replace(desired=same, directory=directory), Past(memory))).report
    assert "people" in found.unread
    assert found.not_evaluated == ("limit", "access_test")
    text = render_drift(found, form, AT)
    assert not CALM.search(text), text
    assert re.search("(U|u)sers|people", text), text
    assert drift_exit(found, detailed=True) == Exit.UNSEEN
    metrics = metrics_text(drift_metrics(found, 1.0))
    assert re.search(r"^rolecall_unread_sections\{.*\} [1-9]", metrics, re.M)
    assert 'kind="limit"} 0' not in metrics.replace("rolecall_not_evaluated", "")


@given(st.data(), any_org, guards, forms)
def test_no_output_of_drift_says_that_no_unread_user_is_affected(
    data: st.DataObject, org: Org, rules: Guards, form: str
) -> None:
    """The org was changed in every setting that the two states of the org differ in."""
    plan_input = asked(org, rules, Sso(), None)
    memory = Memory(
        Applied(plan_input.desired.settings), whole=frozenset({"domains", "defaults", "sso", "scim", "idp_groups"})
    )
    part = plan_input._replace(directory=data.draw(less(org)))
    found = scan(DriftScan(part, Past(memory))).report
    text = render_drift(found, form, AT)
    assert not CALM.search(text), text
    unknown = [plan.impact.problem for plan in (found.did, found.revert) if plan is not None]
    if unknown and all(unknown):
        assert not NO_EFFECT.search(text), text
