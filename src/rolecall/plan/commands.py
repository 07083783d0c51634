"""Write the commands that make or apply a plan, with the flags that compute the same plan again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.model.change import Reason
from rolecall.model.kinds import BY_SECTION
from rolecall.model.paste import shell_word
from rolecall.model.policy import Allow
from rolecall.plan.value import OrgRef, Selection

FROM_A_FILE: tuple[Reason, ...] = ("rollback", "drift")
"""Reasons of changes that planning from the config would not give again: such a plan is applied from its file."""


def plan_command(org: OrgRef, selection: Selection, once: Iterable[Allow], command: str = "") -> str:
    """Return ``rolecall plan -e prod --target idp_groups/A``.

    ``command`` makes a plan that is not from the config, such as ``rolecall rollback 12``; it includes the selection.
    """
    if command:
        return " ".join((command, *plan_flags(Selection(), once)))
    return " ".join((f"rolecall plan{env_flag(org)}", *plan_flags(selection, once)))


def env_flag(org: OrgRef) -> str:
    """Return `` -e prod``, or nothing."""
    return f" -e {shell_word(org.env)}" if org.env else ""


def observe_command(org: OrgRef, section: str) -> str:
    """Return the command that reads a section of an observed org again; users are read with the whole org."""
    only = f" --only {section}" if section in BY_SECTION else ""
    return f"rolecall observe{env_flag(org)}{only}"


def plan_flags(selection: Selection, once: Iterable[Allow]) -> Iterator[str]:
    """Yield ``--target idp_groups/A``, ``--allow max_removals=3``: each flag with its value, quoted for a shell."""
    for flag, addresses in (("--target", selection.targets), ("--exclude", selection.excludes)):
        yield from (f"{flag} {shell_word(address)}" for address in addresses)
    if selection.only_expired:
        yield "--only expired"
    for override in once:
        yield f"--allow {override.guard}={override.up_to}"
