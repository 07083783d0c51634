"""Test SCIM request bodies before the database: decoding, limits, and the forms that IdPs send."""

from __future__ import annotations

from typing import Any

import pytest
from scim2_models import InvalidSyntaxException, InvalidValueException, SCIMException

from rolecall.localorg.scim import inbound, members
from rolecall.localorg.scim.models import ENTERPRISE, GROUP, USER, WRITER, WRITER_USER

QUIRKS = inbound.UserQuirks("role")


def test_a_body_is_an_object_of_clean_text() -> None:
    assert inbound.decode(b'{"a": "\\u00e5"}') == {"a": "å"}
    for body in (b"", b"[]", b'"x"', b"{", b'{"a": Infinity}', b'{"a": "\\ud800"}', b"[" * 10_000):
        with pytest.raises(InvalidSyntaxException):
            inbound.decode(body)
    for body in (b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'{"a": [{"b": ["x\\u0000"]}]}'):
        with pytest.raises(InvalidValueException):
            inbound.decode(body)


@pytest.mark.parametrize("payload", [{}, {"schemas": None}, {"schemas": []}, {"schemas": USER}, {"schemas": [GROUP]}])
def test_a_message_names_its_schema(payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidSyntaxException):
        inbound.require_schemas(payload, USER)
    inbound.require_schemas({"SCHEMAS": [USER.upper()]}, USER)


@pytest.mark.parametrize(
    ("sent", "clean"),
    [
        ({"password": "x", "PASSWORD": "y", f"{USER}:password": "z", "title": "t"}, {"title": "t"}),
        ({WRITER: "admin"}, {WRITER_USER: {"role": "admin"}}),
        ({WRITER.upper(): {"ROLE": "admin"}}, {WRITER_USER: {"role": "admin"}}),
        ({"Role": "admin"}, {WRITER_USER: {"role": "admin"}}),
        ({WRITER: {"other": 1}}, {}),
        ({WRITER: None, "role": None}, {}),
        ({"role": {"role": "admin"}}, {WRITER_USER: {"role": "admin"}}),
        ({"roles": [{"value": "x"}]}, {"roles": [{"value": "x"}]}),
        (
            {ENTERPRISE: {"manager": "7", "department": "d"}},
            {ENTERPRISE: {"manager": {"value": "7"}, "department": "d"}},
        ),
        ({ENTERPRISE: {"Manager": ""}}, {ENTERPRISE: {"Manager": None}}),
        ({f"{ENTERPRISE}:manager": "7"}, {f"{ENTERPRISE}:manager": {"value": "7"}}),
        ({f"{WRITER}:role": "admin"}, {f"{WRITER_USER}:role": "admin"}),
        ({"emails": None}, {"emails": None}),
    ],
)
def test_what_idps_send_about_users(sent: dict[str, Any], clean: dict[str, Any]) -> None:
    assert QUIRKS.resource(sent) == clean


@pytest.mark.parametrize(
    ("held", "wins"), [("member", "admin"), ("admin", "member"), (None, "member"), ("x", "member")]
)
def test_the_spelling_that_changed_wins(held: str | None, wins: str) -> None:
    stored = {} if held is None else {WRITER_USER: {"role": held}}
    payload = {WRITER_USER: {"role": "member"}, WRITER: {"role": "admin"}}
    assert QUIRKS.resource(payload, stored) == {WRITER_USER: {"role": wins}}


def test_the_role_attribute_has_any_name() -> None:
    quirks = inbound.UserQuirks("writer_role")
    assert quirks.resource({"writer_role": "admin", "role": "x"}) == {
        WRITER_USER: {"writer_role": "admin"},
        "role": "x",
    }


@pytest.mark.parametrize(
    ("sent", "clean"),
    [
        ({"op": "add", "path": "password", "value": "x"}, []),
        ({"OP": "Add", "PATH": "title", "Value": "x"}, [{"op": "Add", "path": "title", "value": "x"}]),
        ({"op": "remove", "path": f"{WRITER}:role"}, [{"op": "remove", "path": f"{WRITER_USER}:role"}]),
        (
            {"op": "add", "path": f"{ENTERPRISE}:manager", "value": "7"},
            [{"op": "add", "path": f"{ENTERPRISE}:manager", "value": {"value": "7"}}],
        ),
        (
            {"op": "add", "path": f"{ENTERPRISE}:manager", "value": None},
            [{"op": "remove", "path": f"{ENTERPRISE}:manager"}],
        ),
        ({"op": "add", "path": "title", "value": None}, [{"op": "add", "path": "title", "value": None}]),
        ("x", ["x"]),
    ],
)
def test_operations_on_users(sent: Any, clean: list[Any]) -> None:
    assert list(QUIRKS.operations([sent])) == clean


@pytest.mark.parametrize("operations", [None, [], {}, "x", [{}] * (inbound.MAX_OPERATIONS + 1)])
def test_a_patch_has_operations(operations: Any) -> None:
    with pytest.raises(InvalidValueException):
        inbound.operations_of({"Operations": operations})


@pytest.mark.parametrize(
    ("operation", "ours", "others"),
    [
        ({"op": "Add", "path": "members", "value": [{"$ref": None, "value": "a"}]}, [("add", ("a",))], 0),
        ({"op": "add", "path": "MEMBERS", "value": {"value": "a"}}, [("add", ("a",))], 0),
        ({"op": "replace", "path": "members", "value": []}, [("replace", ())], 0),
        ({"op": "replace", "path": "members", "value": None}, [("replace", ())], 0),
        ({"op": "remove", "path": "members"}, [("remove", None)], 0),
        ({"op": "remove", "path": "members", "value": []}, [("remove", ())], 0),
        ({"op": "remove", "path": 'members[value eq "a"]'}, [("remove", None)], 0),
        ({"op": "replace", "value": {"members": ["a"], "displayName": "x"}}, [("replace", ("a",))], 1),
        ({"op": "add", "value": {f"{GROUP}:members": [{"value": "a"}]}}, [("add", ("a",))], 0),
        ({"op": "replace", "path": 'members[value eq "a"].display', "value": "x"}, [], 0),
        ({"op": "replace", "path": "displayName", "value": "x"}, [], 1),
        ({"op": "move", "path": "members"}, [], 1),
        (7, [], 1),
    ],
)
def test_operations_on_members_are_told_apart(operation: Any, ours: list[Any], others: int) -> None:
    found, rest = members.split([operation])
    assert ([(one.op, one.ids) for one in found], len(rest)) == (ours, others)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "add", "path": "members"},
        {"op": "add", "path": "members", "value": [{"value": ""}]},
        {"op": "add", "path": "members", "value": [{"type": "Group", "value": "g"}]},
        {"op": "add", "path": "members.value", "value": "a"},
        {"op": "remove", "path": "members[value eq]"},
        {"op": "remove", "path": 'members[value eq "a"].nothing'},
    ],
)
def test_operations_on_members_that_cannot_be(operation: dict[str, Any]) -> None:
    with pytest.raises(SCIMException):
        members.split([operation])


def test_members_leave_the_payload_once_each() -> None:
    payload = {"displayName": "x", "Members": [{"value": "a"}, "b", {"$ref": "http://h/Users/c"}, {"value": "a"}]}
    assert members.take(payload) == ("a", "b", "c")
    assert payload == {"displayName": "x"}


def test_changes_one_after_the_other_cancel_out() -> None:
    first, second = members.Delta(("a", "b"), ("c",)), members.Delta(("c",), ("a", "d"))
    assert first.then(second) == members.Delta(("b",), ("d",))
    assert not members.Delta(("a",)).then(members.Delta((), ("a",)))
