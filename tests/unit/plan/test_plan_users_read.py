"""Test groups with members in the org and none in the source of users: unread if a plan depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, crowd, live, many, person, verdict

from rolecall.jobs.assertions import broken
from rolecall.model.live import Facts, Group
from rolecall.model.settings import Defaults
from rolecall.plan.coverage import counted_words, gaps
from rolecall.plan.make import make
from rolecall.report.builders.plan import plan_document
from rolecall.report.renderers.csv import csv

GROUPS = {"A": "member: X", "B": "org_admin: IT"}
UNMAP_A = {"A": "", "B": "org_admin: IT"}


def asked(wanted, counts, people, **more):
    there = live(GROUPS, **more)
    groups = {name: group._replace(members=counts.get(name)) for name, group in there.facts.groups.items()}
    there = replace(there, facts=there.facts._replace(groups=groups))
    read = None
    if people is not None:
        read = crowd(people)
        read = replace(read, gaps=gaps(read, there.facts))
    settings = {"defaults": Defaults("team_admin", frozenset({"Everyone"}))} if wanted == "defaults" else {}
    desired = config(GROUPS if wanted == "defaults" else wanted, **settings)
    return ask(desired, there, None)._replace(directory=read)


def codes(plan):
    return [problem.code for problem in plan.warnings if problem.code.startswith("people_")]


def test_a_group_that_the_plan_changes_is_not_evaluated_without_its_members():
    plan = make(asked(UNMAP_A, {"A": 57, "B": 1}, [person("ann", "B"), person("bo", "a")], observed=True))
    assert plan.impact.headline == ""
    assert plan.impact.problem == (
        "Users were partially read: the source of users has no user in A, "
        "which has 57 members according to the console. More users may be affected than this plan shows."
    )
    assert plan.impact.members == {"idp_groups/A": 57}
    assert plan.coverage["people"].state == "partial"
    assert verdict(plan, "max_people_losing_access").verdict == "not judged"
    assert [problem.code for problem in broken(plan, ["no-access-change"])] == ["assertion"]
    assert codes(plan) == ["people_group_missing", "people_group_unknown"]
    assert "did you mean `a` instead of `A`?" in {problem.hint for problem in plan.warnings}


def test_a_group_with_fewer_than_half_of_its_members_is_partially_read():
    plan = make(asked(UNMAP_A, {"A": 57, "B": 1}, [*many(28, "A"), person("ann", "B")], observed=True))
    assert plan.impact.problem == (
        "Users were partially read: the source of users has fewer than half of the users in A, "
        "which has 57 members according to the console. More users may be affected than this plan shows."
    )
    assert plan.coverage["people"].state == "partial"
    assert verdict(plan, "unread").verdict == "review"
    assert codes(plan) == ["people_counts_differ"]
    half = make(asked(UNMAP_A, {"A": 56, "B": 1}, [*many(28, "A"), person("ann", "B")], observed=True))
    assert half.coverage["people"].state == "complete"


def test_defaults_affect_the_members_of_every_group():
    plan = make(asked("defaults", {"A": 2, "B": 1}, [person("ann", "A")]))
    assert plan.coverage["people"].state == "partial"
    assert verdict(plan, "unread").verdict == "block"


def test_a_group_that_the_plan_does_not_touch_is_one_warning_and_org_admins_are_not_counted():
    plan = make(asked(UNMAP_A, {"A": 1, "B": 3}, [person("ann", "A")]))
    assert codes(plan) == ["people_group_missing"]
    assert plan.impact.problem is None
    assert plan.impact.org_admins is None
    assert "Org admins" not in plan.impact.headline
    assert verdict(plan, "max_people_losing_access").verdict == "pass"
    assert verdict(plan, "min_org_admins").message == ""


def test_counts_that_differ_are_a_warning_with_both():
    plan = make(asked(UNMAP_A, {"A": 57, "B": 0}, many(55, "A")))
    assert codes(plan) == ["people_counts_differ"]
    assert plan.impact.problem is None
    (message,) = [problem.message for problem in plan.warnings if problem.code == "people_counts_differ"]
    assert message == (
        "the numbers of users in groups differ between the org and the source of users: A (the org 57, the source 55)"
    )


@pytest.mark.parametrize("count", [2, 3])
def test_a_count_with_or_without_inactive_users_does_not_differ(count):
    people = [*many(2, "A"), person("gone", "A", active=False)]
    assert not gaps(crowd(people), Facts(groups={"A": Group("a", members=count)})).differing


def test_groups_that_share_a_name_are_not_compared():
    facts = Facts(groups={"A [1]": Group("1", members=5), "A [2]": Group("2", members=6)}, homonyms=frozenset({"A"}))
    assert gaps(crowd([person("ann", "A")]), facts) == ({}, {}, ())


def test_without_users_the_members_that_the_org_counts_are_named():
    plan = make(asked(UNMAP_A, {"A": 120, "B": 1}, None, observed=True))
    assert plan.impact.problem == (
        "Users were not read. Who gains or loses access is unknown. A has 120 members according to the console."
    )
    notes = [note.text for part in plan_document(plan).changes for entry in part.entries for note in entry.notes]
    assert "120 members according to the org; the users were not read." in notes
    assert csv(plan_document(plan)).splitlines()[1:] == [",120,unknown,,,,idp_groups/A"]
    assert plan_document(plan).banner.read == "read: 1 domain, 2 groups; NOT READ: users"


def test_one_member_is_one():
    assert counted_words({"idp_groups/A": 1}, observed=False) == "A has 1 member according to the org."
