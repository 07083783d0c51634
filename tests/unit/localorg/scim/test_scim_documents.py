"""Test SCIM documents: which parts of a resource are stored, and which are returned."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scim2_models import Context, ResponseParameters
from scim2_server.utils import parametrize

from rolecall.localorg.scim import documents
from rolecall.localorg.scim.documents import EVERYTHING, Projection
from rolecall.localorg.scim.models import ENTERPRISE, GROUP, USER, WRITER_USER, provider

MODEL: Any = provider().model_for("User")
WHOLE = {
    "schemas": [USER, ENTERPRISE, WRITER_USER],
    "id": "u1",
    "externalId": "E",
    "userName": "Ann@acme.com",
    "name": {"givenName": "Ann", "familyName": "Åkesson"},
    "active": True,
    "emails": [{"value": "ann@acme.com", "type": "work", "primary": True}, {"value": "a@b.se"}],
    "groups": [{"value": "g1", "display": "Writers", "type": "direct"}],
    ENTERPRISE: {"department": "Press", "manager": {"value": "m1", "displayName": "Mo"}},
    WRITER_USER: {"role": "admin"},
    "meta": {"resourceType": "User", "location": "http://h/Users/u1", "version": 'W/"1"'},
}
NAMES = [
    "userName",
    "USERNAME",
    "name",
    "name.givenName",
    "emails",
    "emails.value",
    "emails.type",
    "groups",
    "groups.value",
    "meta",
    "meta.version",
    "id",
    "schemas",
    "active",
    "department",
    "manager",
    "manager.value",
    ENTERPRISE,
    f"{ENTERPRISE}:department",
    f"{ENTERPRISE}:manager.value",
    f"{USER}:userName",
    f"{USER}:name.givenName",
    WRITER_USER,
    f"{WRITER_USER}:role",
    "nothing",
]


@given(names=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4), without=st.booleans())
def test_a_projection_keeps_what_the_library_keeps(names: list[str], without: bool) -> None:
    said = {"excludedAttributes" if without else "attributes": names}
    parameters = parametrize(ResponseParameters, MODEL).model_validate(said)
    model = MODEL.model_validate(WHOLE)
    wanted = model.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters)
    assert Projection.of(parameters).apply(USER, WHOLE) == wanted


def test_everything_is_kept_when_nothing_is_asked() -> None:
    assert EVERYTHING.apply(USER, WHOLE) == WHOLE
    assert EVERYTHING.keeps(USER, "groups")
    assert not Projection(only=("username",)).keeps(USER, "groups")
    assert Projection(only=("groups.value",)).keeps(USER, "groups")
    assert not Projection(without=("members",)).keeps(GROUP, "members")


@pytest.mark.parametrize(
    ("kept", "entry"),
    [
        (EVERYTHING, {"value": "u1", "$ref": "http://h/Users/u1", "type": "User"}),
        (Projection(only=("members.value",)), {"value": "u1"}),
        (Projection(only=("members.type",)), {"type": "User"}),
        (Projection(without=("members.$ref",)), {"value": "u1", "type": "User"}),
        (Projection(only=("members.display",)), None),
    ],
)
def test_members_are_written_as_text(kept: Projection, entry: dict[str, str] | None) -> None:
    text = documents.member_entries("http://h", ["u1"], kept)
    assert (None if text is None else json.loads(text)) == (None if entry is None else [entry])
    assert documents.member_entries("http://h", [], kept) is None


def test_text_goes_into_an_answer_as_it_stands() -> None:
    text = documents.JsonText("[1, 2]")
    assert json.loads(documents.dump({"a": "å", "members": text, "z": None})) == {
        "a": "å",
        "members": [1, 2],
        "z": None,
    }
    assert documents.dump({"members": text}) == '{"members":[1, 2]}'
    assert json.loads(documents.dump_all([{"members": text}, {}])) == [{"members": [1, 2]}, {}]


@pytest.mark.parametrize(
    ("document", "email"),
    [
        ({"userName": "a@b.se", "emails": [{"value": "x@y.se"}]}, "a@b.se"),
        ({"userName": "a", "emails": [{"value": "x@y.se"}, {"value": "p@y.se", "primary": True}]}, "p@y.se"),
        ({"userName": "a", "emails": [{"type": "work"}, {"value": "x@y.se"}]}, "x@y.se"),
        ({"userName": "a", "emails": None}, "a"),
        ({"userName": "a"}, "a"),
    ],
)
def test_a_person_s_e_mail(document: dict[str, Any], email: str) -> None:
    assert documents.email_of(document) == email


def test_people_and_groups_from_a_snapshot_get_documents() -> None:
    user = documents.loaded_user("Ann@acme.com", active=False, role="admin")
    assert (user["user_name_key"], user["active"], user["role_attribute"]) == ("ann@acme.com", False, "admin")
    assert json.loads(user["document"])[WRITER_USER] == {"role": "admin"}
    group = documents.loaded_group("Writers", "E")
    assert (group["name_key"], group["external_id"], group["folded"]["displayName"]) == ("writers", "E", "writers")


def test_a_document_holds_nothing_that_is_kept_elsewhere() -> None:
    resource = MODEL.model_validate({**WHOLE, "password": "SECRET"})
    document = documents.document_of(resource)
    assert not {"id", "meta", "groups", "password"} & set(document)
    assert documents.role_of(resource) == "admin"
    assert documents.role_of(MODEL(user_name="x")) is None
