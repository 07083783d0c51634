"""Test which changes between a plan and its apply are allowed."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import orgs
import pytest

from rolecall.apply.verify import lapsed, verify
from rolecall.model.desired import Desired
from rolecall.model.live import UNREAD, Facts, Group, Live
from rolecall.model.policy import TeamRole
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Scim, Settings
from rolecall.plan.make import make
from rolecall.plan.value import AccessTestResult, Escalation, GuardResult, Impact, Who

MARKETING = GroupMapping("member", frozenset({"Marketing"}))
LEGAL = GroupMapping("member", frozenset({"Legal"}))
IT = GroupMapping("org_admin", frozenset({"IT"}))
WANTED = Desired(Settings(idp_groups={"A": MARKETING, "B": LEGAL, "C": LEGAL}))


def live(**groups) -> Live:
    held = {"A": BLANK, "B": BLANK, "C": LEGAL, **groups}
    facts = Facts(org_id="org_1", groups={key: Group(key) for key in held}, can=orgs.EVERYTHING)
    scim = Scim(True, "okta", "new", False)
    return Live(Settings(idp_groups=held, scim=scim, defaults=Defaults("member", frozenset({"Everyone"}))), facts=facts)


def plan(held=None, **changed):
    return make(orgs.question(WANTED, held or live()))._replace(**{"guards": (), **changed})


def codes(approved, fresh):
    return [problem.code for problem in verify(approved, fresh)[1]]


def test_nothing_moved():
    verified, moved = verify(plan(), plan())
    assert moved == ()
    assert [change.address for change in verified.steps] == ["idp_groups/A", "idp_groups/B"]


def test_an_address_already_at_its_after_is_passed_over():
    verified, moved = verify(plan(), plan(live(A=MARKETING)))
    assert moved == ()
    assert [change.address for change in verified.steps] == ["idp_groups/B"]
    assert verified.notes == ("idp_groups/A already has the planned value",)


@pytest.mark.parametrize("held", [live(A=IT), live(C=IT)])
def test_an_address_that_stands_elsewhere_is_refused(held):
    assert codes(plan(), plan(held)) == ["moved"]


def test_an_address_that_moved_is_named_with_its_place():
    problem = verify(plan(), plan(live(A=IT)))[1][0]
    assert "idp_groups/A" in problem.message
    assert problem.hint == "make a new plan: rolecall plan --out FILE"


def test_another_org_is_refused():
    assert codes(plan(), plan(org=orgs.ORG._replace(id="org_2"))) == ["other_org"]


@pytest.mark.parametrize("name", ["enabled", "manual_editing", "endpoint"])
def test_a_switch_that_everybody_hangs_on_is_refused(name):
    held = live()
    turned = Scim(**{"enabled": True, "idp": "okta", "endpoint": "new", "manual_editing": False} | {name: "other"})
    other = replace(held, settings=replace(held.settings, scim=turned))
    assert codes(plan(), plan(other)) == ["moved"]


def test_a_group_that_vanished_is_refused_and_one_that_arrived_is_told():
    gone = live()
    del gone.settings.idp_groups["A"]
    del gone.facts.groups["A"]
    assert codes(plan(), plan(gone)) == ["moved"]
    verified, moved = verify(plan(gone), plan())
    assert moved == ()
    assert "idp_groups/A is no longer pending; to map it, apply again" in verified.notes
    assert "idp_groups/A" not in [change.address for change in verified.steps]


@pytest.mark.parametrize(
    ("was", "now", "refused"),
    [
        (("pass", 4), ("pass", 9), False),
        (("review", 12), ("review", 12), False),
        (("review", 12), ("review", 11), False),
        (("review", 12), ("review", 13), True),
        (("allowed", 12), ("block", 12), True),
        (("review", 12), ("not judged", 0), True),
        (None, ("review", 1), True),
        (None, ("pass", 0), False),
    ],
)
def test_no_verdict_may_be_worse_than_what_was_approved(was, now, refused):
    def guards(said):
        return (GuardResult("max_people_losing_access", said[0], found=said[1]),) if said else ()

    assert codes(plan(guards=guards(was)), plan(guards=guards(now))) == (["guard_worse"] if refused else [])


def test_an_escalation_that_nobody_approved_is_refused_by_person_and_combo():
    def impact(*gains):
        return Impact(people=3, escalations=tuple(Escalation(Who(i, None), (team_role,), ()) for i, team_role in gains))

    it, legal = TeamRole("IT", "org_admin"), TeamRole("Legal", "team_admin")
    assert codes(plan(impact=impact(("p1", it), ("p2", it))), plan(impact=impact(("p1", it)))) == []
    assert codes(plan(impact=impact(("p1", it))), plan(impact=impact(("p2", it)))) == ["escalation"]
    assert codes(plan(impact=impact(("p1", it))), plan(impact=impact(("p1", it), ("p1", legal)))) == ["escalation"]


def test_people_who_came_and_went_are_told():
    verified, moved = verify(plan(impact=Impact(people=40, gain=40)), plan(impact=Impact(people=43, gain=43)))
    assert moved == ()
    assert verified.notes == ("The plan now affects 3 users more: users or their groups have changed since",)


def test_a_section_that_can_no_longer_be_read_is_refused_and_the_plan_can_be_applied_once_it_can():
    unread = replace(live(), coverage={"idp_groups": UNREAD._replace(problem="403 Forbidden")})
    (problem,) = [one for one in verify(plan(), plan(unread))[1] if one.code == "unread"]
    assert problem.message == "idp_groups can no longer be read: 403 Forbidden"
    assert problem.hint == "make it readable, then apply the same plan again; to find the cause: rolecall doctor"


def test_a_worse_verdict_says_what_was_found_and_what_was_approved():
    was = GuardResult("max_removals", "review", message="3 mappings are removed", found=3)
    now = GuardResult("max_removals", "block", message="7 mappings are removed; the limit is 5.", found=7)
    (problem,) = verify(plan(guards=(was,)), plan(guards=(now,)))[1]
    assert problem.message == (
        "guard max_removals now blocks (7 mappings are removed; the limit is 5); "
        "in the approved plan it required approval (3 mappings are removed)"
    )
    assert problem.hint == "make a new plan: rolecall plan --out FILE"


def test_an_access_test_that_fails_says_how_to_find_the_cause():
    failed = AccessTestResult("no-admins", False, "bo@acme.com is org_admin")
    unknown = AccessTestResult("no-admins", False, "Users were not read", evaluated=False)
    (problem,) = verify(plan(), plan(access_tests=(failed,)))[1]
    assert problem.message == "access test 'no-admins' failed: bo@acme.com is org_admin"
    assert str(problem.hint).endswith("to see why a user has access: rolecall why EMAIL")
    (problem,) = verify(plan(), plan(access_tests=(unknown,)))[1]
    assert problem.message == "access test 'no-admins' could not be evaluated: Users were not read"
    assert problem.hint == "to find the cause: rolecall doctor"


@pytest.mark.parametrize(("minutes", "late"), [(-1, False), (4, False), (6, True)])
def test_a_plan_lapses_with_five_minutes_of_grace(minutes, late):
    made = plan()
    assert (lapsed(made, made.expires_at + timedelta(minutes=minutes)) is not None) == late


def test_an_address_that_moved_is_reported_with_each_field_as_it_was_and_as_it_is():
    def message(was: GroupMapping, now: GroupMapping) -> str:
        return verify(plan(live(A=was)), plan(live(A=now)))[1][0].message

    both = message(LEGAL, IT)
    assert re.search(r"role was member\b.{1,6}is org_admin", both)
    assert re.search(r"teams was Legal\b.{1,6}is IT", both)
    unset = message(GroupMapping(None, frozenset({"Legal"})), LEGAL)
    assert re.search(r"role was unset\b.{1,6}is member", unset)
    assert "teams" not in unset.partition(": ")[2]
    assert message(BLANK, IT) != message(LEGAL, IT)
