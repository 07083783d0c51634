"""Test gain, lose, change, escalation and losing."""

from __future__ import annotations

import pytest
from access_examples import team_roles

from rolecall.access.entitlements import BY_DEFAULT, Entitlements
from rolecall.access.shift import escalates, is_org_admin, kind, loses, to_default, to_nothing


def masks(before: str, after: str) -> tuple[Entitlements, int, int]:
    entitlements = Entitlements()
    return entitlements, entitlements.union(team_roles(before)), entitlements.union(team_roles(after))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "IT member", "gain"),
        ("IT member", "IT team_admin", "gain"),
        ("IT member", "IT member, Legal editor", "gain"),
        ("IT team_admin", "IT member", "lose"),
        ("IT org_admin", "IT team_admin", "lose"),
        ("IT member, Legal member", "IT member", "lose"),
        ("IT member", "", "lose"),
        ("IT member", "Legal member", "change"),
        ("IT editor", "IT member", "change"),
        ("IT org_admin, Legal team_admin", "IT team_admin, Legal org_admin", "change"),
        ("IT member", "IT member", None),
    ],
)
def test_kinds(before: str, after: str, expected: str | None) -> None:
    assert kind(*masks(before, after)) == expected


def test_the_same_combos_by_the_default_instead_of_a_group_are_no_shift() -> None:
    entitlements, mask, _ = masks("IT member", "")
    assert kind(entitlements, mask, mask | BY_DEFAULT) is None


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("IT member", "IT team_admin", False),
        ("IT member", "Legal team_admin", True),
        ("IT org_admin", "IT team_admin", True),
        ("IT org_admin, Legal team_admin", "IT team_admin, Legal org_admin", False),
    ],
)
def test_losing_is_having_had_something_that_is_gone(before: str, after: str, expected: bool) -> None:
    assert loses(*masks(before, after)) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "IT member", ""),
        ("IT member", "IT team_admin", "IT team_admin"),
        ("IT member", "IT org_admin, Legal member", "IT org_admin"),
        ("IT team_admin", "IT org_admin", "IT org_admin"),
        ("IT team_admin", "Legal member, IT team_admin", ""),
        ("IT member", "IT editor, IT member", "IT editor"),
        ("IT org_admin", "IT team_admin", ""),
        ("IT org_admin", "Legal team_admin", "Legal team_admin"),
    ],
)
def test_an_escalation_is_something_new_above_member(before: str, after: str, expected: str) -> None:
    assert escalates(*masks(before, after)) == team_roles(expected)


def test_to_the_default_only() -> None:
    _, group, default = masks("IT member", "Everyone member")
    assert to_default(group, default | BY_DEFAULT)
    assert not to_default(default | BY_DEFAULT, default | BY_DEFAULT)
    assert not to_default(group, default)


def test_to_nothing() -> None:
    entitlements, had, _ = masks("IT member", "")
    assert to_nothing(entitlements, had, 0)
    assert not to_nothing(entitlements, 0, 0)
    assert not to_nothing(entitlements, had, had)


def test_org_admin() -> None:
    _, admin, member = masks("IT org_admin", "IT member")
    assert is_org_admin(admin)
    assert not is_org_admin(member)
