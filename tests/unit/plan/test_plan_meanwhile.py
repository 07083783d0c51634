"""Who has more and who has less while a run is half done."""

from __future__ import annotations

import orgs

from rolecall.codec.people import decode_people
from rolecall.model.desired import Desired
from rolecall.model.live import Facts, Group, Live
from rolecall.model.settings import BLANK, Defaults, GroupMapping, Scim, Settings
from rolecall.plan.impact.meanwhile import meanwhile
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
        "12 people have both Marketing member and Brand member; nobody lacks what they had. Safe to leave till morning."
    )


def test_somebody_without_what_both_ends_give_is_said_first_and_is_not_safe():
    live, people, steps = setting({"A": LEGAL, "B": MARKETING}, {"A": MARKETING, "B": LEGAL}, ("A", "B"))
    told = meanwhile(live, people, steps, frozenset({"idp_groups/A"}))
    assert told == "1 person lacks Marketing member, which they had. Do not leave it like this."


def test_lost_before_the_replacement_came_counts_as_lacking():
    live, people, steps = setting({"New": BRAND, "Old": BLANK}, {"New": BLANK, "Old": MARKETING}, ("New", "Old"))
    told = meanwhile(live, people, steps, frozenset({"idp_groups/Old"}))
    assert "1 person" in told
    assert told.endswith("Do not leave it like this.")


def test_nothing_done_and_everything_done_are_at_an_end():
    live, people, steps = setting({"New": BRAND}, {"New": BLANK}, ("New",))
    safe = "Nobody lacks what they had. Safe to leave till morning."
    assert meanwhile(live, people, steps, frozenset()) == safe
    assert meanwhile(live, people, steps, frozenset({"idp_groups/New"})) == safe


def test_people_who_were_not_read_are_not_guessed():
    live, _, steps = setting({"New": BRAND}, {"New": BLANK}, ("New",))
    assert meanwhile(live, None, steps, frozenset()) == "Users were not read completely, so current access is unknown."
