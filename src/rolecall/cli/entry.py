"""Start the program. This imports almost nothing, so that Ctrl-C works while everything else is loading."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the console script."""
    try:
        from rolecall.cli.main import main as start
    except KeyboardInterrupt:
        from rolecall.cli.messages import remark, wants_json

        remark("interrupted", "Interrupted.", as_json=wants_json(sys.argv[1:]), level="error")
        sys.exit(130)
    start()
