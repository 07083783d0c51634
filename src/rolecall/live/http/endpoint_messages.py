"""Whom requests go to, as messages call them: the org, or where its people come from."""

from __future__ import annotations

from typing import Final, NamedTuple


class Party(NamedTuple):
    """``code`` begins the codes of problems, ``name`` is what messages say, ``setting`` is the key of the config that
    names its URL, ``token`` and ``rights`` are what to do when the token is not taken or may not read."""

    code: str
    name: str
    setting: str
    token: str
    rights: str


ORG: Final = Party(
    "org",
    "the org",
    "org.url",
    "check that it is whole, not expired or revoked, and for this org's admin API rather than for SCIM",
    "use the token of an org admin: only org admins may see and change these settings",
)

SCIM: Final = Party(
    "scim",
    "the SCIM server",
    "people.scim",
    "check that `people.token` is whole, not expired or revoked",
    "use a token that may read users and groups",
)

OKTA: Final = Party(
    "okta",
    "Okta",
    "people.okta",
    "check that `people.token` is whole, not expired or revoked",
    "use a token of an admin who may read apps, groups and users (okta.apps.read, okta.groups.read)",
)

GRAPH: Final = Party(
    "graph",
    "Microsoft Graph",
    "people.url",
    "check `people.token`, or `people.client_id` and `people.client_secret`",
    "grant the app registration Application.Read.All, GroupMember.Read.All and Synchronization.Read.All",
)
