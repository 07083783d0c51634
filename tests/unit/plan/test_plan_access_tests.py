"""Test access tests on one state of the rules."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, crowd, live, many, person, plan

from rolecall.access.rules import compile_access
from rolecall.errors import Where
from rolecall.model.desired import Applied
from rolecall.model.live import Coverage
from rolecall.model.policy import AccessTest, Policy, TeamRole
from rolecall.model.settings import UNSET, Defaults, Scim
from rolecall.plan.explain.access_tests import run_tests
from rolecall.plan.make import make

GROUPS = {"Mkt": "member: Marketing", "Lead": "team_admin: Marketing", "IT": "org_admin: IT", "Blank": ""}
MARKETING, LEAD = TeamRole("Marketing", "member"), TeamRole("Marketing", "team_admin")
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
        ({"groups": (), "expect": frozenset({TeamRole("Everyone", "member")})}, True),
        ({"groups": ("Blank",), "expect": frozenset()}, False),
        ({"groups": ("Mkt",), "has": ("member",)}, True),
        ({"groups": ("Lead",), "has": ("member",)}, True),
        ({"groups": ("Mkt",), "has": ("team_admin",)}, False),
        ({"groups": ("Lead",), "has": (MARKETING,)}, True),
        ({"groups": ("Lead",), "has": (TeamRole("Legal", "member"),)}, False),
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
    said = run(promise(groups=("IT", "Mkt"), expect=frozenset({MARKETING, TeamRole("Legal", "member")})))
    assert said.message == "lacks Legal member and also has org admin (org-wide, team IT) (by group:IT)"
    assert said.source == Where("rolecall.yaml", 60, 5)
    assert run(promise(groups=("IT",), never=("org_admin",))).message == (
        "must never be org admin but has org admin (org-wide, team IT) (by group:IT)"
    )
    assert run(promise(person="ann@acme.com", has=("org_admin",))).message == (
        "does not have org admin; has Marketing member"
    )


def test_a_role_that_comes_another_way_fails():
    by_hand = [*PEOPLE, person("sly", "Mkt", manual="org_admin: Sales")]
    editing = Scim(True, "okta", "new", True)
    only = promise(role="org_admin", granted_by_only=("IT",))
    assert run(only, by_hand).passed
    said = run(only, by_hand, scim=editing)
    assert not said.passed
    assert said.message == "org admin is also given to sly@acme.com (manual)"
    default = Defaults("team_admin", frozenset({"Everyone"}))
    assert "by default access" in run(promise(role="team_admin", granted_by_only=("Lead",)), defaults=default).message
    assert "by `Lead`" in run(promise(role="team_admin", granted_by_only=())).message


def test_people_who_were_not_read_fail_a_test_that_needs_them_and_no_other():
    assert run(promise(person="ann@acme.com", has=("member",)), None).message == "Users were not read"
    assert run(promise(groups=("Mkt",), has=("member",)), None).passed
    assert "Users were not read" in run(promise(role="org_admin", granted_by_only=("IT",)), None).message


def test_some_people_are_not_all():
    org, part = live(GROUPS), replace(crowd(PEOPLE), coverage=Coverage("partial"))
    rules = compile_access(org.settings, org.facts)
    tests = [
        promise(role="org_admin", granted_by_only=("IT",)),
        promise(person="who@acme.com", has=("member",)),
        promise(person="ida@acme.com", has=("org_admin",)),
    ]
    first, second, third = run_tests(tests, rules, part)
    assert "Users were partially read" in first.message
    assert second.message == "Users were partially read"
    assert third.passed


def test_a_plan_is_held_to_its_after_state():
    policy = Policy(access_tests=(promise(groups=("A",), expect=frozenset({TeamRole("Y", "member")})),))
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


BEFORE = {"A": "member: X", "B": "member: Y", "C": "member: Z"}
AFTER = {"A": "member: W", "B": "member: V", "C": "member: Z"}


def cut(test, target="idp_groups/B", after=AFTER, people=(), **more):
    made = plan(BEFORE, after, people, policy=Policy(access_tests=(test,)), targets=(target,), **more)
    return made.access_tests[0]


def test_what_a_cut_left_out_refuses_nothing():
    found = cut(promise(groups=("A",), expect=frozenset({TeamRole("W", "member")})))
    assert (found.passed, found.later, found.refuses) == (False, True, False)
    assert cut(promise(groups=("A",), expect=frozenset({TeamRole("W", "member")})), "idp_groups/*").passed


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"groups": ("B",), "has": (TeamRole("Y", "member"),)}, id="it takes what the test wants"),
        pytest.param({"groups": ("A",), "has": (TeamRole("Q", "member"),)}, id="the whole plan would not mend it"),
        pytest.param(
            {"groups": ("A", "B"), "expect": frozenset({TeamRole("W", "member"), TeamRole("Y", "member")})},
            id="it fails already, and in more ways then",
        ),
    ],
)
def test_what_the_cut_plan_does_itself_refuses_it(said):
    found = cut(promise(**said))
    assert (found.passed, found.later, found.refuses) == (False, False, True)


def test_half_of_the_way_is_no_worse():
    wanted = promise(groups=("A", "B"), expect=frozenset({TeamRole("W", "member"), TeamRole("V", "member")}))
    assert plan(BEFORE, AFTER, [], policy=Policy(access_tests=(wanted,))).access_tests[0].passed
    found = cut(promise(groups=("A", "B"), has=(TeamRole("W", "member"), TeamRole("V", "member"))))
    assert (found.passed, found.later) == (False, True)


def test_what_a_cut_lets_in_is_never_for_later():
    after = {"A": "member: W", "B": "org_admin: V", "C": "member: Z"}
    assert cut(promise(groups=("A", "B"), never=("org_admin",)), after=after).refuses
    only = promise(role="org_admin", granted_by_only=("A",))
    assert cut(only, after={**after, "B": "member: V", "A": "org_admin: W"}).passed
    assert cut(only, after=after).refuses


def test_a_group_that_is_not_pushed_yet_refuses_nothing():
    policy = Policy(access_tests=(promise(groups=("New",), expect=frozenset({TeamRole("N", "member")})),))
    made = plan({"A": "member: X"}, {"A": "member: X", "New": "member: N"}, [], policy=policy)
    (found,) = made.access_tests
    assert (found.passed, found.later) == (False, True)
    assert found.message == (
        "lacks N member and also has Everyone member (by default); "
        "it fails before this plan too, and passes once the excluded and pending changes are made"
    )
    other = Policy(access_tests=(promise(groups=("New",), expect=frozenset({TeamRole("M", "member")})),))
    assert plan({"A": "member: X"}, {"A": "member: X", "New": "member: N"}, [], policy=other).access_tests[0].refuses


def test_what_only_a_whole_upgrade_gives_refuses_no_step_of_it():
    wanted = promise(groups=("New",), expect=frozenset({TeamRole("X", "org_admin")}))
    desired = config({"New": "org_admin: X"}, Policy(access_tests=(wanted,)), scim=Scim(endpoint="new"))
    legacy = live({"Old": ": X"}, scim=Scim(True, "okta", "legacy", False))
    assert make(ask(desired, legacy, [])).access_tests[0].later
    upgrading = live({"New": ""}, scim=Scim(True, "okta", "upgrading", False), legacy_links={"Old": frozenset({"X"})})
    assert make(ask(desired, upgrading, [])).access_tests[0].passed


def test_whoever_has_a_role_by_a_group_is_not_told_beside_the_group():
    people = [person("ida", "IT", role_attribute="member"), person("sly", "Mkt", manual="org_admin: Sales")]
    editing = Scim(True, "okta", "new", True)
    said = run(promise(role="org_admin", granted_by_only=()), people, scim=editing)
    assert said.message == "org admin is also given by `IT`; org admin is also given to sly@acme.com (manual)"


@pytest.mark.parametrize("state", ["complete", "partial"])
def test_a_user_is_not_judged_while_a_mapped_group_or_users_were_not_read(state):
    org = live(GROUPS)
    directory = crowd(PEOPLE)
    gaps = directory.gaps._replace(missing={"Mkt": 3})
    coverage = Coverage(state, 4, 4 if state == "complete" else 9)
    directory = replace(directory, coverage=coverage, gaps=gaps)
    rules = compile_access(org.settings, org.facts)
    for who, evaluated in (("ann@acme.com", state == "partial"), ("zed@acme.com", False)):
        (result,) = run_tests([promise(person=who, has=("org_admin",))], rules, directory)
        assert (result.passed, result.evaluated) == (False, evaluated)
        assert result.message


def test_settings_that_were_not_read_are_named():
    org = live(GROUPS)
    org = replace(org, settings=replace(org.settings, defaults=UNSET))
    (result,) = run_tests([promise(groups=("Mkt",), has=("member",))], compile_access(org.settings, org.facts), None)
    assert not result.passed
    assert "defaults" in result.message


TOGETHER = (TeamRole("Marketing", "member"), TeamRole("IT", "member"))


def test_too_many_holders_are_named_by_cause_with_the_line_of_the_mapping():
    people = [person("ida", "IT"), person("ivo", "IT"), person("mo", manual="org_admin: Legal")]
    org = live(GROUPS, scim=Scim(True, "okta", "new", True))
    rules, users = compile_access(org.settings, org.facts), crowd(people)
    (result,) = run_tests([promise(role="org_admin", at_most=2)], rules, users, None, config(GROUPS))
    assert result.message == "3 users are org admin; the limit is 2"
    assert [(detail.text, detail.source) for detail in result.details] == [
        ("By idp_groups/IT: ida@acme.com, ivo@acme.com", Where("rolecall.yaml", 12, 3)),
        ("By an edit in the console: mo@acme.com", None),
    ]
    assert "ivo@acme.com (rolecall.yaml:12)" in result.text
    assert run(promise(role="org_admin", at_most=3), people).passed


def test_both_mappings_of_excluded_team_roles_are_named():
    org = live(GROUPS)
    users = crowd([person("ann", "Mkt", "IT"), person("bo", "Mkt"), person("cy", "IT")])
    rules = compile_access(org.settings, org.facts)
    (result,) = run_tests([promise(never_together=TOGETHER)], rules, users, None, config(GROUPS))
    assert result.message == "1 user has Marketing member and IT member together"
    (detail,) = result.details
    assert detail.text == "By idp_groups/Mkt (rolecall.yaml:10) and idp_groups/IT (rolecall.yaml:12): ann@acme.com"


def test_guests_are_found_by_their_domain():
    guest = person("guest", "Lead")._replace(email="Guest@Partner.example")
    said = {"role": "team_admin", "only_domains": ("acme.com", "acme.de")}
    result = run(promise(**said), [*PEOPLE, guest])
    assert result.message == "1 user is team admin and has no address at acme.com or acme.de"
    assert [detail.text for detail in result.details] == ["By idp_groups/Lead: guest@partner.example"]
    assert run(promise(**said), PEOPLE).passed


def test_a_plan_reads_all_users_for_such_a_test_and_is_evaluated_after_its_changes():
    after = {**GROUPS, "Lead": "org_admin: IT"}
    policy = Policy(access_tests=(promise(role="org_admin", at_most=1),))
    made = plan(GROUPS, after, PEOPLE, policy=policy)
    assert made.scope.everybody
    (result,) = made.access_tests
    assert (result.passed, result.label) == (False, "FAILED")
    assert "lee@acme.com" in result.text


def test_users_of_such_a_test_who_were_not_read_are_not_evaluated():
    assert run(promise(role="org_admin", at_most=9), None).label == "UNKNOWN"
    assert run(promise(never_together=TOGETHER), None).label == "UNKNOWN"
