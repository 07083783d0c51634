"""Check a configuration: offline, or against an org and its users."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.desired.check.validate import validate_repo
from rolecall.desired.load.read import load, load_each
from rolecall.errors import ConfigError, OrgError, Problem, Where, clause
from rolecall.model.checkup import PeopleCount

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.plan import PlanRequest
    from rolecall.live.people.file import PeopleFile
    from rolecall.model.directory import Directory
    from rolecall.model.live import Live
    from rolecall.plan.inputs import PlanInput


def validate(root: Path, env: str | None, main: str) -> list[Problem]:
    """Return all problems of the configuration in ``root``, each once; without ``env``, those of every overlay."""
    return validate_repo(root, env, main)


async def check_online(config: Config, request: PlanRequest) -> list[Problem]:
    """Return what is only known with the org: unknown names, changes that it would refuse, and all warnings of a plan.

    Problems that ``validate`` reports are left out. All users are read. What was not read is reported by warnings whose
    codes are in ``NOT_CHECKED``. Raises as ``read_plan_input`` does.
    """

    from rolecall.desired.references import references
    from rolecall.jobs.people import idp_problems
    from rolecall.jobs.plan import read_plan_input

    plan_input = await read_plan_input(request._replace(target=request.target._replace(references=None)))
    problems = references(config, plan_input.live.facts)
    if not any(problem.severity == "error" for problem in problems):
        problems += await _linted(request, plan_input)
    idp_warnings = await idp_problems(request.people, plan_input.live)
    return [problem for problem in (*problems, *idp_warnings) if problem not in config.warnings]


async def _linted(request: PlanRequest, plan_input: PlanInput) -> list[Problem]:

    from rolecall.jobs.people import left_out, read_people
    from rolecall.model.directory import EVERYBODY
    from rolecall.plan.coverage import incomplete, people_coverage

    if request.people is None:
        return [*_planned(plan_input), _not_checked("Users were not read", plan_input.people_hint)]
    try:
        directory = await read_people(request.people, request.org, plan_input.live, EVERYBODY)
    except OrgError as error:
        problem = error.problems[0]
        unread = _not_checked(f"Users were not read: {problem.message}", problem.hint or plan_input.people_hint)
        return [*_planned(plan_input), unread]
    plan_input = plan_input._replace(directory=directory, scope=EVERYBODY)
    facts = plan_input.live.facts
    coverage = people_coverage(directory, facts.groups, observed=facts.observed)
    return [
        *dict.fromkeys((*_user_names(plan_input), *_planned(plan_input))),
        *left_out(directory),
        *([] if (text := incomplete(coverage)) is None else [_not_checked(text, plan_input.people_hint)]),
    ]


def _planned(question: PlanInput) -> list[Problem]:
    """Return the warnings of a plan for the input, and as errors what the org would refuse of it.

    That users were not read is left to the caller, who knows what was not checked without them.
    """
    from rolecall.plan.guards.write_preconditions import check_preconditions
    from rolecall.plan.make import make

    plan = make(question)
    checked = check_preconditions(question, plan.changes)
    unread = [
        Problem("precondition_unread", f"{name} was not read, so it is unknown whether the org accepts all changes")
        for name in checked.unread
    ]
    unread += [
        Problem("not_read", f"{name} could not be completely read, so it was not completely checked")
        for name in plan.unread
        if name != "people" and name not in checked.unread
    ]
    return [
        *(warning for warning in plan.warnings if warning.code != "users_unread"),
        *(refusal.problem() for refusal in checked.refusals),
        *(problem._replace(severity="warning") for problem in unread),
    ]


async def check_observed(config: Config, request: PlanRequest) -> list[Problem]:
    """Return the names that an observed org's file and its users do not have, and what is wrong with these files.

    Only files are read: an org without a file, and users from another source, are left out.
    """

    from rolecall.desired.references import references
    from rolecall.errors import RolecallError
    from rolecall.jobs.people import people_or_unread
    from rolecall.jobs.plan import read_plan_input
    from rolecall.model.directory import EVERYBODY
    from rolecall.plan.lint.names import unmatched_names

    try:
        plan_input = await read_plan_input(request._replace(target=request.target._replace(references=None)))
        problems = references(config, plan_input.live.facts)
        problems += unmatched_names(plan_input.desired, plan_input.live, plan_input.applied, plan_input.as_of)
        if request.people is not None and config.people.kind in ("org", "file"):
            directory = await people_or_unread(request.people, request.org, plan_input.live, EVERYBODY)
            problems += _user_names(plan_input._replace(directory=directory, scope=EVERYBODY))
    except RolecallError as error:
        problems = list(error.problems)
    return [problem for problem in problems if problem not in config.warnings]


def _user_names(plan_input: PlanInput) -> list[Problem]:
    """Return warnings about required org admins and owners who are not active users, if all users were read."""
    from rolecall.plan.guards.named_users import required_admin_warnings
    from rolecall.plan.lint.config import owners_gone

    directory = plan_input.directory
    if directory is None or directory.coverage.state != "complete":
        return []
    required = required_admin_warnings(plan_input.desired, directory, sees_invited=plan_input.sees_invited)
    return [*required, *owners_gone(plan_input, directory)]


def _not_checked(why: str, hint: str) -> Problem:
    what = "owners who left, users without a mapped group, and conflicting roles were not checked"
    return Problem("not_linted", f"{clause(why)}, so {what}", None, hint, "warning")


def count_people(root: Path, env: str | None, main: str) -> tuple[list[PeopleCount], list[Problem]]:
    """Return what the people files contain and what is wrong with them, for ``env``, or for every overlay.

    The configuration must have no errors.
    """
    counts: dict[PeopleCount, None] = {}
    problems: dict[Problem, None] = {}
    for sources in load_each(root, main) if env is None else [load(root, env, main)]:
        people = sources.effective.get("people")
        if not isinstance(people, dict) or not {"file", "files"} & people.keys():
            continue
        from rolecall.desired.build import build

        try:
            if counted := _counted(build(sources)):
                counts[counted[0]] = None
                problems |= dict.fromkeys(counted[1])
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    return list(counts), list(problems)


def _counted(config: Config) -> tuple[PeopleCount, tuple[Problem, ...]] | None:
    """Return the count and the warnings of a config's people files; None if there are none."""
    from rolecall.jobs.people import group_names
    from rolecall.live.people.file import PeopleFile

    people_source, live = config.people, _observed(config)
    groups = config.desired.settings.idp_groups
    known = frozenset(groups) if isinstance(groups, Mapping) else frozenset[str]()
    source = PeopleFile(
        config.root,
        people_source.files or (people_source.at,),
        bool(people_source.files),
        allow_empty=people_source.allow_empty,
        known=known,
    )
    if live is not None:
        names = group_names(live)
        whole = live.covered("idp_groups").state == "complete"
        source = source.with_groups(names, whole=whole)
    files = tuple(source.files())
    if missing := source.missing(files):
        if not files or not people_source.files:
            return None
        name = missing.partition(": ")[0]
        hint = "delete the link, or restore the file that it leads to"
        raise ConfigError(Problem("no_file", "is a link to a missing file", Where(name), hint, "warning"))
    directory = source.read()
    return _count(files, directory, source, live), directory.notes


def _count(files: tuple[str, ...], directory: Directory, source: PeopleFile, live: Live | None) -> PeopleCount:
    known = source.known or frozenset()
    unknown = None if live is None else tuple(sorted(name for name in directory.groups if name not in known))
    memberships, groups = len(directory.members), len(directory.groups)
    return PeopleCount(files, len(directory), directory.active_people, memberships, groups, unknown)


def _observed(config: Config) -> Live | None:
    """Return the org, if it is observed and its file can be read."""
    if config.org.kind != "observed":
        return None
    from rolecall.live.snapshot.reader import SnapshotReader

    try:
        return SnapshotReader(config.root / config.org.path, observed=True).load().live
    except ConfigError:
        return None
