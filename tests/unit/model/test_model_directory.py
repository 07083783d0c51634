"""Test users of an IdP in the legacy groups of an org that is being upgraded."""

from __future__ import annotations

from rolecall.codec.people import decode_people
from rolecall.model.directory import with_legacy_groups

PEOPLE = decode_people(
    [
        {"email": "ann@acme.com", "groups": ["Legal", "Sales"]},
        {"email": "bo@acme.com", "groups": []},
        {"email": "cy@acme.com", "groups": ["Sales"]},
    ]
)
LINKS = {"Legal [g-1]": frozenset({"Legal"}), "Sales": frozenset({"Sales"}), "Gone [g-2]": frozenset({"Brand"})}


def test_who_is_in_a_group_is_in_the_legacy_group_of_its_name() -> None:
    found = with_legacy_groups(PEOPLE, LINKS)
    held = {person.email: set(person.groups) for person in map(found.person, range(len(found)))}
    assert held == {
        "ann@acme.com": {"Legal", "Sales", "Legal [g-1]"},
        "bo@acme.com": set(),
        "cy@acme.com": {"Sales"},
    }


def test_without_such_groups_it_is_the_same_directory() -> None:
    assert with_legacy_groups(PEOPLE, None) is PEOPLE
    assert with_legacy_groups(PEOPLE, {"Sales": frozenset()}) is PEOPLE


def test_a_source_that_tells_legacy_groups_itself_is_believed() -> None:
    told = decode_people([{"email": "ann@acme.com", "groups": ["Legal [g-1]", "Legal"]}])
    assert with_legacy_groups(told, LINKS) is told
