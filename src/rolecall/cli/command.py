"""What a command is made of: its help with examples, the global flags, and the invocation handed to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

from rolecall.cli.options import GLOBAL_HEADING, Invocation, current, global_options, is_global
from rolecall.errors import Exit, Problem, RolecallError

Run = Callable[..., Exit | None]


class Command(click.Command):
    """A command whose help ends with examples and lists the global options apart."""

    def __init__(self, *args: Any, examples: Sequence[str] = (), **more: Any) -> None:
        super().__init__(*args, **more)
        self.params += global_options()
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own = [param for param in self.get_params(ctx) if not is_global(param)]
        shared = [param for param in self.get_params(ctx) if is_global(param)]
        for heading, params in (("Options", own), (GLOBAL_HEADING, shared)):
            if rows := [row for param in params if (row := param.get_help_record(ctx))]:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


def command(name: str, *examples: str) -> Callable[[Run], Command]:
    """Make a function a command. It is called with the Invocation first, then its options; it gives its exit code."""

    def make(run: Run) -> Command:
        def called(**options: Any) -> Exit:
            call = current()
            try:
                return run(call, **options) or Exit.OK
            except RolecallError as error:
                error.problems = tuple(in_env(problem, call.env) for problem in error.problems)
                raise

        params = list(reversed(getattr(run, "__click_params__", [])))
        return Command(name, callback=called, params=params, help=run.__doc__, examples=examples)

    return make


def in_env(problem: Problem, env: str | None) -> Problem:
    """A problem whose hint names commands, with the overlay of this run in each: to be copied as it stands."""
    if env is None or problem.hint is None or f"-e {env}" in problem.hint:
        return problem
    return problem._replace(hint=_OF_AN_ORG.sub(lambda found: f"{found[0]}-e {env} ", problem.hint))


_OF_AN_ORG = re.compile(r"`rolecall (?=[a-z])(?!(?:init|demo|schema|completion|version|runbook|show)\b)")
"""A command in a hint, but for those that read no org."""


def worst(*codes: Exit) -> Exit:
    """The one code to leave with when several hold."""
    return next((code for code in _PRECEDENCE if code in codes), Exit.OK)


_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.USAGE,
    Exit.INCOMPLETE,
    Exit.STALE,
    Exit.REFUSED,
    Exit.ERROR,
    Exit.CHANGES,
    Exit.UNSEEN,
    Exit.HUMAN,
)

__all__ = ["Command", "Invocation", "command", "worst"]
