"""Answer commands and options that other tools have and rolecall does not: what to type instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import click

COMMANDS: Mapping[str, str] = {
    "check": "to check the configuration: rolecall validate",
    "destroy": "rolecall never deletes an org. To unmap a group, write `GROUP: blank`; to stop managing a section, "
    "remove it from the configuration",
    "diff": "to see what would change: rolecall plan; what changed outside rolecall: rolecall drift",
    "dump": "to write the org as a configuration: rolecall export",
    "format": "to format the configuration: rolecall fmt",
    "get": "to see who has which access: rolecall access",
    "import": "to add what the org has to the configuration: rolecall export --update",
    "lint": "to check the configuration: rolecall validate",
    "list": "to see who has which access: rolecall access",
    "log": "to see past runs: rolecall history",
    "login": "rolecall reads a token: set `org.token` in the configuration, then run rolecall doctor",
    "output": "for a plan as JSON: rolecall show plan.json --format json",
    "refresh": "every command reads the org again. To see what changed outside rolecall: rolecall drift. For an org "
    "without an API: rolecall observe",
    "revert": "to restore what a run changed: rolecall rollback RUN; what changed outside rolecall: rolecall drift "
    "--revert",
    "state": "rolecall has no state file. For what the org has: rolecall access; for past runs: rolecall history",
    "status": "to see what would change: rolecall plan; what changed outside rolecall: rolecall drift",
    "sync": "to apply the configuration: rolecall apply",
    "undo": "to restore what a run changed: rolecall rollback RUN",
    "upgrade": "to update rolecall: pip install --upgrade rolecall. For the SCIM endpoint: set `scim.endpoint: new`",
    "workspace": "one configuration per org is an overlay, env/NAME.yaml: rolecall --env NAME plan",
}
"""Command of another tool -> what to do here."""

OPTIONS: Mapping[str, str] = {
    "chdir": "-C DIR",
    "destroy": "rolecall never deletes an org; to unmap a group, write `GROUP: blank` in the configuration",
    "dry-run": "use rolecall plan, which never writes to the org",
    "force": "--allow GUARD=N",
    "groups": "use rolecall why --groups A,B",
    "json": "--format json",
    "refresh-only": "use rolecall drift",
    "refresh": "every command reads the org again",
    "upgrade": "there are no providers to upgrade. To update rolecall: pip install --upgrade rolecall",
    "var": "use an overlay, env/NAME.yaml, with --env NAME",
    "var-file": "use an overlay, env/NAME.yaml, with --env NAME",
    "yes": "--auto-approve",
}
"""Long option of another tool, without dashes -> the option to use here, or what to do."""

_OPTION = re.compile(r"(--?)([a-z][a-z-]+)(?:=.*)?", re.DOTALL)


def check_options(ctx: click.Context, args: Sequence[str], params: Iterable[click.Parameter]) -> None:
    """Raise a usage error for options that are written as for another tool: `-out=FILE`, `--json`."""
    known = {opt: param for param in params if isinstance(param, click.Option) for opt in param.opts}
    for arg in args:
        if arg == "--":
            return
        form = _OPTION.fullmatch(arg)
        if form is None or form[1] + form[2] in known:
            continue
        instead = _instead(ctx, form[1], form[2], known)
        if instead is not None:
            hint = f"use {instead}" if instead.startswith("-") else instead
            raise click.UsageError(f"no such option: {form[1]}{form[2]}; {hint}", ctx)


def _instead(ctx: click.Context, dashes: str, name: str, known: Mapping[str, click.Option]) -> str | None:
    """Return what to write instead; None for an unknown option, and if this command does not have what it leads to."""
    option = known.get(f"--{name}")
    if option is not None and dashes == "-":
        return f"--{name}" if option.is_flag or option.count else f"--{name} {option.make_metavar(ctx)}"
    instead = OPTIONS.get(name)
    first = (instead or "").partition(" ")[0]
    return None if first.startswith("--") and first not in known else instead
