"""Where the program begins. It imports next to nothing, so that Ctrl-C is heeded while the rest is still loading."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The entry point of the console script."""
    try:
        from rolecall.cli.main import main as start
    except KeyboardInterrupt:
        from rolecall.cli.messages import remark, wants_json

        remark("interrupted", "Interrupted.", as_json=wants_json(sys.argv[1:]), level="error")
        sys.exit(130)
    start()
