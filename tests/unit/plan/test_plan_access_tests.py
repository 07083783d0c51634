"""Access tests on one state of the rules."""

from __future__ import annotations

import pytest
from small_org import crowd, live, many, person, plan

from rolecall.access.rules import compile_access
from rolecall.errors import Where
from rolecall.model.desired import Applied
from rolecall.model.policy import AccessTest, Combo, Policy
from rolecall.model.settings import Defaults, Scim
from rolecall.plan.access_tests import run_tests

GROUPS = {"Mkt": "member: Marketing", "Lead": "team_admin: Marketing", "IT": "org_admin: IT", "Blank": ""}
MARKETING, LEAD = Combo("Marketing", "member"), Combo("Marketing", "team_admin")
PEOPLE = [person("ann", "Mkt"), person("lee", "Lead"), person("ida", "IT"), person("nobody", "Blank")]


def run(test, people=PEOPLE, **more):
    org = live(GROUPS, **more)
    (result,) = run_tests([test], compile_access(org.settings, org.facts), None if people is None else crowd(people))
    return result


def promise(**said):
    return AccessTest("t", source=Where("rolecall.yaml", 60, 5), **said)


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ({"groups": ("Mkt",), "expect": frozenset({MARKETING})}, True),
        ({"groups": ("Mkt", "Lead"), "expect": frozenset({LEAD})}, True),
        ({"groups": ("Mkt", "Lead"), "expect": frozenset({MARKETING})}, False),
        ({"groups": (), "expect": frozenset({Combo("Everyone", "member")})}, True),
        ({"groups": ("Blank",), "expect": frozenset()}, False),
        ({"groups": ("Mkt",), "has": ("member",)}, True),
        ({"groups": ("Lead",), "has": ("member",)}, True),
        ({"groups": ("Mkt",), "has": ("team_admin",)}, False),
        ({"groups": ("Lead",), "has": (MARKETING,)}, True),
        ({"groups": ("Lead",), "has": (Combo("Legal", "member"),)}, False),
        ({"groups": ("Mkt",), "never": ("org_admin", "team_admin")}, True),
        ({"groups": ("IT",), "never": ("team_admin",)}, False),
        ({"groups": ("Mkt",), "never": ("editor",)}, True),
        ({"person": "ida@acme.com", "has": ("org_admin",)}, True),
        ({"person": "ann@acme.com", "has": ("org_admin",)}, False),
        ({"person": "who@acme.com", "has": ("member",)}, False),
        ({"role": "org_admin", "granted_by_only": ("IT",)}, True),
        ({"role": "org_admin", "granted_by_only": ()}, False),
        ({"role": "team_admin", "granted_by_only": ("Mkt", "Lead")}, True),
    ],
)
def test_each_kind_of_test(said, passed):
    assert run(promise(**said)).passed is passed


def test_a_failure_says_what_is_missing_what_is_too_much_and_by_what():
    said = run(promise(groups=("IT", "Mkt"), expect=frozenset({MARKETING, Combo("Legal", "member")})))
    assert said.message == "lacks Legal member and has also IT org admin (by group:IT)"
    assert said.source == Where("rolecall.yaml", 60, 5)
    assert run(promise(groups=("IT",), never=("org_admin",))).message == (
        "must never be org admin and is: IT org admin (by group:IT)"
    )
    assert run(promise(person="ann@acme.com", has=("org_admin",))).message == (
        "does not have org admin, but Marketing member"
    )


def test_a_role_that_comes_another_way_fails():
    by_hand = [*PEOPLE, person("sly", "Mkt", manual="org_admin: Sales")]
    editing = Scim(True, "okta", "new", True)
    only = promise(role="org_admin", granted_by_only=("IT",))
    assert run(only, by_hand).passed
    said = run(only, by_hand, scim=editing)
    assert not said.passed
    assert said.message == "org admin also comes to sly@acme.com (manual)"
    default = Defaults("team_admin", frozenset({"Everyone"}))
    assert "by the default" in run(promise(role="team_admin", granted_by_only=("Lead",)), defaults=default).message
    assert "by `Lead`" in run(promise(role="team_admin", granted_by_only=())).message


def test_people_who_were_not_read_fail_a_test_that_needs_them_and_no_other():
    assert run(promise(person="ann@acme.com", has=("member",)), None).message == "people were not read"
    assert run(promise(groups=("Mkt",), has=("member",)), None).passed


def test_a_plan_is_held_to_its_after_state():
    policy = Policy(access_tests=(promise(groups=("A",), expect=frozenset({Combo("Y", "member")})),))
    assert plan({"A": "member: X"}, {"A": "member: Y"}, many(1, "A"), policy=policy).access_tests[0].passed
    assert not plan({"A": "member: X"}, {"A": "member: Z"}, many(1, "A"), policy=policy).access_tests[0].passed


def test_a_test_that_was_dropped_or_changed_still_counts_until_an_apply():
    old = promise(groups=("A",), never=("org_admin",))
    applied = Applied(policy=Policy(access_tests=(old,)))
    made = plan({"A": "member: X"}, {"A": "org_admin: X"}, many(1, "A"), applied=applied)
    assert [row.passed for row in made.access_tests] == [False]
    assert [row.path for row in made.policy_changes if row.loosens and row.path.startswith("access")] == [
        "access_tests.t"
    ]
    same = plan({"A": "member: X"}, {"A": "member: X"}, [], policy=Policy(access_tests=(old,)), applied=applied)
    assert len(same.access_tests) == 1
