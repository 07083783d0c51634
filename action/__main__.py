"""Runs the commands of the GitHub Action: `python action check|apply|drift|snapshot`. Needs only the standard
library."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping

from applying import apply
from checking import check
from drifting import drift
from keeping import snapshot
from runner import Failed, Job, annotate

COMMANDS: Mapping[str, Callable[[Job], int]] = {"check": check, "apply": apply, "drift": drift, "snapshot": snapshot}


def main(args: list[str]) -> int:
    """Run one command; 1 with an annotation where it cannot do its work."""
    if len(args) != 1 or args[0] not in COMMANDS:
        sys.stderr.write(f"use one of {', '.join(COMMANDS)}\n")
        return 64
    try:
        return COMMANDS[args[0]](Job.from_environment(os.environ))
    except Failed as error:
        annotate("error", str(error))
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        annotate("error", f"unexpected response or event of GitHub: {type(error).__name__} {error}")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
