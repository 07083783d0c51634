"""`rolecall completion`."""

from __future__ import annotations

import sys

import click
from click.shell_completion import get_completion_class

from rolecall.cli.command import Invocation, command


@command(
    "completion",
    'eval "$(rolecall completion bash)"            # in ~/.bashrc',
    'eval "$(rolecall completion zsh)"             # in ~/.zshrc',
    "rolecall completion fish > ~/.config/fish/completions/rolecall.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(call: Invocation, shell: str) -> None:
    """Print the completion script of a shell."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion is known for {shell}")
    group = click.get_current_context().find_root().command
    sys.stdout.write(found(group, {}, "rolecall", "_ROLECALL_COMPLETE").source())
    sys.stdout.write("\n")
