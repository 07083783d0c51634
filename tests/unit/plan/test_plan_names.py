"""Test suggestions of similar names for unknown addresses and users."""

from __future__ import annotations

from dataclasses import replace

import orgs
import pytest
from small_org import config, crowd, live, person

from rolecall.errors import Where
from rolecall.model.desired import Applied, Intent
from rolecall.model.live import UNREAD
from rolecall.model.policy import AccessTest, Policy
from rolecall.model.settings import GroupMapping, Settings
from rolecall.plan.guards.named_users import absent_users
from rolecall.plan.lint.names import flag_problems, known_addresses, near_words, unmatched_names

ORG = live({"More": "member: X", "Legal": ""})
CONFIG = config({"New": "member: X"}, intents={"New": Intent(previously=("Old",))})
APPLIED = Applied(Settings(idp_groups={"Gone": GroupMapping()}), group_ids={"Remembered": "g9"})


def told(*patterns, globs=True, org=ORG):
    known = known_addresses(CONFIG, org, APPLIED)
    return [(problem.severity, problem.hint) for problem in flag_problems("--target", patterns, known, globs=globs)]


@pytest.mark.parametrize(
    "pattern",
    ["idp_groups/More", "idp_groups/New", "idp_groups/Old", "idp_groups/Gone", "idp_groups/Remembered", "idp_groups/L*",
     "sso", "scim", "domains/acme.com", "*"],
)  # fmt: skip
def test_what_config_org_or_last_apply_has_is_known(pattern):
    assert told(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("idp_groups/Mroe", "did you mean `idp_groups/More`?"),
        ("idp_group/More", "did you mean `idp_groups/More`?"),
        ("More", "did you mean `idp_groups/More`?"),
        ("more", "did you mean `idp_groups/More`?"),
        ("idp_groups", "for all entries, use `idp_groups/*`"),
        ("domains/", "for all entries, use `domains/*`"),
        ("nope", "an address is `idp_groups/NAME`, `domains/NAME` or a section such as `sso`"),
    ],
)
def test_the_nearest_are_named(pattern, hint):
    assert told(pattern) == [("error", hint)]
    assert near_words(pattern, ["idp_groups/More"]) == hint


def test_a_glob_that_leaves_nothing_out_is_a_warning():
    assert told("idp_groups/Z*", globs=False)[0][0] == "warning"
    assert told("idp_groups/Z", globs=False)[0][0] == "error"


def test_of_a_section_that_was_not_read_nothing_is_sure():
    unread = replace(ORG, coverage={"idp_groups": UNREAD})
    assert told("idp_groups/Zeta", org=unread)[0][0] == "warning"
    assert unmatched_names(CONFIG, unread, APPLIED, orgs.TODAY) == []


PEOPLE = crowd([person("ann"), person("bob"), person("ed", active=False)])


@pytest.mark.parametrize(
    ("email", "why", "near"),
    [
        ("ANN@acme.com", None, None),
        ("anne@acme.com", "misspelt", "ann@acme.com"),
        ("ann@acme.co", "misspelt", "ann@acme.com"),
        ("ed@acme.com", "inactive", None),
        ("zoe@acme.com", "gone", None),
        ("zoe@other.org", "gone", None),
    ],
)
def test_why_a_user_is_absent(email, why, near):
    found = absent_users([email], PEOPLE, sees_invited=True)
    assert [(row.why, row.near) for row in found] == ([(why, near)] if why else [])


def test_who_is_not_seen_may_have_been_invited():
    assert [row.why for row in absent_users(["zoe@acme.com"], PEOPLE, sees_invited=False)] == ["unseen"]


def test_a_group_of_an_access_test_that_is_none_is_named_at_the_test_with_a_near_match():
    place = Where("rolecall.yaml", 60, 5)
    tests = (
        AccessTest("t", groups=("New", "Mor", "Mor"), source=place),
        AccessTest("u", role="org_admin", granted_by_only=("Nowhere", "Legal"), source=place),
    )
    desired = config({"New": "member: X"}, Policy(access_tests=tests))
    near, far = unmatched_names(desired, ORG, APPLIED, orgs.TODAY)
    for problem, group in ((near, "Mor"), (far, "Nowhere")):
        assert (problem.code, problem.severity, problem.where) == ("no_such_group", "warning", place)
        assert f"`{group}`" in problem.message
    assert "`More`" in near.hint
    assert far.hint
    assert "`" not in far.hint
