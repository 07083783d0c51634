"""Test overrides: their names, limits, targets and dates, and warnings about unused ones."""

from __future__ import annotations

from datetime import date

import pytest
from small_org import many, plan, verdict, words

from rolecall.errors import Where
from rolecall.model.desired import Applied
from rolecall.model.policy import Allow, Band, Guards, Limit, Policy
from rolecall.plan.saved.summary import reviews
from rolecall.plan.value import GuardResult

GUARD = "max_people_losing_access"
BEFORE = {"A": "member: X", "B": "member: Y", "C": "member: Z"}
AFTER = {"A": "member: W", "B": "member: Y", "C": "member: Z"}
BOTH = {"A": "member: W", "B": "member: W", "C": "member: Z"}
PEOPLE = [*many(20, "A", stem="a"), *many(15, "B", stem="b"), *many(5, "C", stem="c")]
GUARDS = Guards(max_people_losing_access=Band(Limit(10), Limit(30)))
HERE = Where("rolecall.yaml", 50, 5)


def allow(up_to, target=None, until=None, guard=GUARD):
    return Allow(guard, target, up_to, until, "CHG-1", HERE)


def judged(after, *allows, applied=None, **more):
    known = {} if applied is None else {"applied": Applied(policy=Policy(guards=GUARDS, allow=applied))}
    return plan(BEFORE, after, PEOPLE, GUARDS, Policy(allow=allows), **known, **more)


def codes(made):
    return [problem.code for problem in made.warnings if problem.code.startswith("allow")]


@pytest.mark.parametrize(
    ("allows", "expected"),
    [
        ((), "review"),
        ((allow(20),), "allowed"),
        ((allow(19),), "review"),
        ((allow(20, "idp_groups/A"),), "allowed"),
        ((allow(20, "idp_groups/*"),), "allowed"),
        ((allow(20, "idp_groups/B"),), "review"),
        ((allow(20, until=date(2026, 11, 22)),), "allowed"),
        ((allow(20, until=date(2026, 11, 21)),), "review"),
        ((allow(20, guard="max_removals"),), "review"),
    ],
)
def test_an_allowance_has_a_name_a_bound_a_target_and_a_last_day(allows, expected):
    assert verdict(judged(AFTER, *allows), GUARD).verdict == expected


def test_what_a_target_does_not_cover_is_judged_by_itself():
    covered = judged(BOTH, allow(20, "idp_groups/A"))
    assert verdict(covered, GUARD).verdict == "review"
    assert verdict(judged(BOTH), GUARD).verdict == "block"
    assert verdict(judged(BOTH, allow(20, "idp_groups/A"), allow(15, "idp_groups/B")), GUARD).verdict == "allowed"


def test_the_message_says_who_allowed_it_and_where():
    said = verdict(judged(AFTER, allow(20)), GUARD)
    assert words(said)[-1] == "Override: covers 20 of up to 20. CHG-1 (rolecall.yaml:50)"
    assert said.ways == ()


def test_what_is_left_is_told_and_asked_for():
    narrow = verdict(judged(BOTH, allow(20, "idp_groups/A", date(2026, 12, 5))), GUARD)
    assert words(narrow)[-2:] == [
        "Override: covers 20 of up to 20 for idp_groups/A, until 5 Dec 2026. CHG-1 (rolecall.yaml:50)",
        "15 are not covered by an override, still over the limit.",
    ]
    assert f"--allow {GUARD}=15" in narrow.ways[-1]
    rest = allow(15)._replace(source=None)
    assert verdict(judged(BOTH, allow(20, "idp_groups/A"), lifts=(rest,)), GUARD).verdict == "allowed"


def test_what_the_limit_lets_pass_needs_no_allowance():
    made = plan(
        BEFORE,
        BOTH,
        PEOPLE,
        Guards(max_people_losing_access=Band(Limit(15), None)),
        Policy(allow=(allow(20, "idp_groups/A"),)),
    )
    said = verdict(made, GUARD)
    assert (said.verdict, words(said)[-1]) == ("allowed", "15 are not covered by an override, within the limit.")


def test_what_nothing_lifts_says_so():
    said = verdict(plan({"A": "org_admin: X"}, {"A": "member: X"}, many(2, "A")), "min_org_admins")
    assert (said.verdict, said.ways[-1]) == ("block", "This guard cannot be overridden.")


def test_an_allowance_that_is_too_small_is_named():
    said = verdict(judged(AFTER, allow(19)), GUARD)
    assert words(said)[-1] == "Override: covers only 19, so it does not apply. (rolecall.yaml:50)"


