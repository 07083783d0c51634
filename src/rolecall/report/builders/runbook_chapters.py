"""Chapters of a runbook that are the same for every org: setting up Okta and Entra, rotating the SCIM token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

PLACE = "Admin > Access & provisioning"
ENDPOINT = "https://app.writer.com/api/scim/v2"


class Chapter(NamedTuple):
    """A heading, sentences under it, and things to tick off, in order. ``never`` are things not to do."""

    title: str
    text: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


BEFORE = Chapter(
    "What you need",
    ("You need to be an org admin in WRITER and an admin of the app in the IdP.",),
    (
        f"The e-mail domain is claimed: {PLACE} > Access (R1).",
        f"SSO works: {PLACE} > SSO, and somebody has signed in with it. SCIM comes after it (R1).",
        f"The default role and teams are set: {PLACE} > Access. People in no mapped group get them (R7).",
        "One org admin can get in without the IdP, or by a group that is mapped already: the break-glass admin.",
        f"From {PLACE} > SCIM you have the endpoint ({ENDPOINT}), the unique identifier (email) and the bearer token. "
        "The token is shown once: put it into the IdP and nowhere else.",
    ),
)

OKTA = (
    BEFORE,
    Chapter(
        "In Okta: the connection",
        (),
        (
            "Applications > the WRITER app > General > App Settings > Edit: Provisioning is SCIM. Save.",
            f"Provisioning > Integration > Edit: the base URL is {ENDPOINT}, the unique identifier field is email.",
            "Supported provisioning actions: Push New Users, Push Profile Updates, Push Groups. "
            "Leave Import New Users and Profile Updates, and Import Groups, off: WRITER does not support them.",
            "Authentication mode: HTTP Header; paste the bearer token. Test Connector Configuration, then save.",
            "Provisioning > To App > Edit: Create Users, Update User Attributes and Deactivate Users are on.",
        ),
    ),
    Chapter(
        "In Okta: people and groups",
        ("A person gets there only when assigned to the app; pushing a group sends its name and members (R30).",),
        (
            "Assignments: assign a group that holds everybody who shall use WRITER.",
            "Push Groups: push each group that shall give access, by name or by rule. Use other groups than the one "
            "that is assigned: Okta advises against doing both with one.",
            "Everybody in a pushed group is assigned to the app, by that other group.",
            f"{PLACE} > IdP groups shows each pushed group. Map them by rolecall plan and apply.",
        ),
        (
            "Do not send the role attribute: on the new endpoint roles come from groups alone (R19).",
            "Never unlink a pushed group with Delete the group in the target app: its mapping is gone with it.",
        ),
    ),
)

ENTRA = (
    BEFORE,
    Chapter(
        "In Entra: the connection",
        (),
        (
            "Enterprise applications > the WRITER app > Provisioning > Connect your application.",
            f"Provisioning mode: Automatic. Tenant URL: {ENDPOINT}. Secret token: the bearer token. Test, then save.",
            "Mappings: users and groups are both on. Add a mapping from mailNickname to externalId for users.",
        ),
    ),
    Chapter(
        "In Entra: people and groups",
        ("Only direct members count: Entra sends none of a group within a group (R29).",),
        (
            "Users and groups > Add user/group: assign each group that shall give access.",
            "Provisioning > Settings: the scope is Sync only assigned users and groups. With everybody in scope, "
            "every account of the directory comes to WRITER.",
            "Provisioning status: On. The first cycle takes from twenty minutes to hours.",
            f"{PLACE} > IdP groups shows each group. Map them by rolecall plan and apply.",
        ),
        (
            "Do not map appRoleAssignments under the new endpoint: roles come from groups alone (R19). On the legacy "
            "one use SingleAppRoleAssignment([appRoleAssignments]), as Microsoft asks for.",
            "Never delete the app or its provisioning to start over: people are deactivated on the way.",
        ),
    ),
)

TOKEN = (
    Chapter(
        "Before you rotate",
        (
            "The token is the IdP's way in. While it is wrong nobody is provisioned and nobody deactivated; what "
            "people have stays as it is.",
        ),
        (
            "Somebody with admin rights in the IdP is at hand, now.",
            "Nobody else is changing groups in the IdP for the next half hour.",
            "Know who else uses the token. Nothing but the IdP should: rolecall never needs one of its own.",
        ),
    ),
    Chapter(
        "Rotate",
        (),
        (
            f"{PLACE} > SCIM: make a new token. Copy it; it is shown once.",
            "In Okta: Provisioning > Integration > Edit, paste it under HTTP Header, test, save. "
            "In Entra: Provisioning > Admin credentials, paste it as the secret token, test, save.",
            "Let the IdP send something: in Okta push one group again, in Entra provision one person on demand.",
            f"See it arrive: {PLACE} > IdP groups, or the person's name.",
            "Revoke the old token, if the page shows one: only now.",
            "Have the IdP retry what failed in between: Okta's Dashboard > Tasks, Entra's Provisioning > Restart.",
        ),
        (
            "Never revoke the old token before the new one has been tested, where two can stand side by side.",
            "Never paste the token into a ticket, a chat or a repo.",
        ),
    ),
)

GUIDES: Mapping[str, tuple[str, tuple[Chapter, ...]]] = {
    "okta": ("Set up SCIM with Okta", OKTA),
    "entra": ("Set up SCIM with Entra", ENTRA),
    "token": ("Rotate the SCIM token", TOKEN),
}
"""What `runbook NAME` writes without a plan: a title and its chapters."""
