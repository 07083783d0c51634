"""Test users as JSON to columns and back."""

from __future__ import annotations

from array import array
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rolecall.codec.people import (
    DirectoryBuilder,
    Fault,
    UserColumns,
    decode_people,
    decode_person,
    encode_people,
    encode_person,
)
from rolecall.model.directory import PLAIN, Person, Traits
from rolecall.model.live import UNREAD
from rolecall.model.policy import TeamRole
from rolecall.model.roles import BUILT_IN, Role

ANN = {"email": "ann@acme.com", "groups": ["Writers", "Legal"]}
BO = {
    "email": "Bo@Acme.com",
    "id": "u-2",
    "origin": "invite",
    "active": False,
    "pending": True,
    "groups": [],
    "role_attribute": "admin",
    "manual": [{"team": " Sales ", "role": "Team admin"}],
}
BO_TRAITS = Traits("invite", False, True, "admin", (TeamRole("Sales", "team_admin"),))


def test_a_row_with_only_an_address_is_a_plain_active_scim_person() -> None:
    assert decode_person({"email": "ann@acme.com"}) == Person("ann@acme.com", "ann@acme.com", (), PLAIN)


def test_every_key_of_a_row_is_read() -> None:
    assert decode_person(BO) == Person("bo@acme.com", "u-2", (), BO_TRAITS)


def test_people_are_kept_in_columns_and_only_the_uncommon_beside_them() -> None:
    directory = decode_people([ANN, BO, {"email": "cy@acme.com", "groups": ["Legal"]}])
    assert directory.groups == ("Writers", "Legal")
    assert list(directory.offsets) == [0, 2, 2, 3]
    assert list(directory.members) == [0, 1, 1]
    assert directory.others == {1: BO_TRAITS}


def test_groups_given_first_keep_their_numbers_and_unknown_ones_are_kept() -> None:
    directory = decode_people([{"email": "ann@acme.com", "groups": ["Not-Pushed", "Legal"]}], ["Legal", "Writers"])
    assert directory.groups == ("Legal", "Writers", "Not-Pushed")
    assert directory.person(0).groups == ("Not-Pushed", "Legal")


def test_the_orgs_ids_of_groups_become_names_and_an_unknown_id_stays() -> None:
    names = {"g-1": "Writers", "g-2": "Legal"}
    person = decode_person({"email": "ann@acme.com", "groups": ["g-2", "g-9"]}, names=names)
    assert person.groups == ("Legal", "g-9")


def test_group_names_compare_after_nfc_and_trimming() -> None:
    directory = decode_people(
        [{"email": "a@x.io", "groups": ["Cafe\u0301"]}, {"email": "b@x.io", "groups": [" Café "]}]
    )
    assert directory.groups == ("Café",)


def test_without_ids_the_addresses_stand_for_them() -> None:
    directory = decode_people([ANN])
    assert directory.ids is directory.emails


def test_ids_that_begin_late_do_not_shift_anybody() -> None:
    directory = decode_people([ANN, BO, {"email": "cy@acme.com"}])
    assert list(directory.ids) == ["ann@acme.com", "u-2", "cy@acme.com"]


def test_custom_roles_are_read_by_the_consoles_word() -> None:
    roles = {**BUILT_IN, "r-7": Role("r-7", "Editor in chief")}
    row = {"email": "a@x.io", "manual": [{"team": "IT", "role": "editor in chief"}]}
    assert decode_person(row, roles=roles).traits.manual == (TeamRole("IT", "r-7"),)


def test_equal_traits_are_one_object() -> None:
    directory = decode_people([{"email": f"p{number}@x.io", "origin": "saml"} for number in range(3)])
    assert len({id(traits) for traits in directory.others.values()}) == 1


def test_columns_add_to_rows_what_their_own_rows_would() -> None:
    names = {"g1": "Writers", "g2": "Legal"}
    rows = [{"email": "di@x.io", "id": "u1", "groups": ["g3", "g1"]}, {"email": "Ed@x.io", "id": "u2", "active": False}]
    uncommon = {1: {"origin": "scim", "active": False, "manual": "[]"}}
    columns = UserColumns(
        ["u1", "u2"],
        ["di@x.io", "Ed@x.io"],
        ["g1", "g2", "g3", "g4"],
        array("I", [0, 2, 2]),
        array("I", [2, 0]),
        uncommon,
    )
    by_row, by_column = (DirectoryBuilder(["Legal"], names=names) for _ in range(2))
    for builder in (by_row, by_column):
        assert not builder.add([{"email": "ann@x.io", "groups": ["g2", "g1"]}])
    assert not by_row.add(rows)
    by_column.add_columns(columns)
    assert by_column.build() == by_row.build()


