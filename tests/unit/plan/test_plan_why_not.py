"""Test what would give a user a role."""

from __future__ import annotations

import pytest
from small_org import config, live, person

from rolecall.access.rules import compile_access
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Scim
from rolecall.plan.explain.why import why_not

GROUPS = {"Mkt": "member: Marketing", "Lead": "team_admin: Marketing", "IT": "org_admin: IT", "Blank": ""}
DESIRED = config(GROUPS)


def rules(**more):
    org = live(GROUPS, **more)
    return compile_access(org.settings, org.facts)


def test_why_not_names_each_way():
    told = why_not(rules(), person("ann", "Mkt"), "org_admin", DESIRED)
    assert told.has == ()
    ways = {(option.way, option.address) for option in told.options}
    assert ways == {("join_group", "idp_groups/IT"), ("map_group", "idp_groups/Mkt"), ("edit_by_hand", "scim")}
    joining = next(option for option in told.options if option.way == "join_group")
    assert joining.gives == TeamRole("IT", "org_admin")
    assert joining.sentence == "Add the user to `IT` in the IdP: it gives org_admin on IT (R8)."
    assert joining.where.line == 12


def test_whoever_has_it_already_is_told_by_what():
    told = why_not(rules(), person("ann", "IT"), "org_admin", DESIRED)
    assert [row.winner.source for row in told.has] == ["group:IT"]
    assert told.options == ()
    assert why_not(rules(), person("lee", "Lead"), "member", DESIRED).has


def test_manual_editing_decides_whether_a_hand_helps():
    on = why_not(rules(scim=Scim(True, "okta", "new", True)), person("ann"), "team_admin")
    by_hand = next(option for option in on.options if option.way == "edit_by_hand")
    assert "on a team that none of their groups gives" in by_hand.sentence
    off = why_not(rules(), person("ann"), "team_admin")
    assert "Turn on manual editing" in next(option for option in off.options if option.way == "edit_by_hand").sentence
    assert any(option.way == "change_default" for option in off.options)


@pytest.mark.parametrize(
    ("who", "helps"),
    [
        (person("ann"), True),
        (person("ann", "Mkt"), False),
        (person("ann", "Follows"), True),
        (person("sam", origin="saml"), True),
    ],
)
def test_another_default_helps_whoever_has_the_default_or_follows_it(who, helps):
    org = live({**GROUPS, "Follows": ": Sales"})
    told = why_not(compile_access(org.settings, org.facts), who, "team_admin")
    assert any(option.way == "change_default" for option in told.options) is helps


def test_a_hand_needs_a_team_that_no_group_gives():
    few = rules(teams=frozenset({"Marketing"}))
    ways = {
        role: [option.way for option in why_not(few, person("ann", "Mkt"), role).options]
        for role in ("editor", "org_admin")
    }
    assert ways == {"editor": ["map_group"], "org_admin": ["map_group", "edit_by_hand"]}


def test_while_scim_is_off_only_switching_it_on_moves_anybody():
    off = why_not(rules(scim=Scim(False, "okta", "new", True)), person("ann", "Mkt"), "org_admin")
    assert [option.way for option in off.options] == ["scim_on"]
    other = why_not(rules(scim=Scim(False, "okta", "new", True)), person("sam", origin="saml"), "org_admin")
    assert [option.way for option in other.options] == ["edit_by_hand"]


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
    assert "Make the user org_admin" in told.options[0].sentence


@pytest.mark.parametrize(
    ("who", "endpoint", "role", "ways"),
    [
        (person("ann"), "new", "team_admin", {"join_group", "change_default", "edit_by_hand"}),
        (person("ann"), "legacy", "team_admin", {"role_attribute", "edit_by_hand"}),
        (person("sam", origin="saml"), "legacy", "team_admin", {"change_default", "edit_by_hand"}),
        (person("sam", origin="saml"), "new", "org_admin", {"edit_by_hand"}),
        (person("ann", "Mkt"), "new", "team_admin", {"join_group", "map_group", "edit_by_hand"}),
        (person("ann"), "new", "editor", {"edit_by_hand"}),
    ],
)
def test_which_ways_there_are_by_origin_endpoint_and_role(who, endpoint, role, ways):
    told = why_not(rules(scim=Scim(True, "okta", endpoint, False)), who, role)
    assert {option.way for option in told.options} == ways
    assert all(option.sentence.endswith(".") for option in told.options)
