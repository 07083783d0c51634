"""Filters and sorting in SQL find exactly what the evaluator of scim2-models finds, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim2_models import Resource, ScimFilter, SearchRequest
from scim2_server.utils import parametrize
from scim_org import ENTERPRISE, GROUP, USER, WRITER_USER, fresh

from rolecall.localorg.scim.models import POLICY, comparable, exact, provider
from rolecall.localorg.scim.shapes import ScimSession, fold_document
from rolecall.localorg.scim.storage import SqlStorage

PROVIDER = provider()
TYPES = list(PROVIDER.resource_types)
MODELS: dict[str, Any] = {str(one.name): PROVIDER.model_for(one) for one in TYPES}

WORDS = [
    "",
    "a",
    "A",
    "ab",
    "Äb",
    "a\u0308B",
    "ß",
    "SS",
    "%",
    "_",
    '"',
    "\\",
    "'",
    "b c",
    "émile",
    "E\u0301MILE",
    "Σ",
    "ς",
]
ATTRIBUTES = [
    "title",
    "displayName",
    "externalId",
    "userName",
    "name.givenName",
    "emails",
    "emails.type",
    "emails.value",
    "phoneNumbers.value",
    "schemas",
    "id",
    "groups",
    "groups.display",
    "members",
    "members.value",
    "locale",
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager.value",
    f"{WRITER_USER}:role",
    f"{USER}:nickName",
]

words = st.sampled_from(WORDS)
quoted = words.map(ScimFilter.quote) | st.just("null")
operators = st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"])
compared = st.builds("{} {} {}".format, st.sampled_from(ATTRIBUTES), operators, quoted)
present = st.sampled_from([*ATTRIBUTES, "name", "active", "meta", "emails.primary"]).map("{} pr".format)
flags = st.builds(
    "{} {} {}".format,
    st.sampled_from(["active", "emails.primary"]),
    st.sampled_from(["eq", "ne"]),
    st.sampled_from(["true", "false", "null"]),
)
times = st.builds(
    "meta.{} {} {}".format,
    st.sampled_from(["created", "lastModified"]),
    operators,
    st.sampled_from(['"2020-01-01T00:00:00Z"', '"2990-01-01T00:00:00+02:00"', "null"]),
)
inner = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(["type", "value", "display"]), operators, quoted),
    st.sampled_from(["type pr", "value pr", "primary eq true", "not (primary eq true)", "primary pr"]),
)
inners = st.recursive(
    inner, lambda more: st.builds("({} {} {})".format, more, st.sampled_from(["and", "or"]), more), max_leaves=3
)
selections = st.builds("{}[{}]".format, st.sampled_from(["emails", "phoneNumbers"]), inners)
leaves = st.one_of(compared, present, flags, times, selections)
filters = st.recursive(
    leaves,
    lambda more: st.one_of(
        st.builds("({} {} {})".format, more, st.sampled_from(["and", "or"]), more), st.builds("not ({})".format, more)
    ),
    max_leaves=5,
)

entries = st.lists(
    st.fixed_dictionaries({}, optional={"value": words, "type": words, "primary": st.just(False), "display": words}),
    max_size=2,
)
users = st.fixed_dictionaries(
    {"userName": words.map("{}@x".format)},
    optional={
        "title": words,
        "displayName": words,
        "externalId": words,
        "nickName": words,
        "locale": words,
        "active": st.booleans(),
        "name": st.fixed_dictionaries({}, optional={"givenName": words, "familyName": words}),
        "emails": entries,
        "phoneNumbers": entries,
        ENTERPRISE: st.fixed_dictionaries({}, optional={"department": words, "manager": st.builds(dict, value=words)}),
        WRITER_USER: st.builds(dict, role=words),
    },
)
people = st.lists(users, max_size=5, unique_by=lambda one: comparable(one["userName"]))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStorage]:
    """One transaction that is never committed."""
    on_postgres = request.param == "postgresql"
    db = fresh(request.getfixturevalue("scim_postgres") if on_postgres else tmp_path_factory.mktemp("filters") / "o.db")
    with db.write() as tx:
        yield SqlStorage(ScimSession(tx), PROVIDER)
        tx.rollback()
    db.close()


def filled(storage: SqlStorage, documents: list[dict[str, Any]]) -> list[Resource[Any]]:
    """The users, and a group that holds every other one, as they stand in the database."""
    kinds = {str(one.name): one for one in TYPES}
    ids = []
    for document in documents:
        resource = MODELS["User"].model_validate({"schemas": [USER], **document}, scim_policy=POLICY)
        ids.append(storage.create(kinds["User"], resource).id)
    for name, held in (("a", ids[::2]), ("Äb", [])):
        group = {
            "schemas": [GROUP],
            "displayName": name,
            "externalId": name,
            "members": [{"value": one} for one in held],
        }
        storage.create(kinds["Group"], MODELS["Group"].model_validate(group))
    return storage.search(TYPES, asked()).resources


def asked(**said: Any) -> SearchRequest[Any]:
    request: Any = parametrize(SearchRequest, MODELS["User"] | MODELS["Group"])
    made: SearchRequest[Any] = request(**said)
    return made


def key(binding: Any, text: str) -> str:
    return exact(text) if binding.case_exact else comparable(text)


ORG = POLICY.model_copy(update={"comparison_key": key})


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=people, expression=filters)
def test_a_filter_finds_what_the_evaluator_finds(
    storage: SqlStorage, documents: list[dict[str, Any]], expression: str
) -> None:
    with storage.operation() as savepoint:
        stored = filled(storage, documents)
        page = storage.search(TYPES, asked(filter=expression))
        with ORG:
            wanted = [one.id for one in stored if parametrize(ScimFilter, type(one))(expression).match(one)]
        assert [one.id for one in page.resources] == wanted
        assert page.total == len(wanted)
        savepoint.rollback()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    documents=people,
    by=st.sampled_from(
        ["title", "emails", "emails.type", "phoneNumbers.value", "active", "name.givenName", "externalId"]
    ),
    order=st.sampled_from(["ascending", "descending"]),
    count=st.integers(1, 4),
)
def test_a_sorted_walk_is_the_library_s_sorting(
    storage: SqlStorage, documents: list[dict[str, Any]], by: str, order: str, count: int
) -> None:
    with storage.operation() as savepoint:
        stored = filled(storage, documents)
        request = asked(sort_by=by, sort_order=order, cursor="", count=count)
        pages = [storage.search(TYPES, request)]
        while pages[-1].next is not None:
            pages.append(storage.search(TYPES, request, position=pages[-1].next))
        found = [one for page in pages for one in page.resources]
        with ORG:
            assert [request.sort_value(one) for one in found] == [
                request.sort_value(one) for one in request.sort(stored)
            ]
        assert sorted(str(one.id) for one in found) == sorted(str(one.id) for one in stored)
        savepoint.rollback()


@given(text=st.text(max_size=12))
def test_comparable_text_stays_as_it_is(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)
    assert comparable(text.upper()) == comparable(text.upper().lower()) or not text.isascii()


def test_a_folded_document_has_every_value_as_text() -> None:
    document = {
        "schemas": [USER],
        "userName": "ÅSA",
        "externalId": "Ab",
        "active": True,
        "emails": [{"value": "X", "primary": False}],
    }
    assert fold_document(MODELS["User"], document) == {
        "schemas": [USER.lower()],
        "userName": "åsa",
        "externalId": "Ab",
        "active": "true",
        "emails": [{"value": "x", "primary": "false"}],
    }


@pytest.mark.parametrize(
    "expression", [f'schemas eq "{USER}"', f'schemas[value eq "{USER}"]', "schemas pr", 'schemas sw "urn:ietf"']
)
def test_entries_that_are_plain_values(storage: SqlStorage, expression: str) -> None:
    with storage.operation() as savepoint:
        filled(storage, [{"userName": "a@x"}])
        kinds = [one for one in TYPES if one.name == "User"]
        assert storage.search(kinds, asked(filter=expression)).total == 1
        savepoint.rollback()
