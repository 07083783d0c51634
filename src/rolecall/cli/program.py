"""Define the program: the table of commands, and a group that imports a command only when it is called.

A command's help lists its arguments, its options, the global options, its exit codes and examples.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from rolecall.cli import habits
from rolecall.cli.options import GLOBAL_HEADING, current, global_options, is_global, refuse_variables
from rolecall.errors import EXIT_MEANINGS, Exit, Problem, RolecallError, did_you_mean

Run = Callable[..., Exit | None]


class Command(click.Command):
    """A command with described arguments, exit codes and examples. Its help names the global options in short.

    ``arguments`` describes the arguments by their names. ``exit_codes`` are those that the help lists; an empty text
    stands for the general meaning.
    """

    def __init__(
        self,
        *args: Any,
        arguments: Mapping[str, str] | None = None,
        exit_codes: Mapping[Exit, str] | None = None,
        examples: Sequence[str] = (),
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.params += global_options()
        self.arguments = dict(arguments or {})
        self.exit_codes = dict(exit_codes or {})
        self.examples = tuple(examples)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; options written as for another tool are answered with a hint."""
        if not ctx.resilient_parsing:
            habits.check_options(ctx, args, self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, the options, and the names of the global options."""
        params = self.get_params(ctx)
        arguments = [param for param in params if isinstance(param, click.Argument)]
        options = [param for param in params if isinstance(param, click.Option)]
        described = [(param.make_metavar(ctx), self.arguments[param.name or ""]) for param in arguments]
        own = [_record(param, ctx) for param in options if not is_global(param)]
        for heading, records in (("Arguments", described), ("Options", own)):
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
        _write_global_names(ctx, params, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes and the examples."""
        if self.exit_codes:
            with formatter.section("Exit codes (all of them: rolecall help exit-codes)"):
                formatter.write_dl(exit_records(self.exit_codes))
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class CommandGroup(click.Group):
    """A command with subcommands. Its help lists them, each with its first line in full."""

    def __init__(self, name: str, help_text: str, commands: Sequence[Command]) -> None:
        super().__init__(name, {each.name or "": each for each in commands}, help=help_text, params=global_options())

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the subcommands, in their order."""
        return list(self.commands)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands, and the names of the global options."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, (each.help or "").partition("\n")[0]) for name, each in self.commands.items()])
        _write_global_names(ctx, self.get_params(ctx), formatter)


def _write_global_names(ctx: click.Context, params: Sequence[click.Parameter], formatter: click.HelpFormatter) -> None:
    names = [record[0] for param in params if is_global(param) and (record := param.get_help_record(ctx))]
    with formatter.section(f"{GLOBAL_HEADING} (rolecall --help explains them)"):
        formatter.write_text(" · ".join(name.replace(" ", "\N{NO-BREAK SPACE}") for name in names))


def _record(param: click.Option, ctx: click.Context) -> tuple[str, str]:
    """Return an option and its help, with the default as a sentence."""
    names, text = param.get_help_record(ctx) or ("", "")
    return names, _DEFAULT.sub(r" Default: \1.", text)


_DEFAULT = re.compile(r"\s+\[default: ([^;\]]+)(?:; [^\]]*)?\]$")
"""The form in which click writes a default, with the range of a number."""


def exit_records(exit_codes: Mapping[Exit, str]) -> list[tuple[str, str]]:
    """Return exit codes and their meanings as rows for a help page."""
    return [(str(int(code)), text or EXIT_MEANINGS[code]) for code, text in exit_codes.items()]


def command(
    name: str,
    *examples: str,
    arguments: Mapping[str, str] | None = None,
    exit_codes: Mapping[Exit, str] | None = None,
) -> Callable[[Run], Command]:
    """Make a function a command. It is called with the Invocation first, then its options, and returns its exit code.

    Its docstring is the command's help; the first line is the summary in ``COMMANDS``.
    """

    def make(run: Run) -> Command:
        """Return the command that calls a function."""

        def called(**options: Any) -> Exit:
            call = current()
            try:
                return run(call, **options) or Exit.OK
            except RolecallError as error:
                error.problems = tuple(in_env(problem, call.env) for problem in error.problems)
                raise

        params = list(reversed(getattr(run, "__click_params__", [])))
        return Command(
            name,
            callback=called,
            params=params,
            help=run.__doc__,
            arguments=arguments,
            exit_codes=exit_codes,
            examples=examples,
        )

    return make


def in_env(problem: Problem, env: str | None) -> Problem:
    """Return the problem with this run's `-e NAME` added to each command in its hint, so that it can be copied."""
    if env is None or problem.hint is None or f"-e {env}" in problem.hint:
        return problem
    return problem._replace(hint=_READS_AN_ORG.sub(lambda match: f"{match[0]}-e {env} ", problem.hint))


_READS_AN_ORG = re.compile(r"(?:`|: )rolecall (?=[a-z])(?!(?:init|demo|schema|completion|version|runbook|show|help)\b)")
"""A command in a hint, in backquotes or after a colon, that reads an org, and so needs the overlay."""


def worst(*codes: Exit) -> Exit:
    """Return the exit code to use when several apply."""
    return next((code for code in PRECEDENCE if code in codes), Exit.OK)


PRECEDENCE = (
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
"""Exit codes, the one that counts most first."""


COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Get started": {
        "demo": "Show rolecall at work on an example company, on this machine only.",
        "init": "Create a configuration: rolecall.yaml, schema, README, .gitignore.",
    },
    "Make changes": {
        "validate": "Check the configuration for errors.",
        "plan": "Show what would change, which users are affected, and the guards' verdicts.",
        "apply": "Apply a saved plan, or plan, ask for approval and apply.",
        "show": "Show a saved plan or a past run.",
        "runbook": "Write instructions for the manual steps of a plan or run.",
        "done": "Report manual steps of a run as done.",
        "rollback": "Create a plan that restores what a run changed.",
        "history": "List past runs, show one of them, or verify the journal.",
    },
    "Inspect": {
        "drift": "Show changes made outside rolecall since the last apply.",
        "why": "Explain why a user has, or does not have, access.",
        "access": "List who has which access.",
        "audit": "Show the audit log: who changed what in the console.",
        "test": "Run the access tests of the configuration.",
        "render": "Show the configuration after includes and overlays are merged.",
    },
    "Adopt an org": {
        "export": "Write a configuration from the org as it is.",
        "observe": "Record the settings of an org without an API, as its console shows them.",
        "snapshot": "Save the org to a file, without secrets.",
        "fmt": "Format the configuration files.",
    },
    "Tools": {
        "doctor": "Check the setup and suggest fixes.",
        "rotate": "Replace a credential.",
        "fleet": "Work with many orgs in one repository.",
        "local": "Use a local org, to try changes without WRITER.",
        "schema": "Print a JSON schema, for editors and other tools.",
        "completion": "Print a shell's completion script.",
        "help": "Show help for a command or a topic.",
        "version": "Show the version.",
    },
}
"""Heading -> command -> its summary. A command is an entry here and a module in ``commands``."""

