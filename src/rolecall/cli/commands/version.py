"""Implement `rolecall version`."""

from __future__ import annotations

import sys

from rolecall import __version__
from rolecall.cli.options import Invocation
from rolecall.cli.program import command


@command("version", "rolecall version")
def version(_call: Invocation) -> None:
    """Show the version."""
    sys.stdout.write(f"rolecall {__version__}\n")
