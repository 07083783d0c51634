"""Test entries that must not be weakened, by the configuration or the last apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from small_org import plan, verdict, words

from rolecall.errors import Where
from rolecall.model.desired import Applied, Intent
from rolecall.model.policy import Allow, Policy

KEPT = {"A": "team_admin: X, Y"}
AUTHORITATIVE = Policy(manage={"idp_groups": "authoritative"})
PROTECTED = Applied(protected=frozenset({"idp_groups/A"}))


@pytest.mark.parametrize(
    ("after", "how"),
    [
        ({}, "would be removed"),
        ({"A": ""}, "would be removed"),
        ({"A": "member: X, Y"}, "would change from team_admin to member"),
        ({"A": "editor: X, Y"}, "would change from team_admin to editor"),
        ({"A": ": X, Y"}, "would change from team_admin to the default role"),
        ({"A": "team_admin: X"}, "would lose Y"),
        ({"A": "team_admin: X, Y, Z"}, None),
        ({"A": "org_admin: X, Y"}, None),
    ],
)
def test_weaker_is_refused_and_stronger_is_not(after, how):
    said = verdict(plan(KEPT, after, [], applied=PROTECTED), "protect")
    assert said.verdict == ("pass" if how is None else "block")
    assert how is None or f"idp_groups/A {how}" in words(said)[1]


def test_the_configs_own_word_counts_too():
    made = plan(KEPT, {"A": "member: X, Y"}, [], intents={"A": Intent(protect=True)})
    said = verdict(made, "protect")
    assert said.verdict == "block"
    assert words(said) == [
        "1 protected entry would be weakened",
        "idp_groups/A would change from team_admin to member (rolecall.yaml:10)",
    ]
    assert said.ways[0].startswith("To allow it, remove `protect`")


def test_dropping_it_in_the_same_plan_does_not_help():
    made = plan(KEPT, {"A": "member: X, Y"}, [], applied=replace(PROTECTED, policy=AUTHORITATIVE))
    assert verdict(made, "protect").verdict == "block"
    assert [row.path for row in made.policy_changes] == ["protect.idp_groups/A"]
    assert verdict(made, "policy").verdict == "review"


def test_an_end_added_is_weakening_where_the_journal_knows_of_none():
    ending = {"A": Intent(expires=date(2027, 1, 1))}
    changed = {"A": "team_admin: X, Y, Z"}
    known = replace(PROTECTED, expires=frozenset())
    assert verdict(plan(KEPT, changed, [], applied=known, intents=ending), "protect").verdict == "block"
    had = replace(PROTECTED, expires=frozenset({"idp_groups/A"}))
    assert verdict(plan(KEPT, changed, [], applied=had, intents=ending), "protect").verdict == "pass"


def test_a_rename_that_keeps_everything_is_no_weakening():
    told = {"New": Intent(previously=("A",))}
    same = plan({**KEPT, "New": ""}, {"New": KEPT["A"]}, [], applied=PROTECTED, intents=told)
    assert verdict(same, "protect").verdict == "pass"
    less = plan({**KEPT, "New": ""}, {"New": "member: X"}, [], applied=PROTECTED, intents=told)
    assert verdict(less, "protect").verdict == "block"


def test_nothing_protected_is_nothing_to_say():
    assert verdict(plan(KEPT, {}, []), "protect").verdict == "pass"


RANKED = ["member", "team_admin", "org_admin"]


@pytest.mark.parametrize("before", [*RANKED, "editor", ""])
@pytest.mark.parametrize("after", [*RANKED, "editor", ""])
def test_a_lower_role_or_one_that_cannot_be_ranked_is_weaker(before, after):
    made = plan({"A": f"{before}: X"}, {"A": f"{after}: X, Y"}, [], applied=PROTECTED)
    ranked = before in RANKED and after in RANKED
    weaker = before != after and not (ranked and RANKED.index(after) > RANKED.index(before))
    assert verdict(made, "protect").verdict == ("block" if weaker else "pass")


def test_each_protected_entry_is_counted_and_an_override_covers_only_its_own():
    three = {"A": "team_admin: X", "B": "team_admin: X", "C": "team_admin: X"}
    less = {"A": "member: X", "B": "team_admin: Y", "C": "member: X"}
    keep = {"A": Intent(protect=True), "B": Intent(protect=True)}
    said = verdict(plan(three, less, [], intents=keep), "protect")
    assert (said.verdict, said.found, said.actual) == ("block", 2, 2)
    first = min(("idp_groups/A", "idp_groups/B"), key=" ".join(words(said)).index)
    line = {"idp_groups/A": 10, "idp_groups/B": 11}[first]
    assert (said.target, said.source) == (first, Where("rolecall.yaml", line, 3))
    assert [name in " ".join(words(said)) for name in ("idp_groups/A", "idp_groups/B", "idp_groups/C")] == [
        True,
        True,
        False,
    ]
    one = Allow("protect", "idp_groups/A", 9, None, "")
    left = verdict(plan(three, less, [], intents=keep, lifts=(one,)), "protect")
    assert (left.verdict, left.found) == ("block", 2)
    both = verdict(plan(three, less, [], intents=keep, lifts=(one, one._replace(target="idp_groups/B"))), "protect")
    assert both.verdict == "allowed"


def test_where_nothing_is_weakened_the_protected_entries_are_counted():
    kept = verdict(plan(KEPT, {"A": "org_admin: X, Y"}, [], applied=PROTECTED), "protect")
    assert (kept.verdict, kept.actual) == ("pass", 1)
    assert verdict(plan(KEPT, {}, []), "protect").actual is None


def test_a_protected_entry_that_only_the_config_names_gets_an_end_without_weakening():
    ending = {"A": Intent(expires=date(2027, 1, 1), protect=True)}
    changed = {"A": "team_admin: X, Y, Z"}
    for applied, expected in (
        (Applied(expires=frozenset()), "pass"),
        (replace(PROTECTED, expires=None), "pass"),
        (replace(PROTECTED, expires=frozenset({"idp_groups/B"})), "block"),
    ):
        said = verdict(plan(KEPT, changed, [], applied=applied, intents=ending), "protect")
        assert (said.verdict, said.found) == (expected, int(expected == "block"))
