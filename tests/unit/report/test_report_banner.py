"""The first line: which org, how much of it was seen, and what that took."""

from __future__ import annotations

from dataclasses import replace

import pytest
from report_plans import LOCAL, full_plan, plan_of

from rolecall.plan.value import Impact, Requests
from rolecall.report.banner import banner, seen

READ = plan_of(counts={"idp_groups": 61, "people": 20104}, impact=Impact(48), requests=Requests(7, 1))


def test_over_a_network_it_says_whom_it_looked_at_and_in_how_many_requests():
    assert seen(READ) == "all read: 61 groups, 20,104 people (48 people looked at, 7 requests)"
    one = replace(READ, requests=Requests(1), impact=Impact(None))
    assert seen(one) == "all read: 61 groups, 20,104 people (1 request)"


@pytest.mark.parametrize("quiet", [replace(READ, org=LOCAL), replace(READ, requests=Requests(0, 3))])
def test_a_file_and_a_local_org_take_none(quiet):
    assert seen(quiet) == "all read: 61 groups, 20,104 people"


def test_the_org_is_named_first():
    assert banner(full_plan()).startswith("acme · prod · org_8817 at ")
    assert banner(replace(READ, org=LOCAL)).startswith("LOCAL REHEARSAL, not WRITER")
