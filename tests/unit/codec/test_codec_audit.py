"""Records of the audit log: what is recognized in styles that nobody has seen, and what is not guessed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rolecall.codec.audit import decode_record, is_other_organization, sections_of
from rolecall.codec.audit_table import is_documented

AT = datetime(2026, 11, 12, 9, 14, tzinfo=UTC)
LEGACY: dict[str, Any] = {
    "id": "1",
    "source": "legacy",
    "createdAt": "2026-11-12T09:14:00Z",
    "user": {"email": "ann@acme.com"},
    "area": "Sign in",
    "action": "Enable password",
    "result": "SUCCESS",
}
PLATFORM: dict[str, Any] = {
    "eventId": "2",
    "source": "platform",
    "timestamp": int(AT.timestamp() * 1000),
    "event": {"type": "user.role.changed", "outcome": {"status": "success"}},
    "actor": {"type": "user", "email": "ann@acme.com"},
    "target": {"type": "user", "name": "bo@acme.com"},
}


@pytest.mark.parametrize(("raw", "sections", "target"), [(LEGACY, ("sso",), ""), (PLATFORM, ("users",), "bo@acme.com")])
def test_both_styles_are_recognized(raw: dict[str, Any], sections: tuple[str, ...], target: str) -> None:
    record = decode_record(raw)
    assert (record.at, record.actor, record.result) == (AT, "ann@acme.com", "success")
    assert (record.sections, record.object, record.unrecognized, record.counts) == (sections, target, "", True)
    assert record.raw == raw


@pytest.mark.parametrize(
    ("area", "action", "sections"),
    [
        ("Sign in", "Disable password", ["sso"]),
        ("SAML", "Enabled", ["sso"]),
        ("SAML/Domain discoverability", "Enable SAML domain", ["domains", "sso"]),
        ("SAML/Domain discoverability", "Update domain discoverability settings", ["domains"]),
        ("Security", "Updated domain management settings", ["domains"]),
        ("Team", "Created team", ["teams"]),
        ("", "user.role_updated", ["users"]),
        ("User", "InviteUser", ["users"]),
        ("Billing groups", "Update a billing group", []),
        ("ServiceAccount", "Created service account", []),
        ("Style guide", "Created term", []),
        ("", "", []),
    ],
)
def test_an_action_is_about_sections(area: str, action: str, sections: list[str]) -> None:
    assert list(sections_of(area, action)) == sections


def test_nothing_is_about_scim_settings_and_groups() -> None:
    assert sections_of("SCIM", "Enabled") == ()
    assert sections_of("IdP groups", "Mapping updated") == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"result": "FAILURE"}, ""),
        ({"result": "pending"}, "unknown result"),
        ({"result": None}, "unknown result"),
        ({"createdAt": "yesterday"}, "no time"),
        ({"createdAt": "2026-11-12T09:14:00"}, "no time"),
        ({"action": None}, "no action"),
    ],
)
def test_what_does_not_prove_a_change_does_not_count(change: dict[str, Any], reason: str) -> None:
    record = decode_record({**LEGACY, **change})
    assert (record.unrecognized, record.counts) == (reason, False)


@pytest.mark.parametrize(
    ("parts", "result"),
    [
        ({"success": True}, "success"),
        ({"success": False}, "failure"),
        ({"outcome": {"result": "succeeded"}}, "success"),
        ({"status": 200}, "success"),
        ({"status": "403"}, "failure"),
        ({"result": "success", "status": "failed"}, "failure"),
        ({"status": "active"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_results(parts: dict[str, Any], result: str) -> None:
    assert decode_record({"action": "x", **parts}).result == result


@pytest.mark.parametrize(
    ("parts", "at"),
    [
        ({"timestamp": 1794474840}, AT),
        ({"ts": "1794474840000"}, AT),
        ({"time": "2026-11-12T10:14:00+01:00"}, AT),
        ({"data": {"occurred_at": "2026-11-12T09:14:00.000Z"}}, AT),
        ({"time": "soon", "created_at": "2026-11-12T09:14:00Z"}, AT),
        ({"timestamp": 12}, None),
        ({"timestamp": True}, None),
        ({"timestamp": 1e300}, None),
    ],
)
def test_times(parts: dict[str, Any], at: datetime | None) -> None:
    assert decode_record({"action": "x", **parts}).at == at


def test_a_domain_is_named() -> None:
    raw = {**LEGACY, "area": "Security", "action": "Updated domain management settings", "object": "Acme.com"}
    assert decode_record(raw).addresses == ("domains/acme.com",)
    assert decode_record({**raw, "object": "Settings"}).addresses == ("domains",)


def test_a_record_is_identified_by_its_content() -> None:
    assert decode_record(LEGACY).key == decode_record(dict(reversed(LEGACY.items()))).key
    assert decode_record(LEGACY).key != decode_record({**LEGACY, "id": "3"}).key


@pytest.mark.parametrize(
    ("parts", "organization"),
    [
        ({"organizationId": 4711}, "4711"),
        ({"event": {"org_id": "org_8817"}}, "org_8817"),
        ({"organization": {"id": "7", "name": "Acme"}}, "7"),
        ({"organization": {"name": "Acme"}}, ""),
        ({"org": "Acme"}, "Acme"),
        ({"organization": ["7"], "orgId": None}, ""),
        ({}, ""),
    ],
)
def test_the_organization_of_a_record(parts: dict[str, Any], organization: str) -> None:
    assert decode_record({**LEGACY, **parts}).organization == organization


UUID = "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b"


@pytest.mark.parametrize(
    ("stated", "writer", "other"),
    [
        ("4712", "4711", True),
        ("4711", "4711", False),
        ("org_1", "org_8817", True),
        ("team_1", "org_8817", False),
        (UUID.upper(), UUID, False),
        (UUID.replace("6", "7"), UUID, True),
        ("Acme", "4711", False),
        (UUID, "4711", False),
        ("", "4711", False),
    ],
)
def test_only_ids_of_one_form_are_compared(stated: str, writer: str, other: bool) -> None:
    assert is_other_organization(stated, writer) == other


@pytest.mark.parametrize(
    ("area", "action", "expected"),
    [
        ("Sign in", "Enable password", True),
        ("Style guide", "Created term", True),
        ("", "oauth_app.created", True),
        ("Team", "Exploded", False),
        ("SCIM", "Enabled", False),
        ("", "", False),
    ],
)
def test_actions_that_are_documented(area: str, action: str, expected: bool) -> None:
    assert is_documented(area, action) == expected
