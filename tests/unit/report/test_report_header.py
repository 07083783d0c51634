"""Test the first line of a report: the org, how much of it was read, and the number of requests."""

from __future__ import annotations

import pytest
from report_plans import LOCAL, full_plan, plan_of

from rolecall.model.live import UNREAD, Coverage
from rolecall.plan.value import Impact, Requests
from rolecall.report.builders.header import plan_banner

READ = plan_of(counts={"idp_groups": 61, "people": 20104}, impact=Impact(48), requests=Requests(7, 1))


def test_over_a_network_it_says_how_many_users_it_read_and_in_how_many_requests():
    assert plan_banner(READ).read == "read: 61 groups, 48 of 20,104 users (7 requests)"
    one = READ._replace(requests=Requests(1), impact=Impact(None))
    assert plan_banner(one).read == "all settings read: 61 groups (1 request)"


@pytest.mark.parametrize("quiet", [READ._replace(org=LOCAL), READ._replace(requests=Requests(0, 3))])
def test_a_file_and_a_local_org_take_none(quiet):
    assert plan_banner(quiet).read == "read: 61 groups, 48 of 20,104 users"


def test_users_whom_the_plan_does_not_need_are_not_called_read():
    assert plan_banner(READ._replace(impact=Impact(0), org=LOCAL)).read == "all settings read: 61 groups"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (UNREAD._replace(problem="403"), "read: 61 groups; NOT READ: users"),
        (Coverage("partial", 48, 97), "read: 61 groups; PARTIALLY READ: users (48 of 97)"),
        (Coverage("partial"), "read: 61 groups; PARTIALLY READ: users"),
    ],
)
def test_users_who_were_not_read_are_named(state, told):
    assert plan_banner(READ._replace(coverage={"idp_groups": Coverage(), "people": state})).read == told
    dark = {"sso": UNREAD, "people": state}
    assert plan_banner(READ._replace(coverage=dark)).read.startswith("NOT READ: sso")


def test_the_org_is_named_first():
    assert plan_banner(full_plan()).text.startswith("acme · prod · org_8817 at ")
    assert plan_banner(READ._replace(org=LOCAL)).text.startswith("LOCAL REHEARSAL, not WRITER")
