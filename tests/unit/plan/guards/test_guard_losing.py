"""Test the limit of users who lose access."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from small_org import ask, config, crowd, live, many, person, plan, verdict, words

from rolecall.model.desired import Applied
from rolecall.model.live import Coverage
from rolecall.model.policy import Band, Guards, Limit, Policy, TeamRole
from rolecall.model.settings import Defaults
from rolecall.plan.guards.guard import resolve
from rolecall.plan.make import make

GUARD = "max_people_losing_access"
BEFORE, AFTER = {"A": "member: X", "B": "member: Y"}, {"A": "member: W", "B": "member: Y"}


def band(review, block):
    return Guards(max_people_losing_access=Band(review, block))


def losing(number, guards=None, total=1000, **more):
    people = [*many(number, "A", stem="a"), *many(total - number, "B", stem="b")]
    return verdict(plan(BEFORE, AFTER, people, guards, **more), GUARD)


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "pass"), (10, "pass"), (11, "review"), (20, "review"), (21, "block")]
)
def test_the_defaults_ask_above_10_and_refuse_above_2_percent(number, expected):
    assert losing(number).verdict == expected


@pytest.mark.parametrize(
    ("percent", "base", "limit"),
    [(2, 1000, 20), (2, 1001, 21), (2, 10, 1), (2, 0, 1), (0, 1000, 1), (100, 7, 7), (33, 100, 33), (0.1, 3000, 3)],
)
def test_a_percentage_is_rounded_up_and_never_nothing(percent, base, limit):
    assert resolve(Limit(percent, percent=True), base) == limit


def test_a_refusal_says_how_many_who_what_is_left_the_limit_and_the_cause():
    people = [*many(30, "A", stem="a"), *many(70, "B", stem="b")]
    said = verdict(plan({"A": "member: X", "B": "member: Y"}, {"A": "", "B": "member: Y"}, people), GUARD)
    assert words(said) == [
        "30 users lose access; the limit is 2 (2% of 100 active users)",
        "Cause: idp_groups/A, 30 users: a000@acme.com, a001@acme.com, a002@acme.com and 27 more (rolecall.yaml:10)",
        "30 users fall back to default access.",
    ]
    assert said.found == 30
    assert said.target == "idp_groups/A"
    assert f"--allow {GUARD}=30" in said.ways[-1]


@pytest.mark.parametrize(
    ("sizes", "told"),
    [
        ((20, 0, 0), ["idp_groups/A, 20 users (rolecall.yaml:10)"]),
        (
            (20, 5, 5),
            [
                "idp_groups/A, 20 users (rolecall.yaml:10)",
                "idp_groups/B, 5 users (rolecall.yaml:11)",
                "idp_groups/C, 5 users (rolecall.yaml:12)",
            ],
        ),
        (
            (20, 0, 15),
            ["idp_groups/A, 20 users (rolecall.yaml:10)", "idp_groups/C, 15 users (rolecall.yaml:12)"],
        ),
    ],
)
def test_every_cause_has_its_number(sizes, told):
    groups = list(zip("ABC", sizes, strict=True))
    people = [person for group, size in groups for person in many(size, group, stem=group.lower())]
    made = plan(dict.fromkeys("ABC", "member: X"), dict.fromkeys("ABC", "member: Y"), people)
    causes = [text for text in words(verdict(made, GUARD)) if text.startswith("Cause: ")]
    assert [re.sub(r": \S+@.* \(", " (", text.removeprefix("Cause: ")) for text in causes] == told


def test_gaining_is_not_losing_and_a_lower_role_is():
    assert verdict(plan({"A": "member: X"}, {"A": "team_admin: X, Y"}, many(50, "A")), GUARD).actual == 0
    assert verdict(plan({"A": "team_admin: X"}, {"A": "member: X"}, many(50, "A")), GUARD).actual == 50


def test_moving_what_two_groups_give_takes_nothing():
    before, after = {"A": "member: X", "B": "member: Y"}, {"A": "member: Y", "B": "member: X"}
    assert verdict(plan(before, after, many(50, "A", "B")), GUARD).actual == 0


def test_the_stricter_of_config_and_last_applied_counts():
    loose, strict = band(Limit(500), Limit(600)), band(Limit(5), Limit(6))
    assert losing(7, loose).verdict == "pass"
    assert losing(7, loose, applied=Applied(policy=Policy(guards=strict))).verdict == "block"
    assert losing(7, strict, applied=Applied(policy=Policy(guards=loose))).verdict == "block"
    mixed = Applied(policy=Policy(guards=band(Limit(0.5, percent=True), None)))
    assert losing(7, loose, applied=mixed).verdict == "review"


def test_no_limit_never_asks():
    assert losing(900, band(None, None)).verdict == "pass"


def test_the_org_counts_its_active_people_where_not_all_were_read():
    people = many(30, "A")
    assert verdict(plan(BEFORE, AFTER, people, active_people=10_000), GUARD).verdict == "review"
    assert "200 (2% of 10,000 active users)" in verdict(plan(BEFORE, AFTER, people, active_people=10_000), GUARD).limit


def test_people_who_are_not_active_lose_nothing_and_do_not_count():
    gone = [person(f"g{n}", "A", active=False) for n in range(50)]
    said = verdict(plan(BEFORE, AFTER, [*gone, *many(1, "A"), *many(9, "B", stem="b")]), GUARD)
    assert (said.actual, said.verdict) == (1, "pass")


def test_an_empty_plan_passes():
    assert verdict(plan(BEFORE, BEFORE, many(5, "A")), GUARD).verdict == "pass"


def test_the_way_out_is_about_what_is_the_cause():
    mapped = verdict(plan({"A": "member: X"}, {"A": "member: Y"}, many(40, "A")), GUARD)
    assert mapped.ways[0] == "To keep their access, keep the current role and teams in idp_groups/A."
    wanted = config({}, Policy(), defaults=Defaults("member", frozenset({"Elsewhere"})))
    default = verdict(make(ask(wanted, live({}), many(40))), GUARD)
    assert default.ways[0] == "To keep their access, undo the change to defaults."


DEFAULTS_TOO = {"defaults": Defaults("team_admin", frozenset({"Everyone"}))}


def test_a_loss_by_a_mapping_is_not_blamed_on_the_defaults_that_change_too():
    made = make(ask(config({"A": ""}, strict(), **DEFAULTS_TOO), live({"A": "member: X"}), [person("ann", "A")]))
    said = verdict(made, GUARD)
    assert words(said)[1] == "Cause: idp_groups/A, 1 user: ann@acme.com (rolecall.yaml:10)"
    assert (said.source.line, said.target) == (10, "idp_groups/A")
    assert said.ways[0] == "To keep their access, keep the current role and teams in idp_groups/A."
    (move,) = made.impact.moves
    assert move.because == ("defaults", "idp_groups/A")
    assert [(cause.lost, cause.because, cause.each) for cause in move.causes if cause.lost] == [
        ((TeamRole("X", "member"),), ("idp_groups/A",), False)
    ]


def test_changes_that_are_needed_together_are_all_named():
    wanted = config({"A": "member: Y"}, strict(), defaults=Defaults("member", frozenset({"Elsewhere"})))
    said = verdict(make(ask(wanted, live({"A": ""}), [person("ann", "A")])), GUARD)
    cause = "defaults (rolecall.yaml:4) and idp_groups/A (rolecall.yaml:10)"
    assert words(said)[1] == f"Cause: {cause}, 1 user: ann@acme.com"
    assert said.ways[0] == (
        "To keep their access, undo the changes to defaults and idp_groups/A; all of them are needed."
    )


def test_changes_of_which_each_is_enough_are_all_named_and_said_to_be():
    before, after = {"A": "member: X", "B": "member: X"}, {"A": "member: Y", "B": "member: Y"}
    said = verdict(plan(before, after, [person("ann", "A", "B")], strict().guards), GUARD)
    cause = "idp_groups/A (rolecall.yaml:10) or idp_groups/B (rolecall.yaml:11)"
    assert words(said)[1] == f"Cause: {cause}, 1 user: ann@acme.com"
    assert said.ways[0] == (
        "To keep their access, undo one of the changes to idp_groups/A and idp_groups/B; any one of them is enough."
    )


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("member: Y", "20 users lose access (all of them also gain access); more than 10 requires approval"),
        ("", "20 users lose access; more than 10 requires approval"),
    ],
)
def test_users_who_also_gain_access_are_counted(after, told):
    made = plan({"A": "member: X"}, {"A": after}, many(20, "A"), band(Limit(10), None))
    assert verdict(made, GUARD).message == told


def strict() -> Policy:
    """Everything is asked about."""
    return Policy(guards=band(Limit(0), None), manage={"idp_groups": "authoritative"})


@pytest.mark.parametrize(("number", "expected"), [(0, "not judged"), (11, "not judged"), (21, "block")])
def test_of_people_read_in_part_only_a_refusal_is_sure(number, expected):
    directory = replace(crowd(many(number, "A")), coverage=Coverage("partial", number, 1000))
    asked = ask(config(AFTER), live(BEFORE, active_people=1000), None)
    assert verdict(make(asked._replace(directory=directory)), GUARD).verdict == expected


@pytest.mark.parametrize("number", [1, 2])
def test_users_with_no_access_left_are_counted(number):
    groups = {"A": "member: X", "B": "member: Y"}
    made = plan(
        groups, {"A": "", "B": "member: Y"}, [*many(number, "A"), *many(40, "B", stem="b")],
        band(Limit(0), None),
        defaults=Defaults("member", frozenset()),
    )  # fmt: skip
    said = verdict(made, GUARD)
    assert said.found == number
    verb = "has" if number == 1 else "have"
    assert any(f"{number} user{'s' if number > 1 else ''} {verb} no access" in line for line in words(said))


def test_a_mapping_that_takes_default_access_is_left_unmapped_to_keep_it():
    made = plan({"A": "", "B": "member: Y"}, {"A": "member: X", "B": "member: Y"}, many(30, "A"))
    said = verdict(made, GUARD)
    assert said.verdict == "block"
    assert "idp_groups/A unmapped" in said.ways[0]
    changed = verdict(plan({"A": "member: X"}, {"A": "member: Z"}, many(30, "A")), GUARD)
    assert "unmapped" not in changed.ways[0]


@pytest.mark.parametrize("number", [1, 2])
def test_users_who_lose_access_are_counted_in_the_message(number):
    said = losing(number, band(Limit(0), None))
    assert re.match(rf"{number} users? loses? access\b", said.message)
    assert (said.message.split()[2] == "loses") is (number == 1)
