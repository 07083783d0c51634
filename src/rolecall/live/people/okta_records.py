"""Reads single records of Okta's management API: users of the app, mappings of pushed groups, times, errors."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from rolecall.live.http import refusals
from rolecall.live.people.idp_client import Idp
from rolecall.live.people.idp_requests import OKTA_REQUESTS
from rolecall.live.people.scim import EXTENSION

Json = Any

OKTA = Idp(refusals.OKTA, lambda body: str(body.get("errorSummary") or ""), OKTA_REQUESTS)
SENT = frozenset({"ACTIVE", "APPROVED", "IMPLICIT", "IMPORTED", "MATCHED", "PENDING", "PROVISIONED", "STAGED"})
"""States of an app user who is, or is about to be, in WRITER."""


def address_of(user: Json) -> str | None:
    """Return the address that Okta sends for an app user: the username in the app, or else the profile's email."""
    return next(filter(_is_email, (part(user, "credentials", "userName"), part(user, "profile", "email"))), None)


def part(user: Json, name: str, key: str | None) -> Json:
    """Return a value of a nested object, None without the object."""
    values = user.get(name)
    return values.get(key) if isinstance(values, dict) else None


def source_app(group: Json) -> str | None:
    """Return the app that a group was imported from, as are the targets of pushes; None for a group of Okta's own."""
    link = part(group.get("_links") or {}, "source", "href")
    return part(group, "source", "id") or (link.rpartition("/")[2] if isinstance(link, str) else None)


APPS, GROUPS, USERS, LOGS = "okta.apps.read", "okta.groups.read", "okta.users.read", "okta.logs.read"
SCHEMAS = "okta.schemas.read"
"""The scopes of reads, by what they read."""
READS = MappingProxyType(
    {
        APPS: "reading assignments, pushed groups and users",
        GROUPS: "reading groups and their members",
        USERS: "why --trace",
        LOGS: "why --trace",
        SCHEMAS: "the check for a role attribute that is still sent",
    }
)
"""The scopes that rolecall reads with, and what for."""
SCOPES = tuple(READS)
"""The scopes that rolecall reads with. Those that the app lacks are left out."""
WRITES = MappingProxyType({"okta.apps.manage": "writing assignments", "okta.groups.manage": "writing pushed groups"})
"""The scopes that rolecall writes with, and what for."""
WRITE_SCOPES = tuple(WRITES)
"""The scopes that rolecall writes with. Without the second one, only assignments can be written."""


def sends_role(schema: Json) -> bool:
    """Return whether the schema of the app's users maps an attribute into WRITER's extension."""
    own = ((schema.get("definitions") or {}).get("custom") or {}).get("properties") or {}
    return any(str(definition.get("externalNamespace") or "").startswith(EXTENSION) for definition in own.values())


def stopped(app: Json) -> str | None:
    """Return why an app sends nothing, or None."""
    status = str(app.get("status") or "ACTIVE")
    return None if status == "ACTIVE" else f"the app is {status.lower()}"


def _is_email(value: Json) -> bool:
    return isinstance(value, str) and "@" in value
