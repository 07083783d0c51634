"""Names the rules about access in WRITER that rolecall follows; `docs/rules.md` explains each with an example."""

from __future__ import annotations

from collections.abc import Mapping

RULE_TITLES: Mapping[str, str] = {
    "R1": "Settings have an order",
    "R2": "Default access is one role on at least one team",
    "R3": "The default role is member or team admin",
    "R4": "Every user has a team",
    "R5": "SAML users have default access until an admin edits them",
    "R6": "An invitation gives one role on one or more teams",
    "R7": "Without a mapped group: default access",
    "R8": "With mapped groups: the access of all of them, without default access",
    "R9": "Two roles in one team: the higher one counts",
    "R10": "An unmapped group gives nothing",
    "R11": "SCIM takes precedence over SAML",
    "R12": "SCIM takes precedence over an invitation",
    "R13": "Access by a group takes precedence over anything else",
    "R14": "With manual editing off, manual edits do not count",
    "R15": "With manual editing on, edits are added to the access by groups",
    "R16": "Without groups, edits are added to default access",
    "R17": "Manual editing affects SCIM users only",
    "R18": "Legacy: teams from default access and linked groups, org admin from an attribute",
    "R19": "New: the attribute is not read",
    "R20": "The upgrade goes from legacy to upgrading to new, and not back",
    "R21": "Org admin is org-wide",
    "R22": "Leaving a group removes its access",
    "R23": "Inactive users have no access",
    "R24": "Reactivated users are evaluated again",
    "R25": "A mapping of a deleted team or group gives nothing",
    "R26": "Joining without an invitation",
    "R27": "Passwords follow their setting",
    "R28": "An email address identifies one user",
    "R29": "Only direct members of a group count",
    "R30": "Okta: assigned to the app and member of a pushed group",
    "R31": "A mapping with teams and no role gives the default role there",
    "R32": "Every team role has its reasons, the one that counts first",
    "R33": "SCIM off: its users keep their access",
    "R34": "Org-level roles decide who can change settings",
    "R35": "A Lite seat is for team members",
    "R36": "A role at org level is separate from team roles",
}
"""Number of a rule -> its title, in the order of `docs/rules.md`."""
