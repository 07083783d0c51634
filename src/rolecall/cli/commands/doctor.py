"""Implement `rolecall doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.errors import Exit

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.model.checkup import Check


@command(
    "doctor",
    "rolecall doctor",
    "rolecall doctor -e prod",
    "rolecall doctor --format json",
    exit_codes={Exit.OK: "Nothing is wrong; there may be warnings.", Exit.ERROR: "Something is wrong."},
)
@some_formats("text", "json", meaning="Format on stdout.")
def doctor(call: Invocation, form: str) -> Exit:
    """Check the setup and suggest fixes.

    Checks the configuration, environment variables, editor schema, git, installed extras, token, journal, org, users,
    pipeline, and the connections to the IdP and to WRITER's audit log and usage data. Nothing is written.
    """
    from rolecall.cli.console import stdout
    from rolecall.report.builders.problems import checkup_json, checkup_lines

    checks = _examine(call)
    out = stdout(call.environ, color=call.color)
    if form == "json":
        out.text(checkup_json(checks))
    else:
        out.lines(checkup_lines(checks))
    return Exit.ERROR if any(check.state == "wrong" for check in checks) else Exit.OK


def _examine(call: Invocation) -> list[Check]:
    from rolecall.cli.options import root_of
    from rolecall.cli.session import wait_for
    from rolecall.jobs.doctor import Setup, config_of, examine_files, examine_pipeline, unreachable

    root = root_of(call)
    setup = Setup(root.folder, root.main, call.env, call.environ, _variables())
    checks, config = examine_files(setup), config_of(setup)
    pipeline = examine_pipeline(root.folder, config, call.environ)
    if config is None:
        return [*checks, *unreachable("journal", "org", "pin", "names", "people"), pipeline]
    return [*checks, *wait_for(_ask(call, config)), pipeline]


async def _ask(call: Invocation, config: Config) -> list[Check]:
    from rolecall.cli.idp_scopes import scope_checks
    from rolecall.cli.journals import VARIABLE, find_journal
    from rolecall.cli.session import session
    from rolecall.errors import RolecallError
    from rolecall.jobs.doctor import examine_journal, examine_org, unreachable
    from rolecall.model.checkup import Check as Made

    lost = call.ci and not call.environ.get(VARIABLE)
    journal = examine_journal(config, lambda: find_journal(call, config), ci=lost)
    writer = [*await _audit(call, config), *await _usage(call, config)]
    try:
        async with session(call, config) as opened:
            org = await examine_org(config, opened.org, opened.people, opened.idp)
            return [journal, *org, *scope_checks(call, config), *writer]
    except RolecallError as error:
        return [journal, Made("org", problems=error.problems), *unreachable("pin", "names", "people"), *writer]


async def _audit(call: Invocation, config: Config) -> list[Check]:
    """Return the check of WRITER's audit log, if the configuration names it."""
    if config.audit is None:
        return []
    from datetime import timedelta

    from rolecall.cli.audit_log import audit_source
    from rolecall.cli.session import now
    from rolecall.jobs.audit import examine_audit

    source = audit_source(call, config, config.audit)
    try:
        return [await examine_audit(source, config.audit.writer, now() - timedelta(days=config.audit.keep_days))]
    finally:
        await source.close()


async def _usage(call: Invocation, config: Config) -> list[Check]:
    """Return the check of WRITER's usage data, if the configuration names it."""
    if config.usage is None:
        return []
    from rolecall.cli.session import now
    from rolecall.cli.usage_data import usage_source
    from rolecall.jobs.usage import examine_usage

    source = usage_source(call, config, config.usage)
    try:
        return [await examine_usage(source, f"{now():%Y-%m}")]
    finally:
        await source.close()


def _variables() -> frozenset[str]:
    """Return all variables that rolecall reads: those of options and the others."""
    from rolecall.cli.program import COMMANDS, LazyGroup
    from rolecall.cli.variables import VARIABLES

    group, named = LazyGroup(), set(VARIABLES)
    context = click.Context(group, auto_envvar_prefix="ROLECALL")
    named |= {f"ROLECALL_{str(param.name).upper()}" for param in group.params}
    for name in (name for commands in COMMANDS.values() for name in commands):
        known_command = group.get_command(context, name)
        named |= _of_command(known_command, f"ROLECALL_{name.upper()}") if known_command else set()
    return frozenset(named)


def _of_command(known_command: click.Command, prefix: str) -> set[str]:
    own = {f"{prefix}_{str(param.name).upper()}" for param in known_command.params}
    if isinstance(known_command, click.Group):
        for name, subcommand in known_command.commands.items():
            own |= _of_command(subcommand, f"{prefix}_{name.upper()}")
    return own
