"""`rolecall completion`."""

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
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def completion(call: Invocation, shell: str) -> None:
    """Print the completion script of a shell.

    It completes commands, flags, overlays, addresses, teams and people's e-mails, from files alone: no org is asked.
    """
    write_document(SCRIPTS[shell])
