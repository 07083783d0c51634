"""Answer commands and options that other tools have and rolecall does not: what to type instead."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import click

COMMANDS: Mapping[str, str] = {
    "check": "To check the configuration: rolecall validate",
    "destroy": "rolecall never deletes an org. To unmap a group, write `GROUP: blank`; to stop managing a section, "
    "remove it from the configuration",
    "diff": "To see what would change: rolecall plan; what changed outside rolecall: rolecall drift",
    "dump": "To write the org as a configuration: rolecall export",
    "format": "To format the configuration: rolecall fmt",
    "get": "To see who has which access: rolecall access",
    "import": "To add what the org has to the configuration: rolecall export --update",
    "lint": "To check the configuration: rolecall validate",
    "list": "To see who has which access: rolecall access",
    "log": "To see past runs: rolecall history",
    "login": "rolecall reads a token: set `org.token` in the configuration, then run rolecall doctor",
    "output": "For a plan as JSON: rolecall show plan.json --format json",
    "refresh": "Every command reads the org again. To see what changed outside rolecall: rolecall drift. For an org "
    "without an API: rolecall observe",
    "revert": "To restore what a run changed: rolecall rollback RUN; what changed outside rolecall: rolecall drift "
    "--revert",
    "state": "rolecall has no state file. For what the org has: rolecall access; for past runs: rolecall history",
    "status": "To see what would change: rolecall plan; what changed outside rolecall: rolecall drift",
    "sync": "To apply the configuration: rolecall apply",
    "undo": "To restore what a run changed: rolecall rollback RUN",
    "upgrade": "To update rolecall: pip install --upgrade rolecall. For the SCIM endpoint: set `scim.endpoint: new`",
    "workspace": "One configuration per org is an overlay, env/NAME.yaml: rolecall --env NAME plan",
}
"""Command of another tool -> what to do here."""

OPTIONS: Mapping[str, str] = {
    "chdir": "-C DIR",
    "destroy": "rolecall never deletes an org; to unmap a group, write `GROUP: blank` in the configuration",
    "dry-run": "Use rolecall plan, which never writes to the org",
    "force": "--allow GUARD=N",
    "json": "--format json",
    "refresh-only": "Use rolecall drift",
    "refresh": "Every command reads the org again",
    "upgrade": "There are no providers to upgrade. To update rolecall: pip install --upgrade rolecall",
    "var": "Use an overlay, env/NAME.yaml, with --env NAME",
    "var-file": "Use an overlay, env/NAME.yaml, with --env NAME",
    "yes": "--auto-approve",
}
"""Long option of another tool, without dashes -> the option to use here, or a sentence."""

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
            hint = f"Use {instead}" if instead.startswith("-") else instead
            raise click.UsageError(f"no such option: {form[1]}{form[2]}. {hint}", ctx)


def _instead(ctx: click.Context, dashes: str, name: str, known: Mapping[str, click.Option]) -> str | None:
    """Return what to write instead; None for an unknown option, and if this command does not have what it leads to."""
    option = known.get(f"--{name}")
    if option is not None and dashes == "-":
        return f"--{name}" if option.is_flag or option.count else f"--{name} {option.make_metavar(ctx)}"
    instead = OPTIONS.get(name)
    first = (instead or "").partition(" ")[0]
    return None if first.startswith("--") and first not in known else instead
