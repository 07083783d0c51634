"""Test how many groups have been pushed again while the endpoint is upgraded (R20)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, live, many, mappings

from rolecall.model.desired import Intent
from rolecall.model.settings import Scim
from rolecall.plan.make import make
from rolecall.plan.value import UpgradeImpact

UPGRADING = Scim(True, "okta", "upgrading", False)
TEAM = frozenset({"X"})


def upgrade(pushed, links, wanted, **more) -> UpgradeImpact:
    org = live(dict.fromkeys(pushed, ""), scim=UPGRADING, legacy_links=dict.fromkeys(links, TEAM), **more)
    intents = {"Old": Intent(id="id-A")} if "Old" in wanted else {}
    desired = config(dict.fromkeys(wanted, "member: X"), scim=Scim(endpoint="new"), intents=intents)
    found = make(ask(desired, org, many(2, *pushed))).impact.upgrade
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("pushed", "links", "wanted", "counts"),
    [
        (["A", "B"], ["A [1]", "B [2]", "C"], ["A", "B", "C"], (2, 3)),
        (["A", "B", "C"], ["A [1]", "B [2]", "C [3]"], ["A", "B", "C"], (3, 3)),
        ([], ["A", "B"], ["A"], (0, 2)),
        (["A"], ["A [1]", "A [2]"], [], (1, 2)),
        (["A"], [], ["A"], (1, 1)),
        (["A", "Extra"], ["A [1]"], ["A"], (1, 1)),
        (["A"], ["A [1]"], ["Old"], (1, 1)),
        (["R [D]"], ["R [D] [7]"], ["R [D]"], (1, 1)),
    ],
)
def test_a_group_that_was_pushed_again_counts_once(pushed, links, wanted, counts):
    impact = upgrade(pushed, links, wanted)
    assert (impact.pushed, impact.groups) == counts


def test_groups_that_share_a_name_count_each():
    impact = upgrade(["A [8]", "A [9]"], ["A [1]", "A [2]"], [], homonyms=frozenset({"A"}))
    assert (impact.pushed, impact.groups) == (2, 2)


def test_the_users_who_will_not_keep_their_access_are_listed_by_how_many_are_alike():
    org = live({}, scim=Scim(True, "okta", "legacy", False))
    org = replace(org, settings=replace(org.settings, idp_groups=mappings({"A": ": X", "B": ": Y"})))
    desired = config({"A": "member: Z", "B": "member: W"}, scim=Scim(endpoint="new"))
    found = make(ask(desired, org, [*many(2, "A", stem="a"), *many(5, "B", stem="b")])).impact.upgrade
    assert [move.size for move in found.moves] == [5, 2]
