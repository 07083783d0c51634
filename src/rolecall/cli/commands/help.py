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
    "rolecall help config idp        # one section",
    "rolecall help R7                # one rule",
    arguments={"subject": f"A command, or a topic: {', '.join(TOPICS)}. Default: the list of commands."},
)
@click.argument("subject", nargs=-1, shell_complete=_subjects)
def show_help(_call: Invocation, subject: tuple[str, ...]) -> None:
    """Show help for a command or a topic."""
    context = click.get_current_context()
    formatter = context.make_formatter()
    if _page(context, subject, formatter):
        click.echo(formatter.getvalue().rstrip("\n"))
    else:
        click.echo(_command_context(context, subject).get_help())


def _page(context: click.Context, subject: tuple[str, ...], formatter: click.HelpFormatter) -> bool:
    """Write the page of a topic, or of a part of it; return whether the subject is one.

    Parts can be named alone: `R7`, a section such as `idp`, a guard. A topic can be shortened to what is clear.
    """
    if not subject or subject[0] in NAMES:
        return False
    from rolecall.cli.help_topics import PAGES, PARTS

    longer = [name for name in TOPICS if len(subject[0]) > 1 and name.startswith(subject[0])]
    topic = subject[0] if subject[0] in TOPICS else longer[0] if len(longer) == 1 else None
    if topic is not None and len(subject) == 1:
        PAGES[topic](formatter)
        return True
    if topic is None:
        return len(subject) == 1 and any(write(formatter, subject[0]) for write in PARTS.values())
    if topic not in PARTS or len(subject) > 2:
        raise click.UsageError(f"{topic!r} is a topic without parts: rolecall help {topic}", context)
    if not PARTS[topic](formatter, subject[1]):
        raise click.UsageError(f"{topic!r} has no part {subject[1]!r}; for all of them: rolecall help {topic}", context)
    return True


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
