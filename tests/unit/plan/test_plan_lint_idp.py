"""Test warnings about data that only an IdP has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rolecall.model.directory import IdpFacts
from rolecall.model.live import Coverage, Facts, Group, Live
from rolecall.model.settings import BLANK, Scim, Settings
from rolecall.plan.lint.sources import lint_idp

GROUPS = {"Admins": BLANK, "Legal": BLANK}
LIVE = Live(
    Settings(scim=Scim(True, "okta", "new", False), idp_groups=GROUPS),
    facts=Facts(groups={name: Group(f"id-{name}") for name in GROUPS}),
)
FINE = IdpFacts("okta", frozenset(GROUPS), frozenset({"All"}), frozenset())


def told(facts: IdpFacts, live: Live = LIVE) -> dict[str, str]:
    found = lint_idp(facts, live)
    assert all(problem.severity == "warning" for problem in found)
    return {problem.code: problem.message for problem in found}


def test_a_sound_app_is_not_spoken_of() -> None:
    assert told(FINE) == {}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"assigned": frozenset({"Legal"})}, "idp_assigned_and_pushed", "both assigned and pushed in Okta: `Legal`"),
        (
            {"unreached": frozenset({"Legal"})},
            "idp_unreached",
            "none of their users is assigned to the app (R30): `Legal`",
        ),
        ({"failing": (("Legal", "no such group"),)}, "idp_push_failed", "`Legal` failed: no such group"),
        ({"kind": "entra", "everybody": True}, "idp_scope", "the provisioning scope in Entra is all users and groups"),
        (
            {"kind": "entra", "roles_raw": True},
            "idp_role_mapping",
            "Entra maps `appRoleAssignments` without an expression",
        ),
        ({"role_sent": True}, "idp_role_attribute", "Okta still sends a role attribute"),
        ({"stopped": "the app is inactive"}, "idp_stopped", "Okta is not provisioning: the app is inactive"),
        ({"pushed": frozenset({*GROUPS, "New"})}, "idp_not_in_org", "do not exist in the org: `New`"),
        ({"pushed": frozenset({"Admins"})}, "idp_not_in_idp", "no longer pushes: `Legal`"),
    ],
)
def test_each_mistake_is_told_by_itself(more: dict, code: str, words: str) -> None:
    found = told(FINE._replace(**more))
    assert list(found) == [code]
    assert words in found[code]


def test_entra_assigns_what_it_sends() -> None:
    assert told(IdpFacts("entra", frozenset(GROUPS), frozenset(GROUPS))) == {}


@pytest.mark.parametrize("endpoint", ["legacy", "upgrading"])
def test_before_the_upgrade_is_complete_neither_roles_nor_names_are_compared(endpoint: str) -> None:
    live = replace(LIVE, settings=replace(LIVE.settings, scim=Scim(True, "okta", endpoint, False)))
    assert told(FINE._replace(role_sent=True, pushed=frozenset({"Else"})), live) == {}


def test_groups_that_were_not_read_whole_are_not_missed() -> None:
    live = replace(LIVE, coverage={"idp_groups": Coverage("partial")})
    assert told(FINE._replace(pushed=frozenset({"Else"})), live) == {}


def test_two_groups_of_one_name_are_both_there() -> None:
    groups = {"Legal [1]": BLANK, "Legal [2]": BLANK}
    facts = Facts(groups={"Legal [1]": Group("1"), "Legal [2]": Group("2")}, homonyms=frozenset({"Legal"}))
    live = Live(replace(LIVE.settings, idp_groups=groups), facts=facts)
    assert told(FINE._replace(pushed=frozenset({"Legal"})), live) == {}