NAMES = tuple(name for summaries in COMMANDS.values() for name in summaries)
TOPICS: Mapping[str, str] = {
    "addresses": "How settings are named, for --target, --exclude and --ignore.",
    "config": "The sections and keys of rolecall.yaml.",
    "environment": "The environment variables that rolecall reads.",
    "exit-codes": "What each exit code means.",
    "guards": "The checks on each plan, their defaults, and how to override them.",
    "rules": "The rules about access in WRITER that R numbers refer to.",
}
"""Topic of `rolecall help` -> its summary."""

_EPILOG = "New to rolecall: run rolecall demo. To start: rolecall init. Details of a command: rolecall COMMAND --help"


class LazyGroup(click.Group):
    """The program itself. Its own help imports no command."""

    def __init__(self) -> None:
        super().__init__(
            name="rolecall",
            help="Manage the access and provisioning settings of a WRITER org as code.",
            epilog=_EPILOG,
            params=[*global_options(top=True), _version_option()],
            context_settings={"auto_envvar_prefix": "ROLECALL", "help_option_names": ["-h", "--help"]},
        )

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, in the order of the help."""
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for a name that is not a command."""
        if cmd_name not in NAMES:
            return None
        module = import_module(f"rolecall.cli.commands.{cmd_name}")
        known_command: click.Command = getattr(module, _FUNCTIONS.get(cmd_name, cmd_name))
        return known_command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command; those written as for another tool are answered with a hint."""
        if not ctx.resilient_parsing:
            end = next((number for number, arg in enumerate(args) if arg in NAMES), len(args))
            habits.check_options(ctx, args[:end], self.get_params(ctx))
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Fails with a hint for a name that is not a command."""
        name = args[0]
        if name not in NAMES and not name.startswith("-") and not ctx.resilient_parsing:
            hint = habits.COMMANDS.get(name) or did_you_mean(name, NAMES) or "for the list: rolecall --help"
            ctx.fail(f"no command {name!r}; {hint}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, unless the environment has a flag that must be typed."""
        refuse_variables(os.environ)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, then the global options."""
        for heading, summaries in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([*summaries.items()], col_max=12)
        with formatter.section("Topics of rolecall help TOPIC"):
            formatter.write_dl([*TOPICS.items()], col_max=12)
        with formatter.section(GLOBAL_HEADING):
            formatter.write_dl([record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))])


_FUNCTIONS = {"help": "show_help"}
"""Command -> its function in the command's module, where that has another name."""


def called(args: list[str]) -> Any:
    """Run a command line and return its result. Click's own `main` would print an empty line at Ctrl-C."""
    group = LazyGroup()
    try:
        with group.make_context("rolecall", args) as context:
            return group.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code


def _version_option() -> click.Option:
    def show(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            from rolecall import __version__

            click.echo(f"rolecall {__version__}")
            ctx.exit()

    return click.Option(
        ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show the version and exit."
    )
