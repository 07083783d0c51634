"""Bad input: nothing of it is a 5xx, and nothing of it changes anything."""

from __future__ import annotations

import gzip
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scim_org import GROUP, PATCH_OP, SEARCH, USER, Client, fresh, served

from rolecall.localorg.scim.handle import PREFIX
from rolecall.localorg.scim.models import MAX_BODY

DEEP = b'{"schemas": ["' + USER.encode() + b'"], "userName": "x", "name": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def user(**more: Any) -> dict[str, Any]:
    return {"schemas": [USER], "userName": "ann@acme.com", **more}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "invalidSyntax"),
        (b"{", "invalidSyntax"),
        (b"[]", "invalidSyntax"),
        (b"null", "invalidSyntax"),
        (b"\xff\xfe", "invalidSyntax"),
        (b'{"userName": "x", "n": NaN}', "invalidSyntax"),
        (DEEP, "invalidSyntax"),
        (user(schemas=None), "invalidSyntax"),
        ({"userName": "x"}, "invalidSyntax"),
        (user(schemas=[GROUP]), "invalidSyntax"),
        (user(schemas="x"), "invalidSyntax"),
        (user(userName=None), "invalidValue"),
        (user(userName=""), "invalidValue"),
        (user(userName=" \t "), "invalidValue"),
        (user(userName="\u00a0"), "invalidValue"),
        (user(userName=["x"]), "invalidValue"),
        (user(userName="x" * 2000), "invalidValue"),
        (user(displayName="a\x00b"), "invalidValue"),
        (user(title="a\ud800b"), "invalidSyntax"),
        (user(**{"unknown\x00": 1}), "invalidValue"),
        (user(active="perhaps"), "invalidValue"),
        (user(emails="ann@acme.com"), "invalidValue"),
        (user(emails=[None]), "invalidValue"),
        (user(emails=[{"value": "a", "primary": True}, {"value": "b", "primary": True}]), "invalidValue"),
        (user(name="Ann"), "invalidValue"),
    ],
)
def test_a_user_that_cannot_be(lite: Client, body: Any, kind: str) -> None:
    answer = lite.post("/Users", body)
    assert (answer.status, answer.body["scimType"]) == (400, kind), answer.body
    assert lite.get("/Users").body["totalResults"] == 0


@pytest.mark.parametrize(
    "operations",
    [
        None,
        [],
        {},
        "x",
        [None],
        [7],
        [{}],
        [{"op": "move", "path": "title", "value": 1}],
        [{"op": "add"}],
        [{"op": "add", "path": "title"}],
        [{"op": "add", "path": "title", "value": None}],
        [{"op": "remove"}],
        [{"op": "replace", "path": "userName", "value": " "}],
        [{"op": "remove", "path": "userName"}],
        [{"op": "replace", "path": "id", "value": "x"}],
        [{"op": "replace", "path": "emails[type eq", "value": "x"}],
        [{"op": "replace", "path": 7, "value": "x"}],
        [{"op": "replace", "path": "title", "value": {"a": 1}}],
        [{"op": "replace", "value": "x"}],
        [{"op": "replace", "path": "title", "value": "x"}] * 5001,
        [{"op": "add", "path": "emails[" * 50 + "]" * 50, "value": 1}],
    ],
)
def test_a_patch_that_cannot_be(lite: Client, operations: Any) -> None:
    ann = lite.user("ann@acme.com", title="Editor")
    before = lite.get(f"/Users/{ann}")
    answer = lite.call("PATCH", f"/Users/{ann}", {"schemas": [PATCH_OP], "Operations": operations})
    assert answer.status == 400, answer
    assert answer.body["scimType"]
    assert lite.get(f"/Users/{ann}").body == before.body


@pytest.mark.parametrize(
    "operations",
    [
        [{"op": "add", "path": "members"}],
        [{"op": "add", "path": "members", "value": None}],
        [{"op": "add", "path": "members[value", "value": [{"value": "x"}]}],
        [{"op": "remove", "path": 'members[value eq "x"'}],
        [{"op": "remove", "path": "members[nothing eq 1]"}],
        [{"op": "remove", "path": "members.value"}],
        [{"op": "add", "path": 'members[display eq "x"]', "value": {"type": "User"}}],
        [{"op": "remove", "path": "displayName"}],
        [{"op": "replace", "path": "displayName", "value": ""}],
        [{"op": "remove", "path": "membrs"}],
    ],
)
def test_a_group_patch_that_cannot_be(lite: Client, operations: Any) -> None:
    ann = lite.user("ann@acme.com")
    group = lite.group("Writers", ann)
    before = lite.get(f"/Groups/{group}")
    answer = lite.call("PATCH", f"/Groups/{group}", {"schemas": [PATCH_OP], "Operations": operations})
    assert answer.status == 400, answer
    assert lite.get(f"/Groups/{group}").body == before.body


