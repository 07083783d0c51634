"""Test the table in `docs/rules.md`: one org with default access and five groups, and twelve users."""

from __future__ import annotations

import pytest

from rolecall.access import compile_access, effective
from rolecall.model.directory import Person, Traits
from rolecall.model.live import Facts
from rolecall.model.policy import TeamRole
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Scim, Settings


def mapping(role: str, *teams: str) -> GroupMapping:
    return GroupMapping(role, frozenset(teams))


GROUPS = {
    "G1": mapping("team_admin", "Marketing"),
    "G2": mapping("member", "Marketing"),
    "G3": mapping("member", "Legal"),
    "G4": BLANK,
    "G5": mapping("org_admin", "IT"),
}
FACTS = Facts(teams=frozenset({"Marketing", "Legal", "IT", "Sales"}))
SALES, SALES_ADMIN = TeamRole("Sales", "member"), TeamRole("Sales", "team_admin")
LEGAL, LEGAL_ADMIN = TeamRole("Legal", "member"), TeamRole("Legal", "team_admin")
MARKETING, MARKETING_ADMIN = TeamRole("Marketing", "member"), TeamRole("Marketing", "team_admin")
IT_ORG_ADMIN = TeamRole("IT", "org_admin")

ROWS = {
    "no groups": ("", False, Traits(), {MARKETING}),
    "only a blank group": ("G4", False, Traits(), {MARKETING}),
    "one mapped group": ("G3", False, Traits(), {LEGAL}),
    "two roles in a team": ("G1 G2", False, Traits(), {MARKETING_ADMIN}),
    "mapped and blank": ("G3 G4", False, Traits(), {LEGAL}),
    "org admin by a group": ("G2 G5", False, Traits(), {MARKETING, IT_ORG_ADMIN}),
    "manual extra team": ("G3", True, Traits(manual=(SALES,)), {LEGAL, SALES}),
    "manual against a group": ("G3", True, Traits(manual=(LEGAL_ADMIN,)), {LEGAL}),
    "editing off": ("G3", False, Traits(manual=(SALES, LEGAL_ADMIN)), {LEGAL}),
    "inactive": ("G3", False, Traits(active=False), set()),
    "saml only": ("", False, Traits("saml"), {MARKETING}),
    "invited, then synced": ("G3", False, Traits("scim", manual=(SALES_ADMIN,)), {LEGAL}),
}


@pytest.mark.parametrize(("groups", "editing", "traits", "expected"), ROWS.values(), ids=ROWS)
def test_the_table(groups: str, editing: bool, traits: Traits, expected: set[TeamRole]) -> None:
    settings = Settings(
        defaults=Defaults("member", frozenset({"Marketing"})),
        scim=Scim(enabled=True, endpoint="new", manual_editing=editing),
        idp_groups=GROUPS,
    )
    access = effective(
        compile_access(settings, FACTS), Person("p@acme.com", groups=tuple(groups.split()), traits=traits)
    )
    assert access.pairs == expected
    assert access.org_admin == (IT_ORG_ADMIN in expected)
