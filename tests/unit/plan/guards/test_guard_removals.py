"""Test deleted and unmapped entries, and unmapped groups that may have been renamed."""

from __future__ import annotations

from datetime import date

import pytest
from small_org import ask, config, live, plan, verdict, words

from rolecall.model.desired import Intent
from rolecall.model.policy import Allow, Band, Guards, Limit, Policy
from rolecall.model.settings import Domain
from rolecall.plan.make import make

TEN = {f"G{n}": "member: X" for n in range(10)}


def without(*names):
    return {name: said for name, said in TEN.items() if name not in names}


@pytest.mark.parametrize(("gone", "expected"), [(0, "pass"), (1, "pass"), (2, "review"), (3, "review"), (4, "block")])
def test_the_defaults_ask_above_1_and_refuse_above_30_percent(gone, expected):
    after = without(*(f"G{n}" for n in range(gone)))
    assert verdict(plan(TEN, after, []), "max_removals").verdict == expected


def test_what_is_said():
    said = verdict(plan(TEN, without("G0", "G1"), []), "max_removals")
    assert words(said) == [
        "2 entries of idp_groups would be unmapped; more than 1 requires approval",
        "Cause: `G0` and `G1`",
    ]
    assert (said.found, said.actual) == (2, 2)


def test_a_mapping_said_to_be_blank_goes_too():
    after = {**TEN, "G0": "", "G1": ""}
    assert verdict(plan(TEN, after, []), "max_removals").actual == 2


def test_a_rename_is_no_removal():
    intents = {"New": Intent(previously=("G0",))}
    made = plan({**TEN, "New": ""}, {**without("G0"), "New": "member: X"}, [], intents=intents)
    assert {change.action for change in made.changes} == {"create", "delete"}
    assert verdict(made, "max_removals").actual == 0


def test_domains_are_a_section_of_their_own():
    desired = config(TEN, Policy(manage={"domains": "authoritative"}), domains={"acme.de": Domain(True, "approval")})
    desired = desired._replace(policy=desired.policy._replace(guards=Guards(max_removals=Band(Limit(0), None))))
    said = verdict(make(ask(desired, live(TEN), [])), "max_removals")
    assert words(said) == ["1 entry of domains would be deleted; more than 0 requires approval", "Cause: `acme.com`"]
    assert (said.verdict, said.actual) == ("review", 1)


def test_it_is_lifted_by_number_and_by_target():
    for lift, expected in (
        (Allow("max_removals", None, 4, None, ""), "allowed"),
        (Allow("max_removals", None, 3, None, ""), "block"),
        (Allow("max_removals", "idp_groups/G0", 1, None, ""), "review"),
    ):
        made = plan(TEN, without("G0", "G1", "G2", "G3"), [], lifts=(lift,))
        assert verdict(made, "max_removals").verdict == expected


def test_an_unmap_while_a_listed_group_is_missing_may_be_a_rename():
    made = plan({"Old": "member: X", "B": "member: Y"}, {"New": "member: X", "B": "member: Y"}, [])
    said = verdict(made, "possible_rename")
    assert said.verdict == "review"
    assert "`Old` would be unmapped, and the IdP has not pushed `New`" in said.message
    assert any("previously" in way for way in said.ways)


def test_no_unmap_or_no_missing_group_is_no_rename():
    assert verdict(plan(TEN, without("G0"), []), "possible_rename").verdict == "pass"
    assert verdict(plan(TEN, {**TEN, "New": "member: X"}, []), "possible_rename").verdict == "pass"
    told = {"New": Intent(previously=("Old",))}
    made = plan({"Old": "member: X"}, {"New": "member: X"}, [], intents=told)
    assert verdict(made, "possible_rename").verdict == "pass"


def test_what_the_config_itself_makes_blank_or_lets_expire_was_not_renamed():
    ended = {"Old": Intent(expires=date(2026, 1, 1))}
    for after, intents in (({"Old": ""}, {}), ({"Old": "member: X"}, ended)):
        made = plan({"Old": "member: X"}, {**after, "New": "member: X"}, [], intents=intents)
        assert [change.action for change in made.changes] == ["delete", "create"]
        assert verdict(made, "possible_rename").verdict == "pass"
