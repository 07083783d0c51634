"""Test the JSON of the API contract: items, bodies, and errors in whatever form a server sends them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from rolecall.codec import api
from rolecall.codec.api import Item
from rolecall.codec.capabilities import SEARCH
from rolecall.model.live import Caller, Facts, Group
from rolecall.model.outcome import Event
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.settings import BLANK, UNSET, Defaults, Domain, GroupMapping, Scim, Section, Settings, Sso, Value

LEGAL = frozenset({"Legal"})

ITEMS: list[tuple[Section, Item]] = [
    ("domains", Item("acme.com", Domain(True, "approval"), '"1"')),
    ("defaults", Item(None, Defaults("member", LEGAL), '"2"')),
    ("sso", Item(None, Sso(True, "Okta", "okta", False, False, "<md/>"), '"3"')),
    ("scim", Item(None, Scim(True, "okta", "new", False), '"4"')),
    ("idp_groups", Item("A/B", GroupMapping("editor", LEGAL), '"5"', Group("g1", "e1", 12))),
    ("idp_groups", Item("All", BLANK, '"6"', Group("g2"))),
    ("idp_groups", Item("Legacy", GroupMapping(None, LEGAL), '"7"', Group("g3", None, 0))),
]


@pytest.mark.parametrize("section, item", ITEMS)
def test_an_item_there_and_back(section: Section, item: Item) -> None:
    sent = json.loads(json.dumps(api.encode_item(section, item)))
    roles = {**BUILT_IN, "editor": Role("editor", "Editor")}
    assert api.decode_item(section, sent, roles) == item


def test_a_group_looks_as_the_contract_says() -> None:
    assert api.encode_item("idp_groups", ITEMS[4][1]) == {
        "id": "g1",
        "name": "A/B",
        "external_id": "e1",
        "member_count": 12,
        "mapping": {"role": "editor", "teams": ["Legal"]},
        "etag": '"5"',
    }
    assert api.encode_item("idp_groups", ITEMS[5][1])["mapping"] is None


def test_what_the_org_gives_out_is_passed_over() -> None:
    told = {"enabled": True, "unique_identifier": "email", "endpoint_url": "https://x", "etag": '"1"'}
    assert api.decode_item("scim", told) == Item(None, Scim(enabled=True), '"1"')


@pytest.mark.parametrize(
    "section, value, body",
    [
        ("scim", Scim(manual_editing=True, role_attribute="role"), {"manual_editing": True}),
        ("sso", Sso(metadata=None, name="Okta"), {"name": "Okta", "metadata": None}),
        ("defaults", Defaults(UNSET, frozenset({"B", "A"})), {"teams": ["A", "B"]}),
        ("idp_groups", GroupMapping("member", LEGAL), {"role": "member", "teams": ["Legal"]}),
        ("idp_groups", GroupMapping(None, LEGAL), {"role": None, "teams": ["Legal"]}),
        ("domains", Domain(), {}),
    ],
)
def test_a_body_has_only_what_is_said_and_can_be_stored(section: Section, value: Value, body: dict[str, Any]) -> None:
    assert api.encode_body(section, value) == body


@pytest.mark.parametrize("missing", ["id", "name", "mapping", "etag"])
def test_a_group_without_a_promised_field_is_an_error(missing: str) -> None:
    sent = api.encode_item("idp_groups", ITEMS[4][1])
    del sent[missing]
    with pytest.raises(KeyError):
        api.decode_item("idp_groups", sent)


def test_an_etag_that_is_no_text_is_an_error() -> None:
    with pytest.raises(ValueError):
        api.decode_item("defaults", {"role": "member", "teams": ["A"], "etag": 1})


@pytest.mark.parametrize(
    "section, wrong",
    [
        ("domains", {"name": "acme.com", "discoverable": "yes"}),
        ("domains", {"name": "acme.com", "join": "later"}),
        ("domains", {"name": 3}),
        ("defaults", {"role": None}),
        ("defaults", {"teams": "Everyone"}),
        ("defaults", {"teams": [1]}),
        ("sso", {"enabled": None}),
        ("sso", {"metadata": {}}),
        ("scim", {"endpoint": "old"}),
        ("scim", {"endpoint": []}),
        ("scim", {"manual_editing": 1}),
        ("idp_groups", {"id": "g", "name": "A", "mapping": {"role": 1, "teams": []}}),
        ("idp_groups", {"id": "g", "name": "A", "mapping": {"role": "member", "teams": {}}}),
        ("idp_groups", {"id": "g", "name": "A", "mapping": "blank"}),
        ("idp_groups", {"id": 1, "name": "A", "mapping": None}),
    ],
    ids=range(15),
)
def test_a_value_that_cannot_be_is_an_error(section: Section, wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, AttributeError)):
        api.decode_item(section, {**wrong, "etag": '"1"'})


def test_an_error_in_the_words_of_scim() -> None:
    assert api.decode_error({"status": "401", "detail": "no such token"}).message == "no such token"


def test_the_org_there_and_back() -> None:
    facts = Facts(
        org_id="org_1",
        org_name="acme",
        plan="enterprise",
        local=True,
        caller=Caller("ann@acme.com", org_admin=False),
        can=frozenset({"domains.create", SEARCH}),
        features=frozenset({"scim"}),
        people=3,
        active_people=2,
        limits={"page": 1000, "per_minute": 400},
    )
    sent = json.loads(json.dumps(api.encode_org(facts)))
    assert api.decode_org(sent) == facts
    assert sent["caller"] == {"type": "person", "email": "ann@acme.com", "rights": "none"}


def test_a_capability_we_do_not_know_is_not_ours_to_use() -> None:
    sent = api.encode_org(Facts(org_id="o", can=frozenset({"scim.update", "billing.update"})))
    assert api.decode_org(sent).can == {"scim.update"}


def test_what_scim_tells_beside_its_settings_there_and_back() -> None:
    legacy = (api.LegacyGroup("g1", "A", LEGAL), api.LegacyGroup("g2", "B", frozenset()))
    kept = Settings(scim=Scim(True, endpoint="new"), idp_groups={"A": GroupMapping("member", LEGAL)})
    for told in (api.NO_SCIM_FACTS, api.ScimFacts((), None), api.ScimFacts(legacy, kept)):
        assert api.decode_scim_facts(json.loads(json.dumps(api.encode_scim_facts(told)))) == told


@pytest.mark.parametrize("field", [{"key": 3}, {"source_ip": []}, {"at": "2026-11-22T10:00:00"}, {"at": 5}])
def test_an_event_of_wrong_types_is_refused(field: dict[str, object]) -> None:
    event = Event("e1", datetime(2026, 11, 22, tzinfo=UTC), "ann@acme.com", "api", "idp_groups/A")
    with pytest.raises((ValueError, TypeError)):
        api.decode_event(api.encode_event(event) | field)


def test_an_event_there_and_back() -> None:
    at = datetime(2026, 11, 22, 10, 0, 1, 5000, tzinfo=UTC)
    event = Event("e1", at, "ann@acme.com", "api", "idp_groups/A", None, {"role": "member"}, "rolecall/1/2/3", "::1")
    assert api.decode_event(json.loads(json.dumps(api.encode_event(event)))) == event


def test_roles_there_and_back() -> None:
    for role in (*BUILT_IN.values(), Role("editor", "Editor", "org")):
        assert api.decode_role(api.encode_role(role)) == role


def test_an_error_there_and_back() -> None:
    sent = api.encode_error("Forbidden", "no", "scim_not_in_plan", plan="team")
    assert api.decode_error(sent) == ("Forbidden", "no", "scim_not_in_plan", {"plan": "team"})


@pytest.mark.parametrize(
    "body", [None, [], "<html>", {}, {"errors": 3}, {"errors": [1, None]}, {"tpe": 4, "errors": {}}]
)
def test_an_error_from_whatever_a_server_sends(body: Any) -> None:
    assert api.decode_error(body) == ("", "", None, {})


def test_an_error_with_fields_of_wrong_types_keeps_what_fits() -> None:
    body = {"tpe": "X", "errors": [{"description": 1, "key": [], "extras": 2}, {"description": "two"}]}
    assert api.decode_error(body) == ("X", "two", None, {})
