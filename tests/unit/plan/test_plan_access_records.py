"""Test access records: who has more than the role member, by which mapping, and how many have no access."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from small_org import config, crowd, live, many, person

from rolecall.model.live import UNREAD, Coverage
from rolecall.model.settings import UNSET, Defaults, Scim
from rolecall.model.sighting import Holding
from rolecall.plan.explain.access_records import record_access

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
GROUPS = {
    "Mkt": "member: Marketing",
    "Lead": "team_admin: Marketing, Legal",
    "IT": "org_admin: IT",
    "Ed": "editor: Legal",
}
PEOPLE = [
    person("ann", "IT", "Lead"),
    person("bo", "Lead", "Mkt"),
    person("cy", "Mkt"),
    person("di"),
    person("ed", "Ed"),
    person("eve", "Lead", active=False),
    person("flo", "Mkt", manual="team_admin: Sales"),
    person("gus", origin="saml"),
]


def recorded(people=PEOPLE, desired=config(GROUPS), **more):
    return record_access(live(GROUPS, **more), crowd(people), desired, AT)


def test_everyone_above_member_is_recorded_with_reasons_mapping_and_place():
    record = recorded(scim=Scim(True, "okta", "new", True))
    assert record.sighting.holdings == (
        Holding("ann@acme.com", "u-ann", "org_admin", "IT", ("group:IT",), "idp_groups/IT", "rolecall.yaml:12"),
        Holding("ann@acme.com", "u-ann", "team_admin", "Legal", ("group:Lead",), "idp_groups/Lead", "rolecall.yaml:11"),
        Holding(
            "ann@acme.com", "u-ann", "team_admin", "Marketing", ("group:Lead",), "idp_groups/Lead", "rolecall.yaml:11"
        ),
        Holding("bo@acme.com", "u-bo", "team_admin", "Legal", ("group:Lead",), "idp_groups/Lead", "rolecall.yaml:11"),
        Holding(
            "bo@acme.com",
            "u-bo",
            "team_admin",
            "Marketing",
            ("group:Lead", "group:Mkt"),
            "idp_groups/Lead",
            "rolecall.yaml:11",
        ),
        Holding("ed@acme.com", "u-ed", "editor", "Legal", ("group:Ed",), "idp_groups/Ed", "rolecall.yaml:13"),
        Holding("flo@acme.com", "u-flo", "team_admin", "Sales", ("manual",)),
    )
    assert record.org_admins == 1
    assert record.without_access == 0
    assert (record.sighting.at, record.sighting.complete) == (AT, True)
    assert record.sighting.roles == {"editor": 1, "member": 4, "org_admin": 1, "team_admin": 3}
    assert record.sighting.teams == {"Everyone": 2, "IT": 1, "Legal": 3, "Marketing": 4, "Sales": 1}


def test_a_mapping_that_the_config_does_not_have_has_no_place():
    record = recorded([person("ann", "IT")], config({"Mkt": GROUPS["Mkt"]}))
    assert record.sighting.holdings[0][5:] == ("idp_groups/IT", None)


def test_active_users_without_access_are_counted_apart_from_those_who_left():
    people = [*many(3, "Mkt"), person("di"), person("off", "IT", active=False)]
    record = recorded(people, defaults=Defaults("member", frozenset()))
    assert (record.without_access, record.org_admins) == (1, 0)


@pytest.mark.parametrize("case", ["users", "rules", "group"])
def test_a_record_is_incomplete_where_users_rules_or_a_mapped_group_were_not_read(case):
    org, directory = live(GROUPS), crowd(PEOPLE)
    if case == "users":
        directory = replace(directory, coverage=Coverage("partial", 8, 20))
    elif case == "rules":
        org = replace(org, settings=replace(org.settings, defaults=UNSET), coverage={"defaults": UNREAD})
    else:
        directory = replace(directory, gaps=directory.gaps._replace(missing={"Lead": 3}))
    assert not record_access(org, directory, config(GROUPS), AT).sighting.complete
    assert record_access(live(GROUPS), crowd(PEOPLE), config(GROUPS), AT).sighting.complete
