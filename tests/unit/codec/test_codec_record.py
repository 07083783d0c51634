"""Test records as JSON by their type hints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, NamedTuple

import pytest

from rolecall.codec.forms import Form, Misfit
from rolecall.codec.record import Codec, Shape
from rolecall.model.record import FLAT, OMIT, UNWRITTEN, Key, Normal
from rolecall.model.settings import Address, GroupMapping, Settings, Sso, Value


class Pair(NamedTuple):
    id: str
    email: str | None = None


class Change(NamedTuple):
    address: Address
    before: Value | None
    after: Value | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    kind: Annotated[Literal["a", "b"], Key("class")]
    who: Annotated[Pair, FLAT]
    number: int = 0
    names: Annotated[frozenset[Annotated[str, Normal(str.lower)]], OMIT] = frozenset()
    days: Mapping[Address, date] = field(default_factory=dict)
    at: datetime | None = None
    mixed: tuple[str | Pair, ...] = ()
    ends: tuple[int, int] | None = None
    amount: float | None = None
    hidden: Annotated[str, UNWRITTEN] = "kept"
    settings: Settings = Settings()
    plain: Any = None


AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
WHOLE = Whole(
    "b",
    Pair("u1", "ann@acme.com"),
    3,
    frozenset({"x", "b"}),
    {Address("sso"): date(2026, 1, 2)},
    AT,
    ("x", Pair("y")),
    (1, 2),
    1.5,
    settings=Settings(sso=Sso(enabled=True)),
    plain={"a": [1]},
)
JSON = {
    "class": "b",
    "id": "u1",
    "email": "ann@acme.com",
    "number": 3,
    "names": ["b", "x"],
    "days": {"sso": "2026-01-02"},
    "at": "2026-11-29T12:00:00+00:00",
    "mixed": ["x", {"id": "y", "email": None}],
    "ends": [1, 2],
    "amount": 1.5,
    "settings": {"sso": {"enabled": True}},
    "plain": {"a": [1]},
}


def test_a_record_is_its_fields_in_their_order() -> None:
    written = Codec().encode(WHOLE)
    assert written == JSON
    assert list(written) == list(JSON)
    assert Codec().decode(Whole, written) == WHOLE


def test_defaults_are_left_out_where_marked_and_come_back() -> None:
    record = Whole("a", Pair("u"))
    written = Codec().encode(record)
    assert "names" not in written
    assert written["days"] == {}
    assert Codec().decode(Whole, written) == record
    assert Codec().decode(Whole, {"class": "a", "id": "u"}) == record


def test_names_are_normalised_and_unknown_keys_passed_over() -> None:
    read = Codec().decode(Whole, {"class": "a", "id": "u", "names": ["ANN", "ann"], "more": 1})
    assert read.names == frozenset({"ann"})


def test_a_field_that_is_not_written_comes_from_the_caller() -> None:
    assert Codec().decode(Whole, {"class": "a", "id": "u", "hidden": "no"}).hidden == "kept"
    assert Codec().decode(Whole, {"class": "a", "id": "u"}, hidden="yes").hidden == "yes"


@pytest.mark.parametrize(
    ("change", "json"),
    [
        (
            Change(Address("idp_groups/A"), GroupMapping("member", frozenset({"B", "A"})), GroupMapping()),
            {"address": "idp_groups/A", "before": {"role": "member", "teams": ["A", "B"]}, "after": None},
        ),
        (
            Change(Address("sso"), None, Sso(enabled=False)),
            {"address": "sso", "before": None, "after": {"enabled": False}},
        ),
    ],
)
def test_a_setting_is_written_by_the_section_of_its_address(change: Change, json: Any) -> None:
    assert Codec().encode(change) == json
    read = Codec().decode(Change, json)
    assert read == (change if change.after != GroupMapping() else change._replace(after=None))


def test_all_faults_are_told_with_their_paths() -> None:
    json = {
        "class": "c",
        "number": True,
        "names": "x",
        "days": {"sso": "soon", "scim": 3},
        "at": "noon",
        "mixed": [1, {"email": 2}],
        "ends": [1],
        "amount": "2",
        "settings": [],
    }
    with pytest.raises(Misfit) as caught:
        Codec().decode(Whole, json)
    assert [fault.path for fault in caught.value.faults] == [
        ("class",),
        ("id",),
        ("number",),
        ("names",),
        ("days", "sso"),
        ("days", "scim"),
        ("at",),
        ("mixed", 0),
        ("mixed", 1, "id"),
        ("mixed", 1, "email"),
        ("ends",),
        ("amount",),
        ("settings",),
    ]
    assert str(caught.value.faults[1]) == "is missing at id"
    assert str(caught.value.faults[2]) == "expected a whole number, not true or false at number"


@pytest.mark.parametrize("json", [[], "x", None, 3])
def test_what_is_no_object_is_no_record(json: Any) -> None:
    with pytest.raises(Misfit, match="expected an object"):
        Codec().decode(Pair, json)


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (3, "expected an object, not a whole number at before"),
        ({"teams": 3}, "has the wrong type at before/teams"),
        ({"role": 3, "teams": [1]}, "has the wrong type at before/role; has the wrong type at before/teams"),
    ],
)
def test_a_value_that_is_none_of_its_section_is_told(before: Any, message: str) -> None:
    with pytest.raises(Misfit, match=f"^{message}$"):
        Codec().decode(Change, {"address": "idp_groups/A", "before": before})
    with pytest.raises(Misfit, match="does not belong to a section at before"):
        Codec().decode(Change, {"address": "groups/A", "before": before})


def test_a_document_may_have_a_form_of_its_own() -> None:
    codec = Codec(
        {
            Pair: Shape(("it",), lambda pair, _: {"it": pair.id}, lambda json: {"id": json["it"]}),
            Change: Shape(("after",)),
        },
        {datetime: Form(lambda at: at.timestamp(), lambda json: datetime.fromtimestamp(json, UTC))},
    )
    assert codec.encode(Pair("u")) == {"it": "u"}
    assert codec.decode(Pair, {"it": "u"}) == Pair("u")
    assert codec.encode(AT) == AT.timestamp()
    assert codec.encode(Change(Address("sso"), None)) == {"after": None}


def test_values_that_json_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(TypeError, match="cannot be distinguished"):
        Codec().form(Pair | Change)


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(TypeError, match="is not a record"):
        Codec().encode(object())
