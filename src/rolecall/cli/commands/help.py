"""Implement `rolecall help`."""

from __future__ import annotations

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import NAMES, TOPICS, command
from rolecall.errors import did_you_mean


def _subjects(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    return [name for name in (*TOPICS, *NAMES) if name.startswith(incomplete)]


@command(
    "help",
    "rolecall help plan",
    "rolecall help local serve",
    "rolecall help exit-codes",
    arguments={"subject": f"A command, or a topic: {', '.join(TOPICS)}. Default: the list of commands."},
)
@click.argument("subject", nargs=-1, shell_complete=_subjects)
def show_help(_call: Invocation, subject: tuple[str, ...]) -> None:
    """Show help for a command or a topic."""
    context = click.get_current_context()
    if len(subject) == 1 and subject[0] in TOPICS:
        from rolecall.cli.help_topics import PAGES

        formatter = context.make_formatter()
        PAGES[subject[0]](formatter)
        click.echo(formatter.getvalue().rstrip("\n"))
        return
    click.echo(_command_context(context, subject).get_help())


def _command_context(context: click.Context, names: tuple[str, ...]) -> click.Context:
    """Return the context of a command by its names, for its help. Fails for a name that is not a command's."""
    subcontext = context.find_root()
    for name in names:
        group = subcontext.command
        subcommand = group.get_command(subcontext, name) if isinstance(group, click.Group) else None
        if subcommand is None:
            known = (*group.list_commands(subcontext), *TOPICS) if isinstance(group, click.Group) else ()
            hint = did_you_mean(name, known) or "for the list: rolecall --help"
            raise click.UsageError(f"no command or topic {name!r}; {hint}", context)
        subcontext = click.Context(subcommand, parent=subcontext, info_name=name)
    return subcontext
