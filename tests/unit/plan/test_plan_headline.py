"""Test the sentences of a plan about users."""

from __future__ import annotations

import random

import pytest

from rolecall.model.policy import TeamRole
from rolecall.plan.headline import (
    Shift,
    count_users,
    enumerate_words,
    escalation_sentences,
    headline,
    sentence,
    shift_of,
    tally_words,
)
from rolecall.plan.value import Escalation, Impact, Move, Tally, Who

MARKETING, BRAND, COMMS = (TeamRole(team, "member") for team in ("Marketing", "Brand", "Communications"))
EVERYONE = TeamRole("Everyone", "member")
LEGAL, LEGAL_ADMIN = TeamRole("Legal", "member"), TeamRole("Legal", "team_admin")


def move(before, after, kind, size, to_default=False):
    return Move(tuple(before), tuple(after), kind, (), size, (), to_default)


def impact(*moves, **more):
    counts = {kind: sum(m.size for m in moves if m.kind == kind) for kind in ("gain", "lose", "change")}
    return Impact(400, **counts, moves=moves, **more)


@pytest.mark.parametrize(
    ("shift", "size", "said"),
    [
        (Shift((MARKETING,), (BRAND,)), 40, "40 users move from Marketing to Brand, as members."),
        (Shift((MARKETING,), (BRAND,)), 1, "1 user moves from Marketing to Brand, as a member."),
        (
            Shift((MARKETING,), (BRAND, COMMS)),
            2,
            "2 users move from Marketing to Brand and Communications, as members.",
        ),
        (Shift((LEGAL,), (LEGAL_ADMIN,)), 1, "1 user moves from member to team admin in Legal."),
        (
            Shift((LEGAL,), (TeamRole("IT", "org_admin"),)),
            1,
            "1 user loses Legal member and gains org admin (org-wide, team IT).",
        ),
        (Shift((), (BRAND, COMMS)), 9, "9 users gain Brand member and Communications member."),
        (Shift((MARKETING,), ()), 5, "5 users lose Marketing member."),
        (
            Shift((MARKETING,), (EVERYONE,), (EVERYONE,)),
            212,
            "212 users lose Marketing member and fall back to default access (Everyone member).",
        ),
        (
            Shift((), (), (EVERYONE,)),
            1,
            "1 user falls back to default access (Everyone member).",
        ),
        (Shift((MARKETING,), (), (), True), 3, "3 users lose Marketing member and have no access left."),
        (Shift((TeamRole("A", "auditor"),), ()), 2, "2 users lose A auditor."),
    ],
)
def test_a_shift_is_one_plain_sentence(shift, size, said):
    assert sentence(shift, size) == said


X, Y, X_ADMIN, Y_ADMIN = (TeamRole(team, role) for role in ("member", "team_admin") for team in "XY")
IT_ORG, HR_ORG = TeamRole("IT", "org_admin"), TeamRole("HR", "org_admin")
IT = TeamRole("IT", "member")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ([X_ADMIN, Y_ADMIN], [X], "moves from team admin to member in X and loses Y team admin"),
        ([X], [X_ADMIN, Y_ADMIN], "moves from member to team admin in X and gains Y team admin"),
        ([X_ADMIN, Y_ADMIN], [X, Y], "moves from team admin to member in X and Y"),
        ([X_ADMIN, Y], [X, LEGAL], "moves from team admin to member in X, loses Y member and gains Legal member"),
        ([X, Y_ADMIN], [X_ADMIN, Y], "moves from member to team admin in X and moves from team admin to member in Y"),
        ([IT], [IT_ORG], "moves from member in IT to org admin"),
        ([IT_ORG], [IT], "moves from org admin to member in IT"),
        ([IT_ORG, HR_ORG], [IT], "moves from org admin to member in IT and loses HR"),
        ([X], [X, IT_ORG], "gains org admin (org-wide, team IT)"),
        ([HR_ORG, IT_ORG], [EVERYONE], "loses org admin (org-wide, teams HR and IT) and gains Everyone member"),
        ([IT_ORG], [HR_ORG], "moves from IT to HR, as an org admin"),
        ([IT_ORG, X], [HR_ORG, IT_ORG, X], "gains HR"),
        ([HR_ORG, IT_ORG], [HR_ORG, IT], "stays org admin (now member in IT)"),
        ([HR_ORG, IT], [HR_ORG, IT_ORG], "stays org admin (before also member in IT)"),
        ([X, TeamRole("X", "auditor")], [X_ADMIN], "moves from member to team admin in X and loses X auditor"),
    ],
)
def test_a_team_that_stays_in_another_role_is_not_lost_and_org_admin_is_org_wide(before, after, said):
    told = sentence(shift_of(move(sorted(before), sorted(after), "change", 1)), 1)
    assert told == f"1 user {said}."


