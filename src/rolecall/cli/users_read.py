"""What `access`, `why` and `test` do where users were not read, or only partially: say so, and exit with 1 or 7."""

from __future__ import annotations

from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation
from rolecall.desired import Config
from rolecall.errors import Exit, Problem
from rolecall.jobs.people import people_hint
from rolecall.model.live import Coverage
from rolecall.plan.coverage import incomplete


def coverage_exit(seen: Coverage) -> Exit:
    """Return 1 where an answer needs users and none were read, 7 where some were, else 0."""
    return {"complete": Exit.OK, "partial": Exit.UNSEEN, "unread": Exit.ERROR}[seen.state]


def report_coverage(call: Invocation, config: Config, seen: Coverage, hint: str | None = None) -> Exit:
    """Say on stderr how much was read of the users, unless all of it; return the code to exit with.

    ``hint`` is what to do, in place of looking at where the configuration says that users come from.
    """
    message = incomplete(seen)
    if message is not None:
        hint = hint or people_hint(config.people, observed=config.org.kind == "observed")
        partial = seen.state == "partial"
        problem = Problem("users_unread", message, None, hint, "warning" if partial else "error")
        tell([problem], as_json=call.log_format == "json", color=call.color)
    return coverage_exit(seen)
