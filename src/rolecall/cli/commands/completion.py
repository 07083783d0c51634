"""Implement `rolecall completion`."""

from __future__ import annotations

import click

from rolecall.cli.console import write_document
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.shells import SCRIPTS


@command(
    "completion",
    'eval "$(rolecall completion bash)"            # in ~/.bashrc',
    'eval "$(rolecall completion zsh)"             # in ~/.zshrc, after compinit',
    "rolecall completion fish > ~/.config/fish/completions/rolecall.fish",
    arguments={"shell": "The shell to complete in."},
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def completion(_call: Invocation, shell: str) -> None:
    """Print a shell's completion script.

    It completes commands, options, addresses, overlays, teams, roles, groups, users, guards, runs and steps. Only files
    are read for that, never the org.
    """
    write_document(SCRIPTS[shell])
