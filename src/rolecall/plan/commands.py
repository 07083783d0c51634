"""Write the commands that make or apply a plan, with the flags that compute the same plan again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.model.change import Reason
from rolecall.model.kinds import BY_SECTION
from rolecall.model.paste import shell_word
from rolecall.model.policy import Allow
from rolecall.plan.value import OrgRef, Plan, Selection

FROM_A_FILE: tuple[Reason, ...] = ("rollback", "drift")
"""Reasons of changes that planning from the config would not give again: such a plan is applied from its file."""


FIND_CAUSE = "to find the cause: rolecall doctor"
"""The hint where the org or its users cannot be read."""


def plan_command(org: OrgRef, selection: Selection, once: Iterable[Allow], command: str = "") -> str:
    """Return ``rolecall plan -e prod --target idp_groups/A``.

    ``command`` makes a plan that is not from the config, such as ``rolecall rollback 12``; it includes the selection.
    """
    if command:
        return " ".join((command, *plan_flags(Selection(), once)))
    return " ".join((f"rolecall plan{env_flag(org)}", *plan_flags(selection, once)))


def new_plan(plan: Plan | None = None) -> str:
    """Return the hint ``make a new plan: rolecall plan -e prod --out FILE``, with the flags that make this plan again.

    Rollbacks and `drift --revert` make their plans themselves. None is a plan that cannot be read.
    """
    command = "rolecall plan" if plan is None else _command(plan)
    return f"make a new plan: {command}{'' if _OUT in command else _OUT}"


_OUT = " --out FILE"


def _command(plan: Plan) -> str:
    """Return the command that makes a plan; of a plan of 0.1.0 that is not from the config, as far as it is known."""
    reasons = {change.reason for change in plan.changes}
    command = plan.command
    if not command and "rollback" in reasons:
        command = f"rolecall rollback{env_flag(plan.org)} RUN"
    if not command and "drift" in reasons:
        command = f"rolecall drift{env_flag(plan.org)} --revert"
    return plan_command(plan.org, plan.selection, once(plan), command)


def once(plan: Plan) -> tuple[Allow, ...]:
    """Return the overrides of this run alone, which come after those of the config."""
    return plan.lifts[len(plan.desired.policy.allow) :]


def env_flag(org: OrgRef) -> str:
    """Return `` -e prod``, or nothing."""
    return f" -e {shell_word(org.env)}" if org.env else ""


def observe_command(org: OrgRef, section: str) -> str:
    """Return the command that records a section of an observed org again. It does not record users."""
    only = f" --only {section}" if section in BY_SECTION or section == "teams" else ""
    return f"rolecall observe{env_flag(org)}{only}"


READ_USERS = "update `people` and `coverage.people.taken_at` in the org's file, or read users from the IdP"
"""The way to read the users in the file of an observed org again."""


def reread_fix(org: OrgRef, section: str) -> str:
    """Return how to read a section of an observed org again, or the users in its file."""
    if section == "people":
        return f"To read them again: {READ_USERS}"
    return f"To read it again: {observe_command(org, section)}"


def plan_flags(selection: Selection, once: Iterable[Allow]) -> Iterator[str]:
    """Yield ``--target idp_groups/A``, ``--allow max_removals=3``: each flag with its value, quoted for a shell."""
    for flag, addresses in (("--target", selection.targets), ("--exclude", selection.excludes)):
        yield from (f"{flag} {shell_word(address)}" for address in addresses)
    if selection.only_expired:
        yield "--only expired"
    for override in once:
        yield f"--allow {override.guard}={override.up_to}"
