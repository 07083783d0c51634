"""Test why a user has a role."""

from __future__ import annotations

from small_org import config, live, person

from rolecall.access.rules import compile_access
from rolecall.model.desired import Applied
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Defaults
from rolecall.plan.diff.identity import identify
from rolecall.plan.explain.why import persona, why

GROUPS = {"Mkt": "member: Marketing", "Lead": "team_admin: Marketing", "IT": "org_admin: IT", "Blank": ""}
DESIRED = config(GROUPS)


def rules(**more):
    org = live(GROUPS, **more)
    return compile_access(org.settings, org.facts)


def test_each_combo_with_its_winner_what_it_beat_the_place_and_the_value():
    told = why(rules(), person("ann", "Mkt", "Lead"), DESIRED)
    (row,) = told.granted
    assert row.team_role == TeamRole("Marketing", "team_admin")
    assert (row.winner.source, row.winner.rule, row.winner.address) == ("group:Lead", "R8", "idp_groups/Lead")
    assert (row.winner.where.file, row.winner.where.line) == ("rolecall.yaml", 11)
    assert row.winner.value == {"role": "team_admin", "teams": ["Marketing"]}
    assert [(other.source, other.role) for other in row.others] == [("group:Mkt", "member")]
    assert not told.org_admin


def test_what_could_have_given_something_and_did_not():
    told = why(rules(), person("ann", "Mkt", "Blank", manual="member: Sales"), DESIRED)
    silent = {(row.source, row.rule) for row in told.silent}
    assert {("group:Blank", "R10"), ("default", "R8"), ("manual", "R14")} <= silent
    manual = next(row for row in told.silent if row.source == "manual")
    assert (manual.address, manual.team, manual.role) == ("scim", "Sales", "member")


def test_the_default_is_a_setting_too():
    told = why(rules(), person("ann", "Blank"), DESIRED)
    assert told.granted[0].winner.address == "defaults"
    assert told.granted[0].winner.value == {"role": "member", "teams": ["Everyone"]}
    assert told.granted[0].winner.where is None


def test_a_line_that_asks_for_something_else_is_marked_as_not_applied():
    wanted = config({**GROUPS, "Mkt": "member: Brand", "Lead": ""}, defaults=Defaults("team_admin"))
    told = why(rules(), person("ann", "Mkt", "Lead"), wanted)
    causes = {cause.source: cause for cause in (told.granted[0].winner, *told.granted[0].others, *told.silent)}
    assert [(causes[name].applied, causes[name].asked) for name in ("group:Lead", "group:Mkt", "default")] == [
        (False, "blank"),
        (False, {"role": "member", "teams": ["Brand"]}),
        (False, {"role": "team_admin"}),
    ]
    same = why(rules(), person("ann", "Mkt"), DESIRED).granted[0].winner
    assert (same.applied, same.asked) == (True, None)
    assert why(rules(), person("ann", "Mkt")).granted[0].winner.applied is None


def test_a_group_that_has_another_name_in_the_org_has_its_line():
    org = live({"Mkt": "member: Marketing"})
    known = {"Mkt-old": org.facts.groups["Mkt"].id}
    former = identify(config({"Mkt-old": "member: Marketing"}), org, Applied(group_ids=known)).desired
    winner = why(rules(), person("ann", "Mkt"), former).granted[0].winner
    assert (winner.where.line, winner.applied) == (10, True)


def test_a_persona_need_not_exist():
    assert why(rules(), persona(["IT"]), DESIRED).org_admin
