"""Test who gains and loses access, by which change and team, and which users are reported separately."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from small_org import ask, config, live, many, person, plan

from rolecall.model.desired import Applied, Intent
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import Coverage
from rolecall.model.policy import AccessTest, Guards, Policy, TeamRole
from rolecall.model.settings import Address, Defaults, Scim
from rolecall.plan.draft import draft_plan
from rolecall.plan.make import make
from rolecall.plan.value import Tally, TeamTally

X, Y, EVERYONE = TeamRole("X", "member"), TeamRole("Y", "member"), TeamRole("Everyone", "member")


def test_equal_people_are_one_move_with_everybody_named():
    made = plan({"A": "member: X"}, {"A": "member: Y"}, many(3, "A"))
    (move,) = made.impact.moves
    assert (move.before, move.after, move.kind, move.because, move.size) == ((X,), (Y,), "change", ("idp_groups/A",), 3)
    assert [who.email for who in move.people] == ["p000@acme.com", "p001@acme.com", "p002@acme.com"]
    assert (made.impact.people, made.impact.changed, made.impact.losing) == (3, 3, 3)
    assert made.impact.headline == "3 users move from X to Y, as members. Org admins: 0, unchanged."


def test_each_person_has_the_changes_that_caused_it_and_no_others():
    before = {"A": "member: X", "B": "member: Y", "C": "member: Z"}
    after = {"A": "member: X, W", "B": "member: Y, X", "C": "member: Z"}
    people = [person("one", "A"), person("two", "A", "B"), person("three", "C")]
    causes = {move.people[0].email: move.because for move in plan(before, after, people).impact.moves}
    assert causes == {"one@acme.com": ("idp_groups/A",), "two@acme.com": ("idp_groups/A",)}


def test_a_first_mapping_that_takes_the_default_away_is_its_cause():
    made = plan({"A": ""}, {"A": "member: X"}, [person("ann", "A")])
    (move,) = made.impact.moves
    assert (move.kind, move.because) == ("change", ("idp_groups/A",))
    assert made.impact.tallies == {"idp_groups/A": Tally(change=1)}


def test_org_admins_who_stay_are_named_where_others_lose_it():
    before, after = {"A": "org_admin: X", "B": "org_admin: X"}, {"A": "member: X", "B": "org_admin: X, Y"}
    people = [*many(2, "A", stem="a"), *many(12, "B", stem="b")]
    impact = plan(before, after, people).impact
    assert impact.org_admins == (14, 12)
    assert [user.email for user in impact.remaining_admins] == [f"b{number:03}@acme.com" for number in range(10)]
    assert plan(before, {**before, "B": "org_admin: X, Y"}, people).impact.remaining_admins == ()


def test_falling_to_the_default_is_counted_apart_from_falling_to_nothing():
    made = plan({"A": "member: X"}, {"A": ""}, [person("ann", "A"), person("bo")])
    assert (made.impact.to_default, made.impact.to_nothing) == (1, 0)
    assert made.impact.moves[0].to_default
    assert (
        "fall back to default access (Everyone member)"
        in plan({"A": "member: X"}, {"A": ""}, many(2, "A")).impact.headline
    )


def test_every_change_carries_its_own_people():
    before = {"A": "member: X", "B": "member: X"}
    after = {"A": "member: Y", "B": "member: X, Y"}
    made = plan(before, after, [*many(2, "A", stem="a"), *many(3, "B", stem="b")])
    assert made.impact.tallies == {"idp_groups/A": Tally(change=2), "idp_groups/B": Tally(gain=3)}


def test_teams_tell_who_comes_who_goes_and_whose_role_moves():
    before, after = {"A": "member: X", "B": "member: Z"}, {"A": "member: Y", "B": "team_admin: Z"}
    made = plan(before, after, [*many(2, "A", stem="a"), *many(1, "B", stem="b")])
    assert made.impact.teams == (TeamTally("X", lose=2), TeamTally("Y", gain=2), TeamTally("Z", change=1))


def test_the_default_moves_those_who_have_it():
    desired = config({"A": "member: X"}, defaults=Defaults("member", frozenset({"Y"})))
    made = make(
        ask(desired, live({"A": "member: X"}), [person("ann", "A"), person("bo"), person("sam", origin="saml")])
    )
    (move,) = made.impact.moves
    assert (move.size, move.because) == (2, ("defaults",))


def test_ids_that_are_e_mails_are_not_shown_as_ids():
    nameless = [replace_id(person("ann", "A"))]
    made = plan({"A": "member: X"}, {"A": "org_admin: X"}, nameless)
    assert made.impact.escalations[0].who.id.startswith("p-")
    assert "@" not in made.impact.escalations[0].who.id
    again = plan({"A": "member: X"}, {"A": "org_admin: X"}, nameless)
    assert again.impact.escalations == made.impact.escalations


def replace_id(one):
    return one._replace(id=one.email)


def apart(made, kind):
    return next(row for row in made.impact.apart if row.kind == kind)


def test_a_waiting_group_is_told_apart_and_not_in_the_after_state():
    made = plan({"A": "member: X"}, {"A": "member: X", "New": "org_admin: IT"}, [person("ann", "A")])
    assert made.impact.changed == 0
    assert apart(made, "waiting").addresses == ("idp_groups/New",)
    assert apart(made, "waiting").people == Tally()


def test_a_people_source_that_knows_a_waiting_group_forecasts_it():
    made = plan({"A": "member: X"}, {"A": "member: X", "New": "member: Y"}, many(4, "A", "New"))
    assert made.impact.changed == 0
    assert apart(made, "waiting").people == Tally(gain=4)
    assert apart(made, "waiting").sentences == ("4 users gain Y member.",)


def test_what_expired_counts_and_is_told_apart():
    ended = {"A": Intent(expires=date(2026, 11, 1))}
    made = plan({"A": "member: X"}, {"A": "member: X"}, many(5, "A"), intents=ended)
    assert made.changes[0].reason == "expired"
    assert made.impact.lose == 0
    assert made.impact.change == 5
    assert apart(made, "expired").people == Tally(change=5)
    assert apart(made, "expired").to_default == 5


def test_what_expires_within_14_days_is_foretold():
    soon = {"A": Intent(expires=date(2026, 12, 1))}
    made = plan({"A": "member: X"}, {"A": "member: X"}, many(5, "A"), intents=soon)
    assert made.changes == ()
    row = apart(made, "expiring")
    assert (row.people, row.to_default) == (Tally(change=5), 5)
    assert row.sentences == (
        "After 1 Dec 2026: 5 users lose X member and fall back to default access (Everyone member).",
    )
    later = plan({"A": "member: X"}, {"A": "member: X"}, [], intents={"A": Intent(expires=date(2026, 12, 7))})
    assert [row.kind for row in later.impact.apart] == ["expiry"]


def test_what_a_person_must_do_counts_and_is_told_apart():
    made = plan({"A": "member: X"}, {"A": "member: Y"}, many(5, "A"), observed=True, can=frozenset())
    assert made.changes[0].via == "human"
    assert made.impact.changed == 5
    assert apart(made, "human").people == Tally(change=5)


def test_what_is_released_keeps_its_people_and_says_how_many():
    policy = Policy(manage={"idp_groups": "additive"})
    applied = Applied(settings=config({"A": "member: X"}).settings)
    made = plan({"A": "member: X"}, {}, many(3, "A"), policy=policy, applied=applied)
    assert made.changes == ()
    assert [(row.address, row.people) for row in made.released] == [("idp_groups/A", 3)]
    assert "3 users keep access from idp_groups/A" in apart(made, "released").sentences[0]


def test_of_people_who_were_not_read_none_is_said_to_keep_anything():
    policy = Policy(manage={"idp_groups": "additive"})
    applied = Applied(settings=config({"A": "member: X"}).settings)
    for directory in (None, Directory(coverage=Coverage("unread")), Directory(coverage=Coverage("partial", 0, 3))):
        asked = ask(config({}, policy), live({"A": "member: X"}), None, applied=applied)
        made = make(asked._replace(directory=directory))
        assert [row.people for row in made.released] == [None]
        assert apart(made, "released").sentences == ()


def test_the_inventory_of_what_is_not_managed_counts_active_people():
    policy = Policy(manage={"idp_groups": "additive"})
    people = [*many(3, "A"), person("gone", "A", active=False)]
    made = plan({"A": "org_admin: IT", "B": "member: X"}, {"B": "member: X"}, people, policy=policy)
    assert [(row.address, row.role, row.people) for row in made.unmanaged] == [("idp_groups/A", "org_admin", 3)]
    unread = plan({"A": "org_admin: IT"}, {}, None, policy=policy)
    assert unread.unmanaged[0].people is None


def test_manual_editing_going_off_takes_what_was_given_by_hand():
    org = live({"A": "member: X"}, scim=Scim(True, "okta", "new", True))
    desired = config({"A": "member: X"}, scim=Scim(manual_editing=False))
    made = make(ask(desired, org, [person("ann", "A", manual="member: Y"), person("bo", "A")]))
    (move,) = made.impact.moves
    assert (move.before, move.after, move.because) == ((X, Y), (X,), ("scim",))


def test_who_must_be_read_is_who_can_be_touched_and_the_org_admins():
    org = live({"A": "member: X", "B": "member: Y"})
    changed = draft_plan(ask(config({"A": "member: Z", "B": "member: Y"}), org, None)).scope
    assert changed == PeopleScope(groups=frozenset({"A"}), org_admins=True)
    assert draft_plan(ask(config({"A": "member: X", "B": "member: Y"}), org, None)).scope == PeopleScope()


def test_who_must_be_read_has_the_required_the_caller_and_those_of_access_tests():
    policy = Policy(
        guards=Guards(required_org_admins=("Boss@acme.com",)), access_tests=(AccessTest("t", person="lead@acme.com"),)
    )
    asked = ask(config({"A": "member: Y"}, policy), live({"A": "member: X"}, caller="me@acme.com"), None)
    assert draft_plan(asked).scope.emails == {"boss@acme.com", "lead@acme.com", "me@acme.com"}


def test_an_org_that_cannot_search_and_an_upgrade_are_read_whole():
    few = live({"A": "member: X"})
    unable = replace(few, facts=few.facts._replace(can=few.facts.can - {"people.search"}))
    assert draft_plan(ask(config({"A": "member: Y"}), unable, None)).scope.everybody
    legacy = live({"A": ": X"}, scim=Scim(True, "okta", "legacy", False))
    assert draft_plan(ask(config({}, scim=Scim(endpoint="new")), legacy, None)).scope.everybody


def test_groups_that_are_only_told_of_are_read_too():
    soon = {"A": Intent(expires=date(2026, 12, 1))}
    asked = ask(config({"A": "member: X"}, intents=soon), live({"A": "member: X"}), None)
    assert draft_plan(asked).scope.groups == {"A"}


@pytest.mark.parametrize(
    ("last", "told"),
    [(date(2026, 11, 21), False), (date(2026, 11, 22), True), (date(2026, 12, 6), True), (date(2026, 12, 7), False)],
)
def test_soon_is_from_the_last_day_to_14_days_before_it(last, told):
    intents = {"A": Intent(expires=last)}
    made = plan({"A": "member: X"}, {"A": "member: X"}, many(1, "A"), intents=intents)
    assert any(row.kind == "expiring" for row in made.impact.apart) is told
    assert any(problem.code == "expires_soon" for problem in made.warnings) is told
    known = Applied(ends={Address("idp_groups/A"): last})
    asked = ask(config({"A": "member: X"}, intents=intents), live({"A": "member: X"}), None, known)
    assert bool(draft_plan(asked).scope.groups) is (told or last < date(2026, 11, 22))


def test_only_its_own_changes_are_told_apart():
    before = {"A": "member: X", "B": "member: X"}
    made = plan(
        before, {**before, "B": "member: Y"}, many(2, "A", "B"), intents={"A": Intent(expires=date(2026, 11, 1))}
    )
    assert [change.address for change in made.changes if change.via == "api"] == ["idp_groups/B", "idp_groups/A"]
    assert [(row.kind, row.addresses) for row in made.impact.apart] == [("expired", ("idp_groups/A",))]


def test_a_mapping_is_new_only_against_a_look_that_did_not_have_it():
    policy = Policy(manage={"idp_groups": "additive"})
    for known, new in ((None, False), (frozenset(), True), (frozenset({"idp_groups/A"}), False)):
        made = plan({"A": "member: X"}, {}, [], policy=policy, applied=Applied(unmanaged=known))
        assert [row.new for row in made.unmanaged] == [new]


@pytest.mark.parametrize(("role", "changed"), [("", 3), ("member", 0)])
def test_a_default_role_that_moves_reaches_the_users_of_mappings_without_a_role(role, changed):
    groups = {"A": f"{role}: X"}
    desired = config(groups, defaults=Defaults("team_admin", frozenset({"Everyone"})))
    made = make(ask(desired, live(groups), [*many(3, "A"), person("sam", "A", active=False)]))
    assert made.impact.changed == changed


@pytest.mark.parametrize("state", [None, "unread", "partial", "complete"])
def test_why_nobody_knows_who_a_pending_mapping_is_for(state):
    asked = ask(
        config({"A": "member: X", "New": "member: Y"}), live({"A": "member: X"}), [person("ann", "A")], forecasts=True
    )
    coverage = Coverage(state or "complete", 1, 9, problem="403")
    directory = None if state is None else replace(asked.directory, coverage=coverage)
    made = make(asked._replace(directory=directory))
    (row,) = [apart for apart in made.impact.apart if apart.kind == "waiting"]
    (text,) = row.sentences
    assert ("partially" in text) is (state == "partial")
    assert ("403" in text) is (state in ("unread", "partial"))
    assert ("idp_groups/New" in text) is (state == "complete")
