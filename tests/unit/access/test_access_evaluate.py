"""Test users in columns: masks, shifts and org admins."""

from __future__ import annotations

from array import array

from access_examples import FACTS, settings, team_roles
from hypothesis import given
from hypothesis import strategies as st

from rolecall.access import compile_access, compile_change, masks, org_admins, person_mask, shifts
from rolecall.access.entitlements import BY_DEFAULT
from rolecall.access.evaluate import memberships
from rolecall.codec.people import decode_people
from rolecall.model.directory import Directory

GROUPS = {"G": "member Legal", "Admins": "org_admin IT", "Blank": ""}
SALES = [{"team": "Sales", "role": "member"}]
PEOPLE = decode_people(
    [
        {"email": "none@x.io"},
        {"email": "legal@x.io", "groups": ["G", "Blank"]},
        {"email": "admin@x.io", "groups": ["Admins", "G"]},
        {"email": "gone@x.io", "groups": ["Admins"], "active": False},
        {"email": "saml@x.io", "origin": "saml", "manual": [{"team": "IT", "role": "org_admin"}]},
        {"email": "edited@x.io", "groups": ["G"], "manual": SALES},
    ],
    GROUPS,
)
RULES = compile_access(settings(GROUPS), FACTS)


def test_everybody_gets_a_mask() -> None:
    found = {PEOPLE.emails[number]: RULES.entitlements.team_roles(mask) for number, mask in masks(RULES, PEOPLE)}
    assert found == {
        "none@x.io": team_roles("Everyone member"),
        "legal@x.io": team_roles("Legal member"),
        "admin@x.io": team_roles("IT org_admin, Legal member"),
        "gone@x.io": (),
        "saml@x.io": team_roles("IT org_admin"),
        "edited@x.io": team_roles("Legal member"),
    }


def test_one_person_is_worked_out_as_everybody_is() -> None:
    assert [mask for _, mask in masks(RULES, PEOPLE)] == [person_mask(RULES, PEOPLE.person(n)) for n in range(6)]


def test_those_asked_for_come_in_the_order_asked() -> None:
    assert [number for number, _ in masks(RULES, PEOPLE, [4, 1])] == [4, 1]


def test_who_has_only_the_default_is_marked() -> None:
    assert [bool(mask & BY_DEFAULT) for _, mask in masks(RULES, PEOPLE)] == [True, False, False, False, False, False]


def test_shifts_put_people_together_to_whom_the_same_happens() -> None:
    before, after = compile_change(settings(GROUPS), settings(GROUPS | {"G": "member Sales"}), FACTS)
    found = {
        (before.entitlements.team_roles(b), after.entitlements.team_roles(a)): list(numbers)
        for (b, a), numbers in shifts(before, after, PEOPLE).items()
    }
    assert found == {
        (team_roles("Legal member"), team_roles("Sales member")): [1, 5],
        (team_roles("IT org_admin, Legal member"), team_roles("IT org_admin, Sales member")): [2],
    }


def test_to_have_the_same_by_another_way_is_no_shift() -> None:
    before, after = compile_change(settings({"G": "member Everyone"}), settings({"G": ""}), FACTS)
    assert shifts(before, after, PEOPLE) == {}


def test_org_admins_by_group_by_hand_and_by_the_toggle() -> None:
    assert list(org_admins(RULES, PEOPLE)) == [2, 4]
    assert list(org_admins(compile_access(settings({}), FACTS), PEOPLE)) == [4]


def test_everybody_is_org_admin_where_the_default_says_so() -> None:
    everybody = compile_access(settings({}, default="org_admin Everyone"), FACTS)
    assert list(org_admins(everybody, PEOPLE)) == [0, 1, 2, 4, 5]


def test_memberships_are_found_whoever_stands_between() -> None:
    rows = [[], ["B"], [], ["A", "B"], ["C"], [], ["B", "C"], []]
    directory = decode_people(({"email": f"p{n}@x.io", "groups": held} for n, held in enumerate(rows)), ["A", "B", "C"])
    assert list(memberships(directory, {1})) == [(1, 1), (3, 1), (6, 1)]
    assert list(memberships(directory, {0, 2})) == [(3, 0), (4, 2), (6, 2)]
    assert list(memberships(directory, set())) == []
    assert list(memberships(Directory(), {0})) == []


@given(
    st.lists(st.sampled_from([0, 1, 255, 256, 257, 511, 2048, 2304, 65535, 65536, 65537, 70000]), max_size=40),
    st.frozensets(st.sampled_from([0, 1, 256, 257, 2048, 65536, 70000, 80000]), max_size=4),
)
def test_memberships_are_found_whatever_the_numbers_of_their_groups(column: list[int], wanted: frozenset[int]) -> None:
    emails = [str(number) for number in range(len(column))]
    directory = Directory(emails, emails, (), array("I", range(len(column) + 1)), array("I", column))
    expected = [(number, group) for number, group in enumerate(column) if group in wanted]
    assert list(memberships(directory, wanted)) == expected
