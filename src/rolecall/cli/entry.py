"""Where the program begins. It imports next to nothing, so that Ctrl-C is heeded while the rest is still loading."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The entry point of the console script."""
    try:
        from rolecall.cli.main import main as start
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
    start()
