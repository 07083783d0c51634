"""Test users who gain more than the role member."""

from __future__ import annotations

import pytest
from small_org import many, person, plan, verdict, words

from rolecall.model.desired import Applied
from rolecall.model.policy import Allow, Guards, Policy, TeamRole
from rolecall.plan.guards.escalations import stance


def stances(**said):
    return Guards(escalations={**Guards().escalations, **said})


def judged(role, guards=None, **more):
    return plan({"A": "member: X"}, {"A": f"{role}: X"}, many(3, "A"), guards, **more)


@pytest.mark.parametrize(
    ("role", "said", "expected"),
    [
        ("team_admin", {}, "review"),
        ("org_admin", {}, "review"),
        ("editor", {}, "review"),
        ("team_admin", {"team_admin": "allow"}, "pass"),
        ("org_admin", {"team_admin": "allow"}, "review"),
        ("org_admin", {"org_admin": "deny"}, "block"),
        ("editor", {"custom": "deny"}, "block"),
        ("editor", {"org_admin": "deny"}, "review"),
        ("member", {"org_admin": "deny"}, "pass"),
    ],
)
def test_each_kind_has_its_stance(role, said, expected):
    assert verdict(judged(role, stances(**said)), "escalations").verdict == expected


def test_what_is_said():
    said = verdict(judged("org_admin"), "escalations")
    assert words(said) == [
        "3 users gain org admin (org-wide, team X): p000@acme.com, p001@acme.com, p002@acme.com",
        "Cause: idp_groups/A (rolecall.yaml:10)",
    ]
    assert said.ways == (
        "To reject it, keep the current role and teams in idp_groups/A.",
        "To accept it: rolecall apply --approve DIGEST",
        "To allow it once: rolecall plan --allow escalations=3",
    )


def test_org_admins_come_first():
    before = {"A": "member: X", "B": "member: X"}
    people = [*many(3, "A", stem="a"), *many(1, "B", stem="b")]
    made = plan(before, {"A": "team_admin: X", "B": "org_admin: X"}, people)
    first, second, *_ = words(verdict(made, "escalations"))
    assert first.startswith("1 user gains org admin")
    assert second.startswith("3 users gain X team admin")


def test_what_is_said_in_numbers():
    said = verdict(judged("org_admin"), "escalations")
    assert said.found == 3
    assert said.limit == "team_admin review, org_admin review, custom review"


def test_deny_is_never_lifted_and_review_is():
    lifts = (Allow("escalations", None, 3, None, "once"),)
    assert verdict(judged("org_admin", stances(org_admin="deny"), lifts=lifts), "escalations").verdict == "block"
    assert verdict(judged("org_admin", lifts=lifts), "escalations").verdict == "allowed"


def test_the_stricter_stance_counts():
    applied = Applied(policy=Policy(guards=stances(team_admin="deny")))
    assert verdict(judged("team_admin", stances(team_admin="allow"), applied=applied), "escalations").verdict == "block"


def test_the_impact_names_everybody_with_what_they_gain_and_by_which_change():
    made = judged("org_admin")
    assert [row.who.email for row in made.impact.escalations] == ["p000@acme.com", "p001@acme.com", "p002@acme.com"]
    assert made.impact.escalations[0].gains == (TeamRole("X", "org_admin"),)
    assert made.impact.escalations[0].because == ("idp_groups/A",)


def test_whoever_has_it_already_is_no_escalation():
    made = plan(
        {"A": "member: X", "B": "team_admin: X"},
        {"A": "team_admin: X", "B": "team_admin: X"},
        [person("ann", "A", "B")],
    )
    assert made.impact.escalations == ()
    assert verdict(made, "escalations").verdict == "pass"


def test_people_who_were_not_read_are_not_judged():
    made = plan({"A": "member: X"}, {"A": "org_admin: X"}, None)
    assert verdict(made, "escalations").verdict == "not judged"


def test_the_strictest_of_several_combos():
    guards = (stances(team_admin="allow", custom="deny"),)
    assert stance(guards, [TeamRole("X", "team_admin"), TeamRole("Y", "member")]) == "allow"
    assert stance(guards, [TeamRole("X", "team_admin"), TeamRole("Y", "viewer")]) == "deny"
    assert stance(guards, []) == "allow"


def test_a_change_that_only_takes_is_no_cause_of_what_is_gained():
    made = plan(
        {"A": "team_admin: X, Y", "B": "member: Z"},
        {"A": "team_admin: X", "B": "team_admin: Z"},
        [person("ann", "A", "B")],
    )
    (row,) = made.impact.escalations
    assert (row.gains, row.because) == ((TeamRole("Z", "team_admin"),), ("idp_groups/B",))


def test_of_many_kinds_of_escalations_the_rest_is_counted():
    teams = [f"T{n}" for n in range(7)]
    groups = {f"G{team}": f"member: {team}" for team in teams}
    people = [who for n, team in enumerate(teams) for who in many(n + 1, f"G{team}", stem=team.lower())]
    said = verdict(plan(groups, {f"G{team}": f"team_admin: {team}" for team in teams}, people), "escalations")
    assert said.found == 28
    lines = [line for line in words(said) if "more kinds" in line or "team admin" in line]
    named = sum("team admin" in line for line in lines)
    assert 0 < named < 7
    assert any(f"{7 - named} more kinds" in line for line in lines)
    fewer = verdict(
        plan(dict(list(groups.items())[:2]), {"GT0": "team_admin: T0", "GT1": "team_admin: T1"}, people[:3]),
        "escalations",
    )
    assert not any("more kinds" in line for line in words(fewer))
