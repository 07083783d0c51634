"""Why somebody has a role, and what would give one they have not."""

from __future__ import annotations

from small_org import config, live, person

from rolecall.access.rules import compile_access
from rolecall.model.policy import Combo
from rolecall.model.settings import Scim
from rolecall.plan.why import persona, why, why_not

GROUPS = {"Mkt": "member: Marketing", "Lead": "team_admin: Marketing", "IT": "org_admin: IT", "Blank": ""}
DESIRED = config(GROUPS)


def rules(**more):
    org = live(GROUPS, **more)
    return compile_access(org.settings, org.facts)


def test_each_combo_with_its_winner_what_it_beat_the_place_and_the_value():
    told = why(rules(), person("ann", "Mkt", "Lead"), DESIRED)
    (row,) = told.held
    assert row.combo == Combo("Marketing", "team_admin")
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
    assert told.held[0].winner.address == "defaults"
    assert told.held[0].winner.value == {"role": "member", "teams": ["Everyone"]}
    assert told.held[0].winner.where is None


def test_a_persona_need_not_exist():
    assert why(rules(), persona(["IT"]), DESIRED).org_admin


def test_why_not_names_each_way():
    told = why_not(rules(), person("ann", "Mkt"), "org_admin", DESIRED)
    assert told.has == ()
    ways = {(option.way, option.address) for option in told.options}
    assert ways == {("join_group", "idp_groups/IT"), ("map_group", "idp_groups/Mkt"), ("edit_by_hand", "scim")}
    joining = next(option for option in told.options if option.way == "join_group")
    assert joining.gives == Combo("IT", "org_admin")
    assert joining.sentence == "Put them into `IT` in the IdP: it gives org_admin on IT (R8)."
    assert joining.where.line == 12


def test_whoever_has_it_already_is_told_by_what():
    told = why_not(rules(), person("ann", "IT"), "org_admin", DESIRED)
    assert [row.winner.source for row in told.has] == ["group:IT"]
    assert told.options == ()
    assert why_not(rules(), person("lee", "Lead"), "member", DESIRED).has


def test_manual_editing_decides_whether_a_hand_helps():
    on = why_not(rules(scim=Scim(True, "okta", "new", True)), person("ann"), "team_admin")
    by_hand = next(option for option in on.options if option.way == "edit_by_hand")
    assert "on a team that no group of theirs gives" in by_hand.sentence
    off = why_not(rules(), person("ann"), "team_admin")
    assert "would not count" in next(option for option in off.options if option.way == "edit_by_hand").sentence
    assert any(option.way == "change_default" for option in off.options)


def test_nothing_helps_whoever_is_not_active():
    told = why_not(rules(), person("ann", "IT", active=False), "org_admin")
    assert [option.way for option in told.options] == ["activate"]


def test_on_the_legacy_endpoint_the_attribute_is_a_way():
    legacy = rules(scim=Scim(True, "okta", "legacy", False))
    told = why_not(legacy, person("ann", "Mkt"), "org_admin")
    assert any(option.way == "role_attribute" for option in told.options)
    assert not any(option.way == "map_group" for option in told.options)


def test_people_who_did_not_come_by_scim_are_edited_or_promoted():
    told = why_not(rules(), person("sam", origin="saml"), "org_admin")
    assert [option.way for option in told.options] == ["edit_by_hand"]
    assert "Promote" in told.options[0].sentence
