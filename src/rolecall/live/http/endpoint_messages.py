"""Provides the texts about the server that requests go to: the org, or a source of its users."""

from __future__ import annotations

from typing import Final, NamedTuple


class EndpointMessages(NamedTuple):
    """The texts for one server.

    ``code`` is the prefix of problem codes, ``name`` is the server's name, ``setting`` is the configuration key of its
    URL, ``token`` and ``rights`` are hints for a token that is refused or lacks permission.
    """

    code: str
    name: str
    setting: str
    token: str
    rights: str


ORG: Final = EndpointMessages(
    "org",
    "the org",
    "org.url",
    "check that the token is complete, not expired or revoked, and for this org's admin API instead of SCIM",
    "use the token of an org admin; only org admins can view and change these settings",
)

SCIM: Final = EndpointMessages(
    "scim",
    "the SCIM server",
    "people.scim",
    "check that `people.token` is complete, not expired or revoked",
    "use a token that can read users and groups",
)

OKTA: Final = EndpointMessages(
    "okta",
    "Okta",
    "people.okta",
    "check that `people.token` is complete, not expired or revoked",
    "use the token of an admin who can read apps, groups and users (okta.apps.read, okta.groups.read)",
)

GRAPH: Final = EndpointMessages(
    "graph",
    "Microsoft Graph",
    "people.url",
    "check `people.token`, or `people.client_id` and `people.client_secret`",
    "grant the app registration Application.Read.All, GroupMember.Read.All and Synchronization.Read.All",
)
