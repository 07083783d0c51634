"""Test the minimum of org admins, required org admins, and the user who runs the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, live, many, person, plan, verdict, words

from rolecall.model.policy import Allow, Guards, Policy
from rolecall.model.settings import Scim
from rolecall.plan.make import make

ADMINS = "org_admin: IT"
TWO = [person("ann", "A"), person("bo", "B")]


def test_fewer_org_admins_than_must_stay_is_refused_with_everything_there_is_to_know():
    made = plan({"A": ADMINS, "B": ADMINS}, {"A": ADMINS, "B": "member: IT"}, TWO, Guards(min_org_admins=2))
    said = verdict(made, "min_org_admins")
    assert (said.verdict, said.limit, said.actual, said.found) == ("block", 2, 1, 1)
    assert words(said) == [
        "1 org admin after this plan; the limit is 2",
        "No longer org admin: bo@acme.com",
        "Cause: idp_groups/B (rolecall.yaml:11)",
    ]
    assert (said.source.file, said.source.line) == ("rolecall.yaml", 11)
    assert any("--allow min_org_admins=1" in way for way in said.ways)
    assert made.verdict == "block"
    assert made.changes


def test_it_is_lifted_by_name_and_number():
    people = TWO
    spec = ({"A": ADMINS, "B": ADMINS}, {"A": ADMINS, "B": "member: IT"}, people, Guards(min_org_admins=2))
    once = (Allow("min_org_admins", None, 1, None, "once"),)
    assert verdict(plan(*spec, lifts=once), "min_org_admins").verdict == "allowed"
    other = (Allow("escalations", None, 9, None, "once"),)
    assert verdict(plan(*spec, lifts=other), "min_org_admins").verdict == "block"


def test_no_org_admin_at_all_is_never_lifted():
    made = plan(
        {"A": ADMINS}, {"A": "member: IT"}, [person("ann", "A")], lifts=(Allow("min_org_admins", None, 99, None, ""),)
    )
    said = verdict(made, "min_org_admins")
    assert said.verdict == "block"
    assert not any("--allow" in way for way in said.ways)
    assert said.message.startswith("No org admins after this plan")


def test_a_state_already_bad_blocks_only_what_makes_it_worse():
    people = [person("ann", "A"), *many(3, "B")]
    better = plan({"A": ADMINS, "B": "member: X"}, {"A": ADMINS, "B": "member: Y"}, people, Guards(min_org_admins=5))
    said = verdict(better, "min_org_admins")
    assert said.verdict == "pass"
    assert said.message == "1 org admin, as before this plan; the limit is 5"
    worse = plan({"A": ADMINS}, {"A": "member: IT"}, [person("ann", "A")], Guards(min_org_admins=5))
    assert verdict(worse, "min_org_admins").verdict == "block"


def test_a_floor_of_one_whatever_is_said():
    made = plan({"A": ADMINS}, {"A": "member: IT"}, [person("ann", "A")], Guards(min_org_admins=0))
    assert verdict(made, "min_org_admins").limit == 1
    assert verdict(made, "min_org_admins").verdict == "block"


def test_an_org_admin_by_a_waiting_group_does_not_count():
    made = plan({"A": ADMINS}, {"A": "member: IT", "New": ADMINS}, [person("ann", "A", "New")])
    assert verdict(made, "min_org_admins").verdict == "block"


def test_org_admins_hold_after_every_wave_not_only_at_the_end():
    crossed = plan(
        {"A": "org_admin: IT", "B": "member: X"},
        {"A": "member: X", "B": "org_admin: IT"},
        TWO,
        Guards(min_org_admins=1),
    )
    assert verdict(crossed, "min_org_admins").verdict == "pass"
    assert crossed.impact.org_admins == (1, 1)


@pytest.mark.parametrize("case", ["ANN@acme.com", "ann@acme.com"])
def test_a_required_org_admin_who_would_go_is_refused(case):
    made = plan({"A": ADMINS, "B": ADMINS}, {"A": "member: IT", "B": ADMINS}, TWO, Guards(required_org_admins=(case,)))
    said = verdict(made, "required_org_admins")
    assert said.verdict == "block"
    assert words(said) == [
        "1 required org admin would no longer be org admin: ann@acme.com",
        "Cause: idp_groups/A (rolecall.yaml:10)",
    ]
    assert said.found == 1


@pytest.mark.parametrize(
    ("required", "message"),
    [
        (("zoe@acme.com",), "1 required org admin is not an active user"),
        (("yan@acme.com", "zoe@acme.com"), "2 required org admins are not active users"),
    ],
)
def test_required_org_admins_who_are_no_active_users_need_a_review(required, message):
    before, after = {"A": ADMINS, "B": "member: X"}, {"A": ADMINS, "B": "member: Y"}
    left = [person("yan", "B", active=False), person("zoe", "B", active=False)]
    made = plan(before, after, [*TWO, *left], Guards(required_org_admins=required))
    said = verdict(made, "required_org_admins")
    assert (said.verdict, said.message, said.limit, said.actual) == ("review", message, len(required), 0)
    assert said.found == len(required)


def test_who_is_required_and_no_org_admin_yet_is_told_not_refused():
    made = plan(
        {"A": ADMINS, "B": "member: X"},
        {"A": ADMINS, "B": "member: Y"},
        TWO,
        Guards(required_org_admins=("bo@acme.com",)),
    )
    said = verdict(made, "required_org_admins")
    assert said.verdict == "pass"
    assert "bo@acme.com" in said.message


def test_whoever_runs_the_plan_stays_org_admin_and_no_allowance_helps():
    made = plan(
        {"A": ADMINS, "B": ADMINS},
        {"A": "member: IT", "B": ADMINS},
        TWO,
        caller="Ann@acme.com",
        lifts=(Allow("require_self", None, 9, None, ""),),
    )
    said = verdict(made, "require_self")
    assert said.verdict == "block"
    assert "ann@acme.com runs this plan" in said.message


def test_a_service_has_nothing_to_lose_and_the_guard_can_be_off():
    spec = ({"A": ADMINS, "B": ADMINS}, {"A": "member: IT", "B": ADMINS}, TWO)
    assert verdict(plan(*spec), "require_self").verdict == "pass"
    off = plan(*spec, Guards(require_self=False), caller="ann@acme.com")
    assert verdict(off, "require_self").verdict == "pass"


@pytest.mark.parametrize("name", ["min_org_admins", "required_org_admins", "require_self"])
def test_without_people_nobody_is_judged_and_nothing_passes(name):
    made = plan(
        {"A": ADMINS}, {"A": "member: IT"}, None, Guards(required_org_admins=("ann@acme.com",)), caller="ann@acme.com"
    )
    assert verdict(made, name).verdict == "not judged"


def test_manual_editing_going_off_counts():
    people = [person("ann", manual="org_admin: IT"), person("bo", "B")]
    org = live({"B": ADMINS}, scim=Scim(True, "okta", "new", True))
    desired = config({"B": ADMINS}, scim=Scim(manual_editing=False))
    made = make(ask(desired, org, people))
    assert made.impact.org_admins == (2, 1)
    assert made.impact.moves[0].because == ("scim",)


def test_one_who_comes_in_a_later_wave_than_the_last_one_goes_comes_too_late():
    people = [person("ann", "A"), person("bo", "B", manual="org_admin: IT")]
    desired = config({"A": "team_admin: X", "B": "member: X"}, scim=Scim(manual_editing=True))
    made = make(ask(desired, live({"A": ADMINS, "B": "member: X"}), people))
    assert [change.wave for change in made.changes] == [2, 3]
    assert made.impact.org_admins == (1, 1)
    said = verdict(made, "min_org_admins")
    assert (said.verdict, said.actual) == ("block", 0)
    assert words(said)[:2] == ["No org admins after wave 2; the limit is 1", "No longer org admin: ann@acme.com"]


def test_who_must_stay_stays_after_every_wave():
    """R33: with SCIM on again the mappings count as they stand, until the next wave brings the one that is wanted."""
    org = live({"A": "", "B": ADMINS}, scim=Scim(False, "okta", "new", False), caller="Ann@acme.com")
    kept = live({"A": ADMINS, "B": ADMINS}).settings
    org = replace(org, facts=org.facts._replace(kept=kept))
    guards = Guards(min_org_admins=2, required_org_admins=("ann@acme.com",))
    desired = config({"A": ADMINS, "B": ADMINS}, Policy(guards=guards), scim=Scim(enabled=True))
    made = make(ask(desired, org, TWO))
    assert [change.wave for change in made.changes] == [0, 1]
    assert (made.impact.changed, made.impact.org_admins) == (0, (2, 2))
    assert verdict(made, "min_org_admins").message.startswith("1 org admin after wave 0; the limit is 2")
    for name in ("required_org_admins", "require_self"):
        assert verdict(made, name).verdict == "block"
        assert "ann@acme.com" in verdict(made, name).message


def test_who_becomes_org_admin_by_a_later_wave_loses_nothing_by_an_earlier_one():
    made = plan(
        {"A": "member: X", "B": "member: Y", "C": ADMINS},
        {"A": "member: X, Z", "B": "org_admin: IT", "C": ADMINS},
        [person("ann", "C"), person("bo", "B"), person("cy", "A")],
        Guards(required_org_admins=("bo@acme.com",)),
        caller="bo@acme.com",
    )
    assert [change.wave for change in made.changes] == [1, 2]
    assert verdict(made, "required_org_admins").verdict == "pass"
    assert verdict(made, "require_self").verdict == "pass"
