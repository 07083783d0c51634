"""Test every source of a user's access, with the rule by which it counts or does not."""

from __future__ import annotations

from typing import Any

import pytest
from access_examples import access, person, settings
from hypothesis import given
from hypothesis import strategies as st

from rolecall.access.entitlements import Entitlements
from rolecall.model.policy import TeamRole

GROUPS = {
    "G": "member Legal",
    "H": "team_admin Legal IT",
    "A": "org_admin IT",
    "B": "",
    "N": "- Sales",
    "C": "editor Legal",
    "X": "member Closed",
}
CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str], list[str]]] = [
    ("default", {}, {}, {"Everyone member": "default member R7"}, []),
    (
        "two groups",
        {},
        {"groups": "G H B"},
        {"IT team_admin": "group:H team_admin R8", "Legal team_admin": "group:H team_admin R8 | group:G member R8"},
        ["group:B R10", "default R8 Everyone member"],
    ),
    (
        "edit in a new team",
        {"editing": True},
        {"groups": "G", "manual": "Sales team_admin"},
        {"Legal member": "group:G member R8", "Sales team_admin": "manual team_admin R15"},
        ["default R8 Everyone member"],
    ),
    (
        "edit below",
        {"editing": True},
        {"groups": "H", "manual": "Legal member, Closed member"},
        {"IT team_admin": "group:H team_admin R8", "Legal team_admin": "group:H team_admin R8"},
        ["default R8 Everyone member", "manual R25 Closed member", "manual R15 Legal member"],
    ),
    (
        "edits off",
        {},
        {"groups": "G", "manual": "Sales team_admin"},
        {"Legal member": "group:G member R8"},
        ["default R8 Everyone member", "manual R14 Sales team_admin"],
    ),
    (
        "edit on default",
        {"editing": True},
        {"manual": "Everyone team_admin"},
        {"Everyone team_admin": "manual team_admin R16"},
        ["default R16 Everyone member"],
    ),
    (
        "edit beside default",
        {"editing": True},
        {"manual": "Sales member"},
        {"Everyone member": "default member R7", "Sales member": "manual member R16"},
        [],
    ),
    (
        "legacy attr",
        {"endpoint": "legacy"},
        {"groups": "N", "role_attribute": "admin"},
        {
            "Everyone org_admin": "attribute org_admin R18 | default member R18",
            "Sales org_admin": "attribute org_admin R18 | group:N member R18",
        },
        [],
    ),
    (
        "legacy attr unknown",
        {"endpoint": "legacy"},
        {"groups": "N", "role_attribute": "boss"},
        {"Everyone member": "default member R18", "Sales member": "group:N member R18"},
        ["attribute R18"],
    ),
    (
        "legacy edits",
        {"endpoint": "legacy", "editing": True},
        {"groups": "N", "manual": "IT team_admin"},
        {
            "Everyone member": "default member R18",
            "IT team_admin": "manual team_admin R15",
            "Sales member": "group:N member R18",
        },
        [],
    ),
    (
        "new attr",
        {},
        {"groups": "G", "role_attribute": "admin"},
        {"Legal member": "group:G member R8"},
        ["default R8 Everyone member", "attribute R19"],
    ),
    (
        "custom",
        {},
        {"groups": "C G"},
        {"Legal editor": "group:C editor R8", "Legal member": "group:G member R8"},
        ["default R8 Everyone member"],
    ),
    ("inactive", {}, {"groups": "G", "active": False}, {}, ["person R23"]),
    ("pending", {}, {"groups": "G", "pending": True}, {}, ["person R26"]),
    (
        "org admin",
        {},
        {"groups": "A H"},
        {"IT org_admin": "group:A org_admin R8 | group:H team_admin R8", "Legal team_admin": "group:H team_admin R8"},
        ["default R8 Everyone member"],
    ),
    (
        "no role of its own",
        {"default": "team_admin Everyone"},
        {"groups": "N"},
        {"Sales team_admin": "group:N team_admin R8"},
        ["default R8 Everyone team_admin"],
    ),
    ("gone team", {}, {"groups": "X"}, {"Everyone member": "default member R7"}, ["group:X R25"]),
    (
        "scim off",
        {"enabled": False},
        {"groups": "G"},
        {"Legal member": "group:G member R8"},
        ["default R8 Everyone member"],
    ),
]


@pytest.mark.parametrize(("org", "who", "sources", "silent"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_each_source_counts_by_its_rule(org: Any, who: Any, sources: dict[str, str], silent: list[str]) -> None:
    found = access(settings(GROUPS, **org), person(**who))
    assert {
        f"{granted.team} {granted.role}": " | ".join(" ".join(reason) for reason in granted.reasons)
        for granted in found.team_roles
    } == sources
    assert [
        f"{entry.source} {entry.rule} {' '.join(entry.team_role or ())}".strip() for entry in found.silent
    ] == silent


ROLES = st.sampled_from(["member", "team_admin", "org_admin", "editor", "viewer"])
TEAM_ROLES = st.lists(st.builds(TeamRole, st.sampled_from(["A", "B", "C"]), ROLES), max_size=6)


@given(TEAM_ROLES)
def test_the_roles_of_a_mask_are_those_of_its_team_roles(team_roles: list[TeamRole]) -> None:
    entitlements = Entitlements()
    mask = entitlements.union(team_roles)
    assert entitlements.roles(mask) == {team_role.role for team_role in entitlements.team_roles(mask)}