def test_the_headline_of_one_move():
    found = impact(move([MARKETING], [BRAND], "change", 40), org_admins=(4, 4))
    assert headline(found) == "40 users move from Marketing to Brand, as members. Org admins: 4, unchanged."


def test_users_who_are_new_to_the_org_gain_default_access_and_do_not_fall_back_to_it():
    new, former = (move(before, [EVERYONE], "gain", 2, to_default=True) for before in ([], [MARKETING]))
    assert sentence(shift_of(new), 2) == "2 users gain Everyone member."
    assert sentence(shift_of(former), 2) == (
        "2 users lose Marketing member and fall back to default access (Everyone member)."
    )


def test_moves_that_differ_only_in_what_stays_are_one():
    found = impact(
        move([MARKETING], [BRAND], "change", 30),
        move([EVERYONE, MARKETING], [BRAND, EVERYONE], "change", 10),
        org_admins=(4, 4),
    )
    assert headline(found).startswith("40 users move from Marketing to Brand, as members. Org")


def test_the_largest_comes_first_and_the_others_are_counted():
    found = impact(
        move([EVERYONE], [EVERYONE, LEGAL], "gain", 9),
        move([MARKETING], [BRAND], "change", 40),
        move([EVERYONE, LEGAL], [EVERYONE], "lose", 6),
        org_admins=(4, 6),
    )
    assert headline(found) == (
        "6 users lose access, 40 users change access and 9 users gain access. "
        "Most common: 40 users move from Marketing to Brand, as members. Org admins: 4 → 6."
    )


@pytest.mark.parametrize(("size", "said"), [(1, "1 user gains access."), (7, "7 users gain access.")])
def test_others_of_one_kind(size, said):
    found = impact(move([MARKETING], [BRAND], "change", 40), move([], [LEGAL], "gain", size))
    assert headline(found).startswith(f"40 users change access and {said}")


def test_nobody_and_unread_are_not_the_same():
    assert headline(Impact(400, org_admins=(4, 4))) == "No user's access changes. Org admins: 4, unchanged."
    assert headline(Impact(None)) == ""


def test_escalations_are_in_the_headline():
    admin = Escalation(Who("u", "a@b.c"), (LEGAL_ADMIN,), ())
    top = Escalation(Who("v", "b@b.c"), (IT_ORG,), ())
    found = impact(move([LEGAL], [LEGAL_ADMIN], "gain", 1), escalations=(admin, top), org_admins=(4, 5))
    assert headline(found) == (
        "1 user gains org admin. 1 user gains a role above member. "
        "1 user moves from member to team admin in Legal. Org admins: 4 → 5."
    )


def test_the_order_of_moves_does_not_matter():
    moves = [
        move([MARKETING], [BRAND], "change", 5),
        move([LEGAL], [BRAND], "change", 5),
        move([EVERYONE], [EVERYONE, LEGAL], "gain", 5),
    ]
    said = {headline(impact(*random.Random(seed).sample(moves, 3))) for seed in range(10)}
    assert len(said) == 1


def test_words():
    assert enumerate_words([]) == "nothing"
    assert enumerate_words(["a", "b", "c"]) == "a, b and c"
    assert enumerate_words(list("abcdef")) == "a, b, c and 3 more"
    assert count_users(1, "is", "are") == "1 user is"
    assert count_users(20104, "is", "are") == "20,104 users are"
    assert tally_words(Tally(1, 6, 0)) == "6 lose and 1 gains"


def test_users_who_change_team_and_role_or_have_several_roles_lose_and_gain():
    lost = (TeamRole("A", "member"), TeamRole("B", "team_admin"))
    editors, members = (tuple(TeamRole(team, role) for team in "AB") for role in ("editor", "member"))
    for shift in (
        Shift(lost, editors),
        Shift(editors, lost),
        Shift((MARKETING,), (LEGAL_ADMIN,)),
        Shift(members, lost),
    ):
        text = sentence(shift, 2)
        assert text.startswith("2 users lose ")
        assert " gain " in text


@pytest.mark.parametrize("number", [1, 2])
def test_the_verb_of_an_escalation_agrees_with_the_number(number):
    users = [Who(f"u{n}", None) for n in range(number)]
    admins = [Escalation(who, (TeamRole("IT", "org_admin"),), ()) for who in users]
    leads = [Escalation(who, (LEGAL_ADMIN,), ()) for who in users]
    more = [Escalation(who, (TeamRole("X", "org_admin"),), (), True) for who in users]
    verb = "gains" if number == 1 else "gain"
    texts = escalation_sentences(Impact(9, escalations=(*admins, *leads, *more)))
    assert len(texts) == 3
    for text in texts:
        assert text.startswith(f"{number} ")
        assert f" {verb} " in text
