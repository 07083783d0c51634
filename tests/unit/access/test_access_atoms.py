"""Access as bits."""

from __future__ import annotations

from itertools import combinations

import pytest
from access_examples import combos

from rolecall.access.atoms import BY_DEFAULT, ORG, Atoms, rank
from rolecall.model.policy import Combo


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
    atoms = Atoms()
    atoms.union(combos("Other member, Other editor"))
    assert atoms.combos(atoms.union(combos(text))) == combos(text)


def test_the_union_of_two_roles_in_a_team_is_the_higher() -> None:
    atoms = Atoms()
    for low, high in combinations(["member", "team_admin", "org_admin"], 2):
        assert atoms.combos(atoms.union((Combo("IT", low), Combo("IT", high)))) == (Combo("IT", high),)


def test_a_higher_role_holds_the_lower_ones_of_its_team() -> None:
    atoms = Atoms()
    member, team_admin, org_admin = (atoms.mask(Combo("IT", role)) for role in ("member", "team_admin", "org_admin"))
    assert member & team_admin == member
    assert team_admin & org_admin == team_admin
    assert org_admin & ORG
    assert not team_admin & ORG


def test_a_role_without_a_rank_holds_no_other() -> None:
    atoms = Atoms()
    editor, member = atoms.mask(Combo("IT", "editor")), atoms.mask(Combo("IT", "member"))
    assert not atoms.atoms(editor) & atoms.atoms(member)
    assert atoms.mask(Combo("Legal", "editor")) & editor == 0


def test_where_org_admin_was_given_is_no_access_of_its_own() -> None:
    atoms = Atoms()
    one = atoms.union(combos("IT org_admin, Legal team_admin"))
    other = atoms.union(combos("IT team_admin, Legal org_admin"))
    assert one != other
    assert atoms.atoms(one) == atoms.atoms(other)


def test_the_mark_of_the_default_is_no_access() -> None:
    atoms = Atoms()
    mask = atoms.union(combos("IT member"))
    assert atoms.atoms(mask | BY_DEFAULT) == atoms.atoms(mask)
    assert atoms.combos(mask | BY_DEFAULT) == combos("IT member")


def test_above_member_are_team_admin_org_admin_and_roles_without_a_rank() -> None:
    atoms = Atoms()
    assert atoms.above_member(atoms.union(combos("IT member, Legal member"))) == 0
    assert list(
        atoms.each(atoms.above_member(atoms.union(combos("IT org_admin, Legal editor, Sales team_admin"))))
    ) == [
        Combo("", "org_admin"),
        Combo("IT", "team_admin"),
        Combo("Legal", "editor"),
        Combo("Sales", "team_admin"),
    ]


def test_each_names_every_atom_once() -> None:
    atoms = Atoms()
    mask = atoms.union(combos("IT team_admin, Legal member"))
    assert list(atoms.each(mask)) == list(combos("IT member, IT team_admin, Legal member"))


def test_as_org_admin_raises_every_team_held_and_nothing_else() -> None:
    atoms = Atoms()
    atoms.mask(Combo("Sales", "member"))
    raised = atoms.as_org_admin(atoms.union(combos("IT member, Legal member")))
    assert atoms.combos(raised) == combos("IT org_admin, Legal org_admin")
    assert raised & ORG
    assert atoms.as_org_admin(0) == 0


def test_teams_met_later_do_not_change_earlier_masks() -> None:
    atoms = Atoms()
    before = atoms.mask(Combo("IT", "team_admin"))
    for number in range(50):
        atoms.mask(Combo(f"Team {number}", "editor"))
    assert atoms.mask(Combo("IT", "team_admin")) == before
    assert atoms.combos(before) == combos("IT team_admin")


def test_ranks() -> None:
    assert [rank(role) for role in ("editor", "member", "team_admin", "org_admin")] == [0, 1, 2, 3]