def test_coverage_is_passed_on() -> None:
    assert decode_people([], coverage=UNREAD).coverage == UNREAD


def test_two_people_with_one_address_are_refused_whatever_the_case() -> None:
    with pytest.raises(ValueError, match=r"several users have the email address ann@acme\.com"):
        decode_people([ANN, {"email": "ANN@acme.COM"}])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (None, "is not an object"),
        (["ann@acme.com"], "is not an object"),
        ({}, "has no `email`"),
        ({"email": 7}, "has no `email`"),
        ({"email": "  "}, "`email` is empty"),
        ({"email": "\ud800@acme.com"}, "`email` contains a lone surrogate"),
        ({"email": "a@x.io", "groups": "Writers"}, "`groups` is not a list of names"),
        ({"email": "a@x.io", "groups": {"Writers": 1}}, "`groups` is not a list of names"),
        ({"email": "a@x.io", "groups": [["Writers"]]}, "`groups` is not a list of names"),
        ({"email": "a@x.io", "groups": [7]}, "`groups` is not a list of names"),
        ({"email": "a@x.io", "groups": ["\udc00"]}, "a name in `groups` is empty or contains a lone surrogate"),
        ({"email": "a@x.io", "id": 7}, "`id` is not text"),
        ({"email": "a@x.io", "active": "false"}, "`active` and `pending` must be true or false"),
        ({"email": "a@x.io", "pending": 1}, "`active` and `pending` must be true or false"),
        ({"email": "a@x.io", "origin": "sso"}, "`origin` must be one of discovery, invite, saml, scim"),
        ({"email": "a@x.io", "origin": []}, "`origin` must be one of discovery, invite, saml, scim"),
        ({"email": "a@x.io", "role_attribute": True}, "`role_attribute` is not text"),
        ({"email": "a@x.io", "manual": ["Sales"]}, "`manual` is not a list of {team, role}"),
        ({"email": "a@x.io", "manual": [{"team": "Sales"}]}, "`manual` is not a list of {team, role}"),
    ],
)
def test_a_row_that_is_no_person_is_left_out_and_told(row: Any, message: str) -> None:
    builder = DirectoryBuilder()
    assert builder.add([ANN, row, BO]) == [Fault(1, message)]
    assert [builder.build().person(number).email for number in range(2)] == ["ann@acme.com", "bo@acme.com"]


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"user 1: has no `email`; user 3: is not an object"):
        decode_people([{}, ANN, None])


def test_encoding_leaves_out_what_is_not_so() -> None:
    assert encode_person(decode_person(ANN)) == {
        "email": "ann@acme.com",
        "origin": "scim",
        "active": True,
        "groups": ["Writers", "Legal"],
    }
    assert encode_person(decode_person(BO)) == {
        **BO,
        "email": "bo@acme.com",
        "manual": [{"team": "Sales", "role": "team_admin"}],
    }


def test_decoding_what_was_encoded_gives_the_same_directory() -> None:
    directory = decode_people([ANN, BO])
    assert decode_people(list(encode_people(directory)), directory.groups) == directory


USERS_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "email": st.uuids().map(lambda key: f"{key}@acme.com"),
            "groups": st.lists(st.sampled_from("ABCDE"), unique=True),
        },
        optional={
            "id": st.uuids().map(str),
            "active": st.booleans(),
            "role_attribute": st.sampled_from(["Writer-Admin", "x"]),
        },
    ),
    max_size=12,
)


@given(USERS_ROWS, st.lists(st.integers(0, 12), max_size=3), st.sampled_from([(), ("C",), ("A", "B", "C", "D", "E")]))
def test_parts_put_together_are_what_one_builder_makes_of_all_rows(rows, cuts, groups):
    whole = DirectoryBuilder(groups)
    whole.add(rows)
    together = DirectoryBuilder(groups)
    for start, end in pairwise([0, *sorted(cuts), len(rows)]):
        part = DirectoryBuilder(groups)
        part.add(rows[start:end])
        together.extend(part)
    assert list(together.ids) == list(whole.ids)
    expected, joined = whole.build(), together.build()
    assert [joined.person(n) for n in range(len(joined))] == [expected.person(n) for n in range(len(expected))]
