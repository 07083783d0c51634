"""Entries that must not be weakened, by the config or by what was applied last."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from small_org import plan, verdict, words

from rolecall.model.desired import Applied, Intent
from rolecall.model.policy import Policy

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
