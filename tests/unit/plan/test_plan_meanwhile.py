"""Test who has more or less access while a run is half done."""

from __future__ import annotations

from dataclasses import replace

import orgs
import pytest

from rolecall.codec.people import decode_people
from rolecall.model.desired import Desired
from rolecall.model.live import UNREAD, Facts, Group, Live
from rolecall.model.policy import TeamRole
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Scim, Settings
from rolecall.plan.impact.meanwhile import Between, meanwhile, sentence
from rolecall.plan.make import make

MARKETING = GroupMapping("member", frozenset({"Marketing"}))
BRAND = GroupMapping("member", frozenset({"Brand"}))
LEGAL = GroupMapping("member", frozenset({"Legal"}))
TEAMS = frozenset({"Everyone", "Marketing", "Brand", "Legal"})


def setting(wanted, held, *memberships):
    """A live org with one person for each list of groups, and the steps from it to what is wanted."""
    facts = Facts(org_id="o", teams=TEAMS, groups={key: Group(key) for key in held}, can=orgs.EVERYTHING)
    scim = Scim(True, "okta", "new", False)
    live = Live(Settings(idp_groups=held, scim=scim, defaults=Defaults("member", frozenset({"Everyone"}))), facts=facts)
    rows = [{"email": f"p{n}@acme.com", "groups": list(groups)} for n, groups in enumerate(memberships)]
    people = decode_people(rows, facts.groups)
    plan = make(orgs.question(Desired(Settings(idp_groups=wanted)), live, directory=people))
    return live, people, plan.writes


def test_old_and_new_access_side_by_side_is_safe_to_leave():
    live, people, steps = setting(
        {"New": BRAND, "Old": BLANK}, {"New": BLANK, "Old": MARKETING}, *[("New", "Old")] * 12, ("Old",)
    )
    assert [step.address for step in steps] == ["idp_groups/New", "idp_groups/Old"]
    assert meanwhile(live, people, steps, frozenset({"idp_groups/New"})) == (
        "12 users have both Marketing member and Brand member. No user lost access. "
        "It is safe to leave the run like this until it is resumed."
    )


def test_somebody_without_what_both_ends_give_is_said_first_and_is_not_safe():
    live, people, steps = setting({"A": LEGAL, "B": MARKETING}, {"A": MARKETING, "B": LEGAL}, ("A", "B"))
    told = meanwhile(live, people, steps, frozenset({"idp_groups/A"}))
    assert told == "1 user lacks Marketing member, which they had before. Resume the run soon."


def test_lost_before_the_replacement_came_counts_as_lacking():
    live, people, steps = setting({"New": BRAND, "Old": BLANK}, {"New": BLANK, "Old": MARKETING}, ("New", "Old"))
    told = meanwhile(live, people, steps, frozenset({"idp_groups/Old"}))
    assert "1 user" in told
    assert told.endswith("Resume the run soon.")


def test_nothing_done_and_everything_done_are_at_an_end():
    live, people, steps = setting({"New": BRAND}, {"New": BLANK}, ("New",))
    safe = "No user lost access. It is safe to leave the run like this until it is resumed."
    assert meanwhile(live, people, steps, frozenset()) == safe
    assert meanwhile(live, people, steps, frozenset({"idp_groups/New"})) == safe


def test_people_who_were_not_read_are_not_guessed():
    live, _, steps = setting({"New": BRAND}, {"New": BLANK}, ("New",))
    assert meanwhile(live, None, steps, frozenset()) == "Users were not read completely, so current access is unknown."


DONE_A = frozenset({"idp_groups/A"})


@pytest.mark.parametrize("unread", ["", "idp_groups", "defaults", "scim"])
def test_the_read_at_the_end_counts_only_where_all_that_decides_access_was_read(unread):
    live, people, steps = setting({"A": LEGAL, "B": MARKETING}, {"A": MARKETING, "B": LEGAL}, ("A", "B"))
    now = replace(live, coverage={**live.coverage, unread: UNREAD}) if unread else live
    nothing_was_written = meanwhile(live, people, steps, frozenset())
    by_the_answers = meanwhile(live, people, steps, DONE_A)
    assert nothing_was_written != by_the_answers
    assert meanwhile(live, people, steps, DONE_A, now) == (by_the_answers if unread else nothing_was_written)


def crowd(size, **parts):
    access = {name: (TeamRole(team, "member"),) for name, team in parts.items()}
    return Between(
        access.get("keeps", ()), access.get("got", ()), access.get("lacks", ()), access.get("spike", ()), size
    )


def test_each_crowd_has_its_part_with_its_number_and_access():
    safe = sentence([crowd(3, keeps="Old", got="New"), crowd(2, keeps="Old", got="More")])
    assert "3" in safe.split("Old")[0]
    assert "2 more" in safe
    for risky in (
        sentence([crowd(2, spike="Odd"), crowd(5, spike="Other")]),
        sentence([crowd(2, lacks="Odd"), crowd(5, lacks="Other")]),
    ):
        first, _, ending = risky.rpartition(". ")
        assert first.startswith("7 ")
        assert "Odd" in first
        assert ending != safe.rpartition(". ")[2]
    both = sentence([crowd(2, spike="Odd"), crowd(1, lacks="Gone"), crowd(4, keeps="Old", got="New")])
    assert [both.index(team) for team in ("Old", "Odd", "Gone")] == sorted(map(both.index, ("Old", "Odd", "Gone")))


@pytest.mark.parametrize(("part", "one", "several"), [("spike", "has", "have"), ("lacks", "lacks", "lack")])
def test_the_verb_agrees_with_the_number(part, one, several):
    assert sentence([crowd(1, **{part: "Odd"})]).split()[2] == one
    assert sentence([crowd(2, **{part: "Odd"})]).split()[2] == several
