"""The table of commands, what a command is made of, and a group that imports a command only when it is called for.

A command has its help with examples and the global flags, and is handed the invocation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from rolecall.cli.options import GLOBAL_HEADING, current, global_options, is_global, refuse_variables
from rolecall.errors import Exit, Problem, RolecallError, did_you_mean

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
            if records := [record for param in params if (record := param.get_help_record(ctx))]:
                with formatter.section(heading):
                    formatter.write_dl(records)

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
    return problem._replace(hint=_OF_AN_ORG.sub(lambda match: f"{match[0]}-e {env} ", problem.hint))


_OF_AN_ORG = re.compile(r"(?:`|: )rolecall (?=[a-z])(?!(?:init|demo|schema|completion|version|runbook|show)\b)")
"""A command in a hint, in backquotes or after a colon, except those that read no org."""


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


COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Start": {
        "demo": "A tour on a local org in a scratch directory.",
        "init": "Start a config repo: config, schema, README, .gitignore.",
    },
    "Every day": {
        "validate": "Check the config: schema, references, meaning.",
        "plan": "Show what would change, for whom, and what the guards say.",
        "apply": "Carry out exactly the saved plan, or plan, ask, apply.",
        "show": "Show a saved plan or a past run.",
        "runbook": "Write the steps that a person must take.",
        "done": "Record that a person has taken a step, and look whether it can be seen.",
        "rollback": "Plan to put back what a run changed.",
        "history": "List past runs, newest first, or show one in full.",
    },
    "Adopt": {
        "export": "Write the live org as a config that plans empty.",
        "snapshot": "Write the live org as a file, without secrets.",
        "observe": "Read an org without an API together with you, tab by tab.",
        "fmt": "Write the config's files in one form, comments kept.",
    },
    "Look": {
        "drift": "Show what moved since the last apply, who moved it, and whom it touches.",
        "why": "Show each team role of a person, with rule, setting, file and line; and why not.",
        "access": "Show who has what.",
        "test": "Run the access tests of the config; 3 when one fails.",
        "render": "Show the effective config after includes and overlays.",
        "schema": "Print a JSON schema.",
    },
    "Tools": {
        "local": "The local org that org.url names: serve, load, token, reset.",
        "doctor": "Look for mistakes in how rolecall is set up, and say what to do.",
        "completion": "Print the completion script of a shell.",
        "version": "Print the version.",
    },
}
"""Heading -> command -> its help in one line. A command is a row here and a file in ``commands``."""

_NAMES = tuple(name for rows in COMMANDS.values() for name in rows)


class LazyGroup(click.Group):
    """The program. Its own help needs no command's module."""

    def __init__(self) -> None:
        super().__init__(
            name="rolecall",
            help="Access and provisioning settings of a WRITER org as code: plan, apply, drift.",
            epilog="Start with `rolecall demo`. Every command has --help with examples.",
            params=[*global_options(top=True), _version_option()],
            context_settings={"auto_envvar_prefix": "ROLECALL", "help_option_names": ["-h", "--help"]},
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _NAMES:
            return None
        module = import_module(f"rolecall.cli.commands.{cmd_name}")
        known_command: click.Command = getattr(module, cmd_name)
        return known_command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _NAMES and not name.startswith("-") and not ctx.resilient_parsing:
            hint = did_you_mean(name, _NAMES) or "`rolecall --help` lists the commands"
            ctx.fail(f"there is no command {name!r}. {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        refuse_variables(os.environ)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, summaries in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([*summaries.items()], col_max=12)
        with formatter.section(GLOBAL_HEADING):
            formatter.write_dl([record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))])


def called(args: list[str]) -> Any:
    """What a command line gives. Not by click's own `main`, which writes an empty line of its own at Ctrl-C."""
    group = LazyGroup()
    try:
        with group.make_context("rolecall", args) as context:
            return group.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _version_option() -> click.Option:
    def show(ctx: click.Context, param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from rolecall import __version__

            click.echo(f"rolecall {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Print the version."
    )
