"""Describe the guards for people: what each checks, its setting, and whether it can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Description(NamedTuple):
    """A guard's subject, as a noun phrase, and what it does.

    ``setting`` is its key under `guards` in the configuration; empty for a guard without one. ``overridable``: an
    override (`allow`, or `--allow NAME=N` for one run) applies to it.
    """

    checks: str
    verdict: str
    setting: bool = False
    overridable: bool = True


DESCRIPTIONS: Mapping[str, Description] = {
    "min_org_admins": Description(
        "Number of org admins, at any time during the apply.", "Blocks below the number.", True
    ),
    "required_org_admins": Description(
        "Users who must stay org admins.", "Blocks if one loses the role; requires approval for an unknown user.", True
    ),
    "require_self": Description("Whether you, the caller, stay org admin.", "Blocks.", True, overridable=False),
    "max_people_losing_access": Description(
        "Number of users who lose access.", "Requires approval or blocks above a limit.", True
    ),
    "max_removals": Description(
        "Number of deleted domains and unmapped groups.", "Requires approval or blocks above a limit.", True
    ),
    "escalations": Description(
        "Users who gain a role above member.", "Requires approval, or blocks if set to deny.", True
    ),
    "protect": Description("Entries with `protect: true` that are removed or weakened.", "Blocks."),
    "sign_in": Description(
        "Users who can no longer sign in.", "Requires approval; blocks for required org admins and for you."
    ),
    "upgrade": Description(
        "Steps of the upgrade to the new SCIM endpoint.", "Blocks steps that cannot be undone safely."
    ),
    "preconditions": Description("Changes that the org would refuse.", "Blocks.", overridable=False),
    "possible_rename": Description("An unmapped group that may have been renamed in the IdP.", "Requires approval."),
    "unread": Description(
        "Settings and users that could not be read.", "Blocks; requires approval for users of an observed org."
    ),
    "observed_age": Description("Age of the reading of an observed org.", "Requires approval above a limit.", True),
    "policy": Description("A policy that is less strict than the one last applied.", "Requires approval."),
    "approval": Description("Whether a recorded approval is required.", "Requires `apply --approval FILE`.", True),
    "foreign": Description("Settings last applied from another configuration.", "Requires approval."),
    "older": Description("A commit that is older than the one last applied.", "Requires approval."),
}
"""Guard -> its description, in the order of reports."""
