"""Name what a trace shows of an IdP, and what to do there, in the terms of its console."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Terms(NamedTuple):
    """The terms of one IdP. Actions with ``{group}`` are about a group; ``arrive`` is for a user that the org
    does not have although the IdP sends them.
    """

    name: str
    log: str
    running: str
    no_cycle: str
    sent: str
    not_sent: str
    whether_sent: str
    no_user: str
    activate: str
    map_address: str
    assign: str
    start: str
    send: str
    activate_push: str
    push_again: str
    retry_user: str
    provision_now: str
    arrive: str
    reactivate: str


OKTA = Terms(
    name="Okta",
    log="Okta's system log",
    running="The app is active",
    no_cycle="",
    sent="Pushed",
    not_sent="Not pushed to WRITER.",
    whether_sent="whether the group is pushed",
    no_user="Check the spelling; the username or the primary email in Okta must be this address",
    activate="Activate or unsuspend the user in Okta",
    map_address="In Okta, set the username of the user in the WRITER app to their email address",
    assign="In Okta, assign the user, or a group that the user is in, to the WRITER app",
    start="Activate the WRITER app in Okta",
    send="In Okta, push the group: WRITER app > Push Groups > {group}",
    activate_push="In Okta, activate group push: WRITER app > Push Groups > {group}",
    push_again="In Okta, push the group now: WRITER app > Push Groups > {group}",
    retry_user="In Okta, resolve the error and retry: Dashboard > Tasks",
    provision_now="Check that provisioning to the app is on: WRITER app > Provisioning > To App > Create Users",
    arrive="Resolve the steps that failed in Okta; if none did: WRITER app > Provisioning > To App > Create Users",
    reactivate="In Okta, check that the user is assigned to the app and active, then assign them again",
)

ENTRA = Terms(
    name="Entra",
    log="Entra's provisioning log",
    running="The provisioning job is running",
    no_cycle="it has no completed cycle yet",
    sent="Assigned to the app, so Entra sends it",
    not_sent="Not assigned to the app, so Entra does not send it.",
    whether_sent="whether the group is assigned to the app",
    no_user="Check the spelling; the user principal name or the mail address in Entra must be this address",
    activate="Enable the account in Entra",
    map_address="In Entra, give the user the attribute that the WRITER app maps to userName",
    assign="In Entra, assign the user, or a group that the user is a direct member of, to the WRITER app",
    start="In Entra, resolve the error, then start or restart it: WRITER app > Provisioning",
    send="In Entra, assign the group to the WRITER app: Users and groups > {group}",
    activate_push="In Entra, assign the group to the WRITER app: Users and groups > {group}",
    push_again="Wait for the next cycle (about 40 minutes), or in Entra: WRITER app > Provision on demand > {group}",
    retry_user="In Entra, resolve the error and retry: WRITER app > Provision on demand",
    provision_now="Wait for the next cycle (about 40 minutes), or in Entra: WRITER app > Provision on demand",
    arrive="Resolve the steps that failed in Entra; if none did, wait for the next cycle (about 40 minutes)",
    reactivate="In Entra, check that the account is enabled and assigned to the app; the next cycle activates it",
)


def terms_of(kind: Literal["okta", "entra"]) -> Terms:
    """Return the words for an IdP."""
    return OKTA if kind == "okta" else ENTRA
