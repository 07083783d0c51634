"""Implement `rolecall validate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation, Root, in_repository, root_of
from rolecall.cli.program import command
from rolecall.cli.report_options import report_option, reports_option, some_formats
from rolecall.errors import Exit, OrgError, Problem, RolecallError
from rolecall.model.checkup import PeopleCount
from rolecall.report.builders.problems import incomplete, people_line, problem_lines
from rolecall.report.line import plain

if TYPE_CHECKING:
    from rolecall.desired.build import Config

_FORMATS = ("text", "json", "markdown", "github", "sarif", "junit")


@command(
    "validate",
    "rolecall validate",
    "rolecall validate -e prod --online        # also check names against the org",
    "rolecall validate --format github         # annotations on the YAML lines",
    exit_codes={
        Exit.OK: "No errors; there may be warnings.",
        Exit.ERROR: "There are errors.",
        Exit.UNSEEN: "With --online: no errors found, but not everything could be read.",
    },
)
@click.option(
    "--online",
    is_flag=True,
    help="Also read the org and the IdP: check that teams, roles, groups and users exist, and that the org would "
    "accept every change.",
)
@some_formats(*_FORMATS, meaning="Format on stdout. github, sarif and junit are for CI.")
@reports_option
def validate(call: Invocation, online: bool, form: str, report: tuple[str, ...]) -> Exit:
    """Check the configuration for errors.

    Lists all errors and warnings with file, line and column. Without --online only files are read: the configuration,
    people files, and the file of an observed org. Without --env, each overlay is checked.
    """
    reports = [report_option(value, _FORMATS) for value in report]
    problems = _problems(call, online)
    people, wrong = _people(call, problems)
    problems = [*problems, *wrong]
    for named, path in reports:
        from rolecall.outside.files import write_file

        write_file(path, _rendered(call, problems, named, people))
    _tell(call, problems, form, people)
    return _exit_code(problems, online)


def _exit_code(problems: Sequence[Problem], online: bool) -> Exit:
    if any(problem.severity == "error" for problem in problems):
        return Exit.ERROR
    return Exit.UNSEEN if online and incomplete(problems) else Exit.OK


def _problems(call: Invocation, online: bool) -> Sequence[Problem]:
    from rolecall.jobs.validate import validate as check

    root = root_of(call)
    problems = check(root.folder, call.env, root.main)
    if any(problem.severity == "error" for problem in problems):
        return problems
    if online:
        return list(dict.fromkeys((*problems, *online_problems(call))))
    if not _may_be_observed(root):
        return problems
    return list(dict.fromkeys((*problems, *observed_problems(call))))


def directory_problems(call: Invocation) -> list[Problem]:
    """Return all problems of one configuration, offline: of its files, its people files and a file of its org."""
    problems = _problems(call, online=False)
    return [*problems, *_people(call, problems)[1]]


def _may_be_observed(root: Root) -> bool:
    """Return whether the main file or an overlay has ``observed:``; only then more than the config's files is read."""
    try:
        paths = [root.folder / root.main, *(root.folder / "env").glob("*")]
        return any(b"observed:" in path.read_bytes() for path in paths if path.is_file())
    except OSError:
        return False


def _people(call: Invocation, problems: Sequence[Problem]) -> tuple[Sequence[PeopleCount], Sequence[Problem]]:
    """Return what the people files contain, and what is wrong with them in addition to ``problems``."""
    if any(problem.severity == "error" for problem in problems):
        return (), ()
    from rolecall.jobs.validate import count_people

    root = root_of(call)
    counts, wrong = count_people(root.folder, call.env, root.main)
    return counts, [problem for problem in wrong if problem not in problems]


def _tell(call: Invocation, problems: Sequence[Problem], form: str, people: Sequence[PeopleCount]) -> None:
    out = stdout(call.environ, color=call.color)
    if form == "text":
        out.lines((*map(people_line, people), *problem_lines(problems)))
    else:
        out.text(_rendered(call, problems, form, people))


def _rendered(call: Invocation, problems: Sequence[Problem], form: str, people: Sequence[PeopleCount]) -> str:
    if form == "text":
        return plain((*map(people_line, people), *problem_lines(problems)))
    if form == "json":
        from rolecall.report.builders.problems import problems_json

        return problems_json(problems, people)
    from rolecall.report.builders.problems import problems_document
    from rolecall.report.renderers import render_document

    at = in_repository(call)
    return render_document(problems_document(problems), form, at.folder, at.main)


def online_problems(call: Invocation) -> Sequence[Problem]:
    """Return what the org does not have or would refuse, what is wrong for its users, and what the IdP reports."""
    from rolecall.cli.session import wait_for

    return wait_for(_org_problems(call))


async def _org_problems(call: Invocation) -> Sequence[Problem]:
    from rolecall.cli.planning import plan_request
    from rolecall.cli.session import read, session
    from rolecall.jobs.validate import check_online

    config = read(call)
    try:
        async with session(call, config) as opened:
            return await check_online(config, plan_request(call, opened))
    except OrgError as error:
        return error.problems


def observed_problems(call: Invocation) -> Sequence[Problem]:
    """Return the names that the files of observed orgs and their users do not have; each problem once."""
    from rolecall.cli.session import wait_for

    problems = (problem for each, config in _observed(call) for problem in wait_for(_from_files(each, config)))
    return list(dict.fromkeys(problems))


def _observed(call: Invocation) -> Iterator[tuple[Invocation, Config]]:
    """Yield the configuration, with each overlay if none was chosen, if its org is observed and has a file."""
    from rolecall.desired.build import read_config
    from rolecall.desired.load.files import environments

    root = root_of(call)
    names = (call.env,) if call.env is not None else environments(root.folder) or (None,)
    for env in names:
        try:
            config = read_config(root.folder, env, root.main)
        except RolecallError:
            continue
        if config.org.kind == "observed" and (config.root / config.org.path).exists():
            yield replace(call, env=env, snapshot=None), config


async def _from_files(call: Invocation, config: Config) -> Sequence[Problem]:
    from rolecall.cli.planning import plan_request
    from rolecall.cli.session import session
    from rolecall.jobs.validate import check_observed
    from rolecall.model.desired import NOTHING_APPLIED

    try:
        async with session(call, config) as opened:
            request = plan_request(call, opened)._replace(applied=lambda _: NOTHING_APPLIED)
            return await check_observed(config, request)
    except RolecallError as error:
        return error.problems
