"""Implement `rolecall fleet`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation, in_repository
from rolecall.cli.places import repository
from rolecall.cli.program import CommandGroup, command
from rolecall.cli.report_options import report_option, reports_option, some_formats
from rolecall.errors import ConfigError, Exit, Misuse, Problem, Where

if TYPE_CHECKING:
    from rolecall.fleet.declaration import Fleet

_FORMATS = ("text", "json", "markdown", "github", "sarif", "junit")


@command(
    "validate",
    "rolecall fleet validate",
    "rolecall fleet validate --select region=emea",
    "rolecall fleet validate --format github   # annotations on the YAML lines",
    exit_codes={
        Exit.OK: "No errors; there may be warnings.",
        Exit.ERROR: "There are errors.",
        Exit.USAGE: "Wrong usage, or --select matches no org.",
    },
)
@click.option(
    "--select",
    metavar="LABELS",
    default="*",
    show_default=True,
    help="Check only the orgs with these labels, such as region=emea,tier=canary. Values may have wildcards.",
)
@some_formats(*_FORMATS, meaning="Format on stdout. github, sarif and junit are for CI.")
@reports_option
def validate(call: Invocation, select: str, form: str, report: tuple[str, ...]) -> Exit:
    """Check fleet.yaml and the configuration of each org.

    Lists all errors and warnings with file, line and column. Only files are read. Each org is checked as by rolecall
    validate in its directory. Two directories with the same org.id are an error, also if --select selects only one.
    """
    from rolecall.fleet.select import select_orgs

    reports = [report_option(value, _FORMATS) for value in report]
    fleet = _read(call)
    selected = select_orgs(fleet.orgs, select) if fleet.orgs or not fleet.problems else ()
    checked = fleet._replace(orgs=selected)
    problems = _problems(call, fleet, checked)
    for named, path in reports:
        from rolecall.outside.files import write_file

        write_file(path, _rendered(call, checked, problems, named))
    stdout(call.environ, color=call.color).text(_rendered(call, checked, problems, form))
    return Exit.ERROR if any(problem.severity == "error" for problem in problems) else Exit.OK


def _read(call: Invocation) -> Fleet:
    """Return the fleet in the working directory, or in the nearest folder above it in the same git repository."""
    from rolecall.fleet.declaration import FLEET, read_fleet

    if not call.searched:
        hint = f"use -C DIR for the folder of {FLEET}"
        raise Misuse(Problem("fleet_config", f"-c is for one org, and this command reads {FLEET}", None, hint))
    start = Path.cwd()
    top = repository(start) or start
    folders = [folder for folder in (start, *start.parents) if folder.is_relative_to(top)]
    folder = next((folder for folder in folders if os.path.lexists(folder / FLEET)), None)
    if folder is None:
        hint = "use -C DIR for another folder"
        raise ConfigError(Problem("no_fleet", "no fleet found", Where(FLEET), hint))
    return read_fleet(folder)


def _problems(call: Invocation, fleet: Fleet, checked: Fleet) -> Sequence[Problem]:
    """Return the problems of the file, of orgs that are configured twice, and of each checked org."""
    from rolecall.cli.commands.validate import directory_problems
    from rolecall.fleet.identity import in_fleet, same_orgs

    problems = [*fleet.problems, *same_orgs(fleet, call.env)]
    for org in checked.orgs:
        org_call = replace(call, config=fleet.folder / org.path / call.config.name, searched=False)
        for problem in directory_problems(org_call):
            where = in_fleet(org.path, problem.where or Where(call.config.name))
            problems.append(problem._replace(where=where))
    return problems


def _rendered(call: Invocation, checked: Fleet, problems: Sequence[Problem], form: str) -> str:
    from rolecall.fleet.declaration import FLEET
    from rolecall.report.builders import fleet
    from rolecall.report.builders import problems as builder

    if form == "text":
        from rolecall.report.line import plain

        orgs = [(org.path, org.given) for org in checked.orgs]
        return plain((*fleet.fleet_lines(orgs, verbose=call.verbosity > 0), *builder.problem_lines(problems)))
    if form == "json":
        return fleet.fleet_json([(org.path, org.labels) for org in checked.orgs], problems)
    from rolecall.report.renderers import render_document

    at = in_repository(replace(call, config=checked.folder / FLEET))
    return render_document(builder.problems_document(problems), form, at.folder, at.main)


fleet = CommandGroup(
    "fleet",
    """Work with many orgs in one repository.

    The file fleet.yaml names the org directories and their labels.
    """,
    [validate],
)
