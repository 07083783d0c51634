"""The form of records without their values: what is merged, what is hidden, and what remains to learn from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rolecall.codec.shapes import forms_of, shape_of


def record(**more: Any) -> dict[str, Any]:
    return {"createdAt": "2026-11-12T09:14:00Z", "user": {"email": "ann@acme.com"}, "action": "Enable password", **more}


def test_a_shape_has_types_and_lengths_and_no_values() -> None:
    assert shape_of(record(tags=["a", "b"], ok=True, n=1.5, none=None, id="4711")) == {
        "createdAt": "<time, 20>",
        "user": {"email": "<text with @, 12>"},
        "action": "<text, 15>",
        "tags": ["<text, 1>", "<2 in the list>"],
        "ok": "<true or false>",
        "n": "<number>",
        "none": "<null>",
        "id": "<digits, 4>",
    }


def test_records_of_one_form_are_merged_with_their_lengths() -> None:
    records = [record(), record(action="Disable password"), record(action="x", user={"email": "bo@acme.com"})]
    assert forms_of(records) == [
        (
            3,
            {
                "createdAt": "<time, 20>",
                "user": {"email": "<text with @, 11-12>"},
                "action": "<text, 1-16>",
            },
        )
    ]


def test_what_differs_below_the_top_is_one_form() -> None:
    records = [record(target={"id": 1}), record(target={"id": "7", "name": "x"}), record(target=None)]
    ((number, shape),) = forms_of(records)
    assert number == 3
    assert shape["target"] == {"<either>": [{"id": "<digits, 1 or integer>", "name?": "<text, 1>"}, "<null>"]}


def test_keys_that_are_data_make_no_form_of_their_own() -> None:
    assert forms_of([{"bo@acme.com": 1}, {"di@acme.com": 2}]) == [(2, {"<key, 11>": "<integer>"})]


def test_other_fields_are_another_form_and_the_most_frequent_is_first() -> None:
    records = [record(), record(result="SUCCESS"), record(result="FAILURE"), "text", None]
    assert [(number, "result" in shape) for number, shape in forms_of(records)] == [
        (2, True),
        (1, False),
        (1, False),
        (1, False),
    ]


def test_entries_of_a_list_are_merged() -> None:
    assert shape_of([{"id": 1}, {"id": 22, "name": "x"}]) == [
        {"id": "<integer>", "name?": "<text, 1>"},
        "<2 in the list>",
    ]
    assert shape_of({"list": []}) == {"list": ["<0 in the list>"]}


@pytest.mark.parametrize(
    "key",
    [
        "bo@acme.com",
        "Marketing",
        "acme",
        "acme.com",
        "Enterprise Sales",
        "org_8817",
        "Ann",
        "Müller",
        "a" * 41,
        "x1",
        "",
    ],
)
def test_a_key_that_could_be_data_is_hidden(key: str) -> None:
    assert shape_of({"details": {key: 1}}) == {"details": {f"<key, {len(key)}>": "<integer>"}}


@pytest.mark.parametrize(
    "key",
    ["newRole", "new_role", "actor.email", "IPAddress", "EventType", "userIds", "entities", "@timestamp", "is-active"],
)
def test_names_of_fields_are_shown(key: str) -> None:
    assert shape_of({"details": {key: 1}}) == {"details": {key: "<integer>"}}


def test_hidden_keys_of_one_length_may_be_several_fields() -> None:
    """So it is unknown whether all records have one of them."""
    assert shape_of([{"Sales": 1}, {"Legal": 1}, {}]) == [{"<key, 5>": "<integer>"}, "<3 in the list>"]


def test_at_the_top_of_a_record_an_unknown_name_is_shown() -> None:
    assert shape_of({"zorkLevel": 1, "Zork": 1, "zork.com": 1}) == {
        "zorkLevel": "<integer>",
        "<key, 4>": "<integer>",
        "<key, 8>": "<integer>",
    }


def test_hidden_keys_of_one_length_are_merged() -> None:
    assert shape_of({"teams": {"Sales": {"role": "x"}, "Legal": {"role": "member"}}}) == {
        "teams": {"<key, 5>": {"role": "<text, 1-6>"}}
    }


def test_what_is_too_deep_is_not_described() -> None:
    nested: Any = "secret"
    for _ in range(900):
        nested = {"data": nested}
    text = json.dumps(shape_of(nested))
    assert "<deeper>" in text
    assert "secret" not in text
