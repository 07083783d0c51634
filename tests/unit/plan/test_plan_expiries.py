"""Test that setting, changing and removing `expires` is reported with its date and the affected users."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from small_org import ask, config, crowd, live, many

from rolecall.model.desired import NOTHING_APPLIED, Applied, Intent
from rolecall.model.directory import Gaps
from rolecall.model.live import Coverage
from rolecall.model.policy import Ignore, Policy
from rolecall.model.settings import Address
from rolecall.plan.draft import draft_plan
from rolecall.plan.make import make
from rolecall.plan.value import Tally
from rolecall.report.builders.plan import plan_document

AT = Address("idp_groups/A")
JAN, FEB = date(2030, 1, 31), date(2030, 2, 28)
MAPPED = {"A": "member: X"}


def question(ends, applied=NOTHING_APPLIED, policy=None, people=(), **more):
    intents = {"A": Intent(expires=ends)} if ends else {}
    return ask(config(MAPPED, policy, intents=intents), live(MAPPED), people, applied, **more)


def row(*args, **more):
    rows = [apart for apart in make(question(*args, **more)).impact.apart if apart.kind == "expiry"]
    return rows[0] if rows else None


def test_an_end_that_is_set_has_its_date_and_users():
    told = row(JAN, people=many(2, "A"))
    assert told.sentences == (
        "idp_groups/A expires after 31 Jan 2030 (no date before): 2 users lose X member and fall back to "
        "default access (Everyone member).",
    )
    assert (told.people, told.to_default, told.addresses) == (Tally(change=2), 2, (AT,))


def test_an_end_that_moves_has_both_dates():
    (text,) = row(FEB, Applied(ends={AT: JAN}), people=many(2, "A")).sentences
    assert text.startswith("idp_groups/A expires after 28 Feb 2030 (was: 31 Jan 2030): 2 users lose X member")


def test_an_end_that_is_removed_says_who_keeps_access():
    told = row(None, Applied(ends={AT: JAN}), people=many(2, "A"))
    assert told.sentences == (
        "idp_groups/A no longer expires (was: after 31 Jan 2030): 2 users keep the access that would have ended.",
    )
    assert told.people == Tally()


@pytest.mark.parametrize(
    ("ends", "applied"),
    [
        (JAN, Applied(ends={AT: JAN})),
        (None, Applied(ends={})),
        (None, Applied()),
        (JAN, Applied(expires=frozenset([AT]))),
    ],
)
def test_an_end_that_stays_is_not_told(ends, applied):
    assert row(ends, applied, people=many(2, "A")) is None


def test_an_ignored_entry_and_one_outside_the_targets_are_not_told():
    ignoring = Policy(ignore=(Ignore(str(AT), "elsewhere"),))
    assert row(JAN, policy=ignoring, people=many(2, "A")) is None
    assert row(JAN, people=many(2, "A"), targets=("idp_groups/B",)) is None
    assert row(JAN, people=many(2, "A"), targets=("idp_groups/*",)) is not None


def test_users_are_read_for_it_and_unknown_where_they_were_not():
    assert draft_plan(question(JAN, people=None)).scope.groups == {"A"}
    assert row(JAN, people=None).sentences[0].endswith("users were not read, so the affected users are unknown.")
    partial = replace(crowd(many(2, "A")), coverage=Coverage("partial", 2, 9))
    made = make(question(JAN, people=None)._replace(directory=partial))
    assert "at least 2 users lose X member" in made.impact.apart[0].sentences[0]


@pytest.mark.parametrize(("ends", "applied"), [(JAN, NOTHING_APPLIED), (None, Applied(ends={AT: JAN}))])
@pytest.mark.parametrize("gap", ["partially read", "group missing"])
def test_no_effect_is_claimed_where_the_users_of_the_group_may_be_unread(ends, applied, gap):
    read = crowd(many(2, "B"))
    made = question(ends, applied, people=None)
    whole = row(ends, applied, people=many(2, "B")).sentences[0]
    assert whole.endswith("no user's access changes then." if ends else "no user is affected.")
    if gap == "partially read":
        read = replace(read, coverage=Coverage("partial", 2, 9))
    else:
        read = replace(read, gaps=Gaps(missing={"A": 3}))
    (told,) = [apart for apart in make(made._replace(directory=read)).impact.apart if apart.kind == "expiry"]
    assert told.sentences[0].endswith("users were not read completely, so the affected users are unknown.")


def test_it_is_in_the_report_also_where_nothing_else_changes():
    told = plan_document(make(question(JAN, people=many(2, "A"))))
    assert any("expires after 31 Jan 2030" in note.text for note in told.users)


def test_what_is_due_soon_is_told_once():
    told = plan_document(make(question(date(2026, 12, 1), people=many(2, "A"))))
    assert sum("2 users lose X member" in note.text for note in told.users) == 1


def test_of_many_kinds_of_change_the_rest_is_counted():
    groups = {"A": "team_admin: X", **{f"G{n}": f"member: T{n}" for n in range(6)}}
    people = [who for n in range(6) for who in many(n + 1, "A", f"G{n}", stem=f"p{n}")]
    intents = {"A": Intent(expires=JAN)}
    made = make(ask(config(groups, intents=intents), live(groups), people))
    (told,) = [apart for apart in made.impact.apart if apart.kind == "expiry"]
    assert told.people == Tally(lose=21)
    numbers = [int(word) for text in told.sentences for word in re.findall(r"(\d+) users?", text)]
    assert sum(numbers) == 21


def test_an_entry_that_stays_does_not_hide_those_after_it():
    groups = {"A": "member: X", "B": "member: X", "C": "member: X"}
    intents = {"A": Intent(expires=JAN), "B": Intent(expires=FEB), "C": Intent(expires=FEB)}
    policy = Policy(ignore=(Ignore("idp_groups/A", "later"),))
    applied = Applied(
        ends={AT: FEB, Address("idp_groups/B"): FEB, Address("idp_groups/C"): JAN, Address("domains/a.io"): JAN}
    )
    made = make(ask(config(groups, policy, intents=intents), live(groups), [], applied))
    (told,) = [apart for apart in made.impact.apart if apart.kind == "expiry"]
    assert told.addresses == ("idp_groups/C",)