def test_unused_and_expired_allowances_are_warnings():
    assert codes(judged(AFTER, allow(20))) == []
    assert codes(judged(BEFORE, allow(20))) == ["allow_unused"]
    assert codes(judged(AFTER, allow(20, until=date(2026, 11, 1)))) == ["allow_expired"]
    assert codes(judged(AFTER, lifts=(allow(20)._replace(source=None),))) == []
    assert codes(judged(BEFORE, lifts=(allow(20)._replace(source=None),))) == ["allow_unused"]


def test_a_new_allowance_holds_from_the_next_plan_on():
    new = judged(AFTER, allow(20), applied=())
    assert verdict(new, GUARD).verdict == "review"
    assert verdict(new, "policy").verdict == "review"
    known = judged(AFTER, allow(20), applied=(allow(20),))
    assert verdict(known, GUARD).verdict == "allowed"
    assert verdict(known, "policy").verdict == "pass"
    wider = judged(AFTER, allow(20), applied=(allow(12),))
    assert verdict(wider, GUARD).verdict == "review"
    longer = judged(AFTER, allow(20), applied=(allow(20, until=date(2026, 1, 1)),))
    assert verdict(longer, GUARD).verdict == "review"


def test_one_given_for_this_run_holds_at_once():
    assert verdict(judged(AFTER, applied=(), lifts=(allow(20),)), GUARD).verdict == "allowed"


def test_several_cover_a_plan_together_in_whatever_order_they_stand():
    one, rest = allow(20, "idp_groups/A"), allow(15)
    assert verdict(judged(BOTH, one, rest), GUARD).verdict == "allowed"
    assert verdict(judged(BOTH, rest, one), GUARD).verdict == "allowed"
    assert verdict(judged(BOTH, allow(14), one), GUARD).verdict == "review"


def test_a_plan_that_is_cut_says_nothing_of_allowances_that_are_for_the_rest():
    assert codes(judged(BOTH, allow(20, "idp_groups/A"), targets=("idp_groups/B",))) == []
    late = allow(20, "idp_groups/A", until=date(2026, 11, 1))
    assert codes(judged(BOTH, late, targets=("idp_groups/B",))) == ["allow_expired"]
    once = (allow(1, guard="protect")._replace(source=None),)
    assert codes(judged(BOTH, lifts=once, targets=("idp_groups/B",))) == ["allow_unused"]


def test_who_loses_by_two_changes_is_covered_only_where_both_are():
    people = many(20, "A", "B")
    for target, expected in (("idp_groups/A", "review"), ("idp_groups/*", "allowed")):
        made = plan(BEFORE, BOTH, people, GUARDS, Policy(allow=(allow(20, target),)))
        assert verdict(made, GUARD).verdict == expected


def test_of_a_guard_that_was_not_judged_nobody_knows_whether_it_needed_its_allowance():
    made = plan(BEFORE, AFTER, None, GUARDS, Policy(allow=(allow(20), allow(3, guard="max_removals"))))
    assert verdict(made, GUARD).verdict == "not judged"
    (told,) = [problem for problem in made.warnings if problem.code == "allow_unused"]
    assert "max_removals" in told.message


def test_an_override_without_a_reason_ends_with_its_number():
    said = verdict(judged(AFTER, allow(20)._replace(reason="", source=None)), GUARD)
    assert words(said)[-1] == "Override: covers 20 of up to 20"


def test_what_an_approval_has_to_answer():
    guards = tuple(
        GuardResult(name, said)
        for name in ("policy", "escalations")
        for said in ("pass", "allowed", "review", "not judged", "block")
    )
    made = judged(AFTER)._replace(guards=guards)
    assert [(result.name, result.verdict) for result in reviews(made)] == [
        ("policy", "review"),
        ("policy", "not judged"),
        ("escalations", "review"),
    ]


@pytest.mark.parametrize(("limit", "expected"), [(20, "allowed"), (5, "review")])
def test_what_no_override_covers_is_counted_and_compared_with_the_limit(limit, expected):
    guards = Guards(max_people_losing_access=Band(Limit(limit), None))
    for number, verb in ((limit + 1, "are"), (1, "is") if expected == "allowed" else (6, "are")):
        people = [*many(30, "A", stem="a"), *many(number, "B", stem="b"), *many(5, "C", stem="c")]
        made = plan(BEFORE, BOTH, people, guards, Policy(allow=(allow(30, "idp_groups/A"),)))
        said = verdict(made, GUARD)
        assert said.verdict == ("review" if number > limit else "allowed")
        assert any(f"{number} {verb} not covered" in line for line in words(said))
