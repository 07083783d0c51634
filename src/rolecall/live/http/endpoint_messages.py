"""What messages say of the server that requests go to: the org, or a source of its users."""

from __future__ import annotations

from typing import Final, NamedTuple


class EndpointMessages(NamedTuple):
    """The words for one server.

    ``code`` begins the codes of problems, ``name`` is the server's, ``setting`` is the config key of its URL, ``token``
    and ``rights`` are hints for a token that is refused or may not read.
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
    "check that it is whole, not expired or revoked, and for this org's admin API rather than for SCIM",
    "use the token of an org admin: only org admins may see and change these settings",
)

SCIM: Final = EndpointMessages(
    "scim",
    "the SCIM server",
    "people.scim",
    "check that `people.token` is whole, not expired or revoked",
    "use a token that may read users and groups",
)

OKTA: Final = EndpointMessages(
    "okta",
    "Okta",
    "people.okta",
    "check that `people.token` is whole, not expired or revoked",
    "use a token of an admin who may read apps, groups and users (okta.apps.read, okta.groups.read)",
)

GRAPH: Final = EndpointMessages(
    "graph",
    "Microsoft Graph",
    "people.url",
    "check `people.token`, or `people.client_id` and `people.client_secret`",
    "grant the app registration Application.Read.All, GroupMember.Read.All and Synchronization.Read.All",
)
