"""Reads the WRITER app in Okta part by part: a part that cannot be read leaves the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rolecall.live.people.idp_client import IdpClient, url_host
from rolecall.live.people.okta_records import APPS, GROUPS, SCHEMAS, sends_role, stopped
from rolecall.model.idp_app import AppPart, IdpApp
from rolecall.model.trace import NotRead

Json = Any
SIGN_ON = ("ssoAcsUrl", "audience", "recipient", "destination", "ssoAcsUrlOverride", "audienceOverride")
"""Keys of a SAML app's sign-on settings that may have a URL of the service, or its host alone."""


async def read_parts(client: IdpClient, app: str, host: str) -> IdpApp:
    """Return the app; ``app`` is its id, already quoted, ``host`` that of the Okta org."""
    path = f"/api/v1/apps/{app}"

    async def state() -> tuple[str, frozenset[str]]:
        answer = await client.read_object(path)
        return stopped({**answer, "status": answer["status"]}) or "active", frozenset(app_hosts(answer))

    async def assignments() -> str:
        assigned = client.uncut(f"{path}/groups", await client.read_linked(f"{path}/groups", ("limit", "200")))
        return f"{len(assigned):,} groups"

    async def pushes() -> str:
        name = f"{path}/group-push/mappings"
        mappings = client.uncut(name, await client.read_linked(name, ("limit", "100")))
        failing = sum(mapping["status"] == "ERROR" for mapping in mappings)
        off = sum(mapping["status"] == "INACTIVE" for mapping in mappings)
        return f"{len(mappings):,} groups{f', {failing:,} failing' if failing else ''}{f', {off:,} off' if off else ''}"

    async def role_attribute() -> str:
        schema = await client.read_object(f"/api/v1/meta/schemas/apps/{app}/default")
        return "sent" if sends_role(schema) else "not sent"

    answer = await client.answered(state(), APPS)
    parts = (
        AppPart("app", answer if isinstance(answer, NotRead) else answer[0]),
        AppPart("assignments", await client.answered(assignments(), APPS)),
        AppPart("pushes", await client.answered(pushes(), f"{APPS} and {GROUPS}")),
        AppPart("role attribute", await client.answered(role_attribute(), SCHEMAS)),
    )
    return IdpApp(f"Okta, {host}, app {app}", answer if isinstance(answer, NotRead) else answer[1], parts)


def app_hosts(app: Json) -> Iterator[str]:
    """Yield the hosts of the URLs of the service in the app's settings."""
    settings = app.get("settings") or {}
    sign_on = settings.get("signOn") or {}
    urls = [_with_scheme(sign_on.get(key)) for key in SIGN_ON]
    yield from filter(None, map(url_host, (*urls, *(settings.get("app") or {}).values())))


def _with_scheme(value: Json) -> Json:
    """Return a sign-on setting as a URL, also one that is a host alone."""
    return f"https://{value}" if isinstance(value, str) and "://" not in value else value