def test_a_patch_that_fails_halfway_changes_nothing(scim: Client) -> None:
    ann, bo = scim.user("ann@acme.com"), scim.user("bo@acme.com")
    group = scim.group("Writers", ann)
    answer = scim.patch(
        f"/Groups/{group}",
        {"op": "replace", "path": "displayName", "value": "Authors"},
        {"op": "add", "path": "members", "value": [{"value": bo}]},
        {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    )
    assert answer.status == 400
    held = scim.get(f"/Groups/{group}").body
    assert (held["displayName"], [one["value"] for one in held["members"]]) == ("Writers", [ann])


@pytest.mark.parametrize(
    "asked",
    [
        "userName",
        'userName eq "x',
        'userName = "x"',
        'nothing eq "x"',
        "active gt true",
        'meta.created gt "yesterday"',
        'userName eq "a\\u0000b"',
        'userName eq "a\\ud800b"',
        "(" * 5000 + "userName pr" + ")" * 5000 + ")",
        " and ".join(["not (" * 40 + "userName pr" + ")" * 40]),
        " or ".join(f'userName eq "u{number}"' for number in range(201)),
        "1 eq 1; DROP TABLE users",
        "emails[emails[value pr]]",
        'groups.$ref eq "x"',
    ],
)
def test_a_filter_that_cannot_be(scim: Client, asked: str) -> None:
    for answer in (
        scim.get("/Users", filter=asked),
        scim.post("/Users/.search", {"schemas": [SEARCH], "filter": asked}),
    ):
        assert (answer.status, answer.body["scimType"]) == (400, "invalidFilter"), answer.body


@pytest.mark.parametrize(
    "value",
    [
        "' OR '1'='1",
        "'; DROP TABLE users; --",
        'x" or userName pr or userName eq "',
        "%",
        "_",
        "\\",
        "*",
        ":id",
        "%(id)s",
        "${1}",
        "{}",
        "\x01\x7f",
        "😀",
    ],
)
@pytest.mark.parametrize("op", ["eq", "co", "sw", "ew"])
def test_a_filter_s_value_is_only_a_value(scim: Client, op: str, value: str) -> None:
    scim.user("bo@acme.com", title="plain")
    odd = scim.user("ann@acme.com", title=value)
    asked = f"title {op} {json.dumps(value, ensure_ascii=False)}"
    assert scim.get("/Users", filter=asked).ids == [odd]
    assert scim.get("/Users").body["totalResults"] == 2


def test_200_comparisons_are_still_taken(scim: Client) -> None:
    ann = scim.user("u7")
    asked = " or ".join(f'userName eq "u{number}"' for number in range(200))
    assert scim.post("/Users/.search", {"schemas": [SEARCH], "filter": asked}).ids == [ann]
    deep = "(" * 200 + "userName pr" + ")" * 200
    assert scim.get("/Users", filter=deep).ids == [ann]


@pytest.mark.parametrize(
    "path",
    [
        "/Users/%00",
        "/Users/%ff",
        "/Users/..%2f..%2fGroups",
        "/Users/" + "x" * 5000,
        "/Users/%F0%9F%98%80",
        "/Users//x",
        "/%",
    ],
)
def test_an_address_that_cannot_be(lite: Client, path: str) -> None:
    for method in ("GET", "DELETE"):
        assert lite.call(method, path).status in (400, 404, 405)
    assert lite.call("GET", "/Users?filter=%ff").status == 400
    assert lite.call("GET", "/Users?count=%00").status == 400


def test_wrong_content_types(lite: Client) -> None:
    body = json.dumps(user()).encode()
    for kind in ("text/plain", "application/xml", "multipart/form-data", "json"):
        assert lite.call("POST", "/Users", body, content_type=kind).status == 415
    for encoding in ("gzip", "deflate", "br"):
        bomb = gzip.compress(b" " * 1_000_000)
        assert lite.call("POST", "/Users", bomb, content_encoding=encoding).status == 415
    for kind in ("application/json", "application/lite+json; charset=utf-8", ""):
        made = lite.call("POST", "/Users", body, content_type=kind)
        assert made.status == 201
        lite.delete(f"/Users/{made.body['id']}")


def test_bodies_of_50_mb(lite: Client) -> None:
    huge = b'{"schemas":["x"],"userName":"' + b"x" * MAX_BODY + b'"}'
    for method, path in (("POST", "/Users"), ("PUT", "/Users/x"), ("PATCH", "/Groups/x"), ("POST", "/Bulk")):
        assert lite.call(method, path, huge).status == 413
    with served(lite.db) as url, httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {lite.token}", "Content-Type": "application/lite+json"}
        answer = http.post(f"{PREFIX}/Users", content=b" " * 50_000_000, headers=headers)
        chunked = http.post(f"{PREFIX}/Users", content=(b" " * 1_000_000 for _ in range(50)), headers=headers)
        assert (answer.status_code, chunked.status_code) == (413, 413)
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert http.get(f"{PREFIX}/Users", headers=headers).json()["totalResults"] == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["userName", "name", "emails", "active", "schemas", "manager", "members", "displayName", "id"])
PATHS = st.sampled_from(["members", "emails", 'emails[type eq "work"].value', "name.givenName", "active", "", "x"])
OPERATION = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "Remove", "replace", "x"])},
    optional={"path": PATHS | st.text(max_size=6), "value": JSON},
)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(fresh(tmp_path_factory.mktemp("odd") / "org.db"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(NAMES, JSON, max_size=4), operations=st.lists(OPERATION, min_size=1, max_size=3))
def test_whatever_comes_it_is_no_server_error(odd: Client, body: dict[str, Any], operations: list[Any]) -> None:
    one = odd.user(f"u{odd.get('/Users', count=0).body['totalResults']}@acme.com")
    group = odd.group("g", one)
    for schema, path in ((USER, "/Users"), (GROUP, "/Groups")):
        target = f"{path}/{one if schema == USER else group}"
        whole = {"schemas": [schema], **body}
        patch = {"schemas": [PATCH_OP], "Operations": operations}
        for method, where, sent in (("POST", path, whole), ("PUT", target, whole), ("PATCH", target, patch)):
            raw = json.dumps(sent).encode()
            assert odd.call(method, where, raw).status < 500
