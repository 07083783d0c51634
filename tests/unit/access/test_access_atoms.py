"""Test access as bits."""

from __future__ import annotations

from itertools import combinations

import pytest
from access_examples import team_roles

from rolecall.access.entitlements import BY_DEFAULT, ORG, Entitlements, rank
from rolecall.model.policy import TeamRole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Legal member",
        "Legal team_admin, Sales member",
        "IT org_admin, Legal member",
        "Legal editor",
        "Legal editor, Legal member, Legal viewer",
        "IT org_admin, Legal org_admin",
    ],
)
def test_a_mask_stands_for_the_combos_it_was_made_of(text: str) -> None:
    entitlements = Entitlements()
    entitlements.union(team_roles("Other member, Other editor"))
    assert entitlements.team_roles(entitlements.union(team_roles(text))) == team_roles(text)


def test_the_union_of_two_roles_in_a_team_is_the_higher() -> None:
    entitlements = Entitlements()
    for low, high in combinations(["member", "team_admin", "org_admin"], 2):
        assert entitlements.team_roles(entitlements.union((TeamRole("IT", low), TeamRole("IT", high)))) == (
            TeamRole("IT", high),
        )


def test_a_higher_role_holds_the_lower_ones_of_its_team() -> None:
    entitlements = Entitlements()
    member, team_admin, org_admin = (
        entitlements.mask(TeamRole("IT", role)) for role in ("member", "team_admin", "org_admin")
    )
    assert member & team_admin == member
    assert team_admin & org_admin == team_admin
    assert org_admin & ORG
    assert not team_admin & ORG


def test_a_role_without_a_rank_holds_no_other() -> None:
    entitlements = Entitlements()
    editor, member = entitlements.mask(TeamRole("IT", "editor")), entitlements.mask(TeamRole("IT", "member"))
    assert not entitlements.access_bits(editor) & entitlements.access_bits(member)
    assert entitlements.mask(TeamRole("Legal", "editor")) & editor == 0


def test_where_org_admin_was_given_is_no_access_of_its_own() -> None:
    entitlements = Entitlements()
    one = entitlements.union(team_roles("IT org_admin, Legal team_admin"))
    other = entitlements.union(team_roles("IT team_admin, Legal org_admin"))
    assert one != other
    assert entitlements.access_bits(one) == entitlements.access_bits(other)


def test_the_mark_of_the_default_is_no_access() -> None:
    entitlements = Entitlements()
    mask = entitlements.union(team_roles("IT member"))
    assert entitlements.access_bits(mask | BY_DEFAULT) == entitlements.access_bits(mask)
    assert entitlements.team_roles(mask | BY_DEFAULT) == team_roles("IT member")


def test_above_member_are_team_admin_org_admin_and_roles_without_a_rank() -> None:
    entitlements = Entitlements()
    assert entitlements.above_member(entitlements.union(team_roles("IT member, Legal member"))) == 0
    assert list(
        entitlements.each(
            entitlements.above_member(entitlements.union(team_roles("IT org_admin, Legal editor, Sales team_admin")))
        )
    ) == [
        TeamRole("", "org_admin"),
        TeamRole("IT", "team_admin"),
        TeamRole("Legal", "editor"),
        TeamRole("Sales", "team_admin"),
    ]


def test_each_names_every_atom_once() -> None:
    entitlements = Entitlements()
    mask = entitlements.union(team_roles("IT team_admin, Legal member"))
    assert list(entitlements.each(mask)) == list(team_roles("IT member, IT team_admin, Legal member"))


def test_as_org_admin_raises_every_team_held_and_nothing_else() -> None:
    entitlements = Entitlements()
    entitlements.mask(TeamRole("Sales", "member"))
    raised = entitlements.as_org_admin(entitlements.union(team_roles("IT member, Legal member")))
    assert entitlements.team_roles(raised) == team_roles("IT org_admin, Legal org_admin")
    assert raised & ORG
    assert entitlements.as_org_admin(0) == 0


def test_teams_met_later_do_not_change_earlier_masks() -> None:
    entitlements = Entitlements()
    before = entitlements.mask(TeamRole("IT", "team_admin"))
    for number in range(50):
        entitlements.mask(TeamRole(f"Team {number}", "editor"))
    assert entitlements.mask(TeamRole("IT", "team_admin")) == before
    assert entitlements.team_roles(before) == team_roles("IT team_admin")


def test_ranks() -> None:
    assert [rank(role) for role in ("editor", "member", "team_admin", "org_admin")] == [0, 1, 2, 3]
