"""Describe the guards for people: what each checks, its setting, and whether it can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rolecall.model.policy import Band, Guards


class Description(NamedTuple):
    """A guard's subject, as a noun phrase, and what it does.

    ``setting`` is its key under `guards` in the configuration; empty for a guard without one. ``overridable``: an
    override (`allow`, or `--allow NAME=N` for one run) is accepted. ``firm``: it is accepted and has no effect.
    ``addressed``: only an override that names an address counts, so `--allow` is not accepted.
    """

    checks: str
    verdict: str
    setting: bool = False
    overridable: bool = True
    firm: bool = False
    addressed: bool = False


DESCRIPTIONS: Mapping[str, Description] = {
    "min_org_admins": Description(
        "Number of org admins, at any time during the apply.", "Blocks below the number.", True
    ),
    "required_org_admins": Description(
        "Users who must stay org admins.", "Blocks if one loses the role; requires approval for an unknown user.", True
    ),
    "require_self": Description("Whether the user of the token stays org admin.", "Blocks.", True, overridable=False),
    "max_people_losing_access": Description(
        "Number of users who lose access.", "Requires approval or blocks above a limit.", True
    ),
    "max_removals": Description(
        "Number of deleted domains and unmapped groups.", "Requires approval or blocks above a limit.", True
    ),
    "escalations": Description(
        "Users who gain a role above member.", "Requires approval; blocks if set to deny.", True
    ),
    "protect": Description("Entries with `protect: true` that are removed or weakened.", "Blocks."),
    "sign_in": Description(
        "Users who can no longer sign in.",
        "Requires approval; blocks for required org admins and the user of the token.",
    ),
    "upgrade": Description(
        "Steps of the upgrade to the new SCIM endpoint.", "Blocks steps that cannot be undone safely."
    ),
    "idp_target": Description("Whether the app in the IdP is WRITER's.", "Blocks.", overridable=False),
    "unpush_mapped": Description("Groups that are no longer pushed and stay mapped.", "Blocks."),
    "deprovisions": Description(
        "Users who lose the app in the IdP.",
        "Requires approval or blocks above a limit; an override must name an address.",
        True,
        addressed=True,
    ),
    "assigned_and_pushed": Description("Groups that would be both assigned and pushed in Okta.", "Blocks."),
    "preconditions": Description("Changes that the org would refuse.", "Blocks.", overridable=False),
    "possible_rename": Description("An unmapped group that may have been renamed in the IdP.", "Requires approval."),
    "unread": Description(
        "Settings and users that could not be read.", "Blocks; requires approval for users of an observed org."
    ),
    "observed_age": Description(
        "Time since the settings of an observed org were recorded.", "Requires approval or blocks above a limit.", True
    ),
    "policy": Description("A policy (see below) that is less strict than the one last applied.", "Requires approval."),
    "approval": Description(
        "Approval recorded in another system, if configured: none, recorded, or other_person (not the author of the "
        "change, nor the user who applies it).",
        "Requires `apply --approval FILE`.",
        True,
        firm=True,
    ),
    "foreign": Description("Settings last applied from another configuration.", "Requires approval."),
    "older": Description("A commit that is older than the one last applied.", "Requires approval."),
}
"""Guard -> its description, in the order of reports."""


def default_text(name: str) -> str:
    """Return the default of a guard's setting as a sentence with a space before it; nothing for a guard without one."""
    if not DESCRIPTIONS[name].setting:
        return ""
    value = getattr(Guards(), name)
    if isinstance(value, Band):
        days = "d" if name == "observed_age" else ""
        limits = ((step, limit) for step, limit in (("review", value.review), ("block", value.block)) if limit)
        text = ", ".join(f"{step} above {limit}{days}" for step, limit in limits)
    elif isinstance(value, bool):
        text = str(value).lower()
    else:
        text = ", ".join(sorted(set(value.values()))) if isinstance(value, Mapping) else str(value or "none")
    return f" Default: {text}."
