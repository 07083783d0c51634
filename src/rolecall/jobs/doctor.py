"""Use case `doctor`: thirteen things go wrong most often when somebody sets rolecall up.

Each is checked by itself, so that one that is wrong hides no other. The first seven need files and the environment, and
send nothing; the others read the journal, the org, its people, and may ask the forge of a pipeline.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rolecall.desired.build import Config, read_config
from rolecall.desired.check.validate import validate_repo
from rolecall.desired.load.files import environments
from rolecall.desired.references import references
from rolecall.errors import ConfigError, Problem, RolecallError, Where, did_you_mean
from rolecall.jobs.init import IGNORED, SCHEMA
from rolecall.jobs.people import read_people
from rolecall.live.secrets import check_host, is_ci, resolve
from rolecall.model import normalise
from rolecall.model.checkup import Check
from rolecall.model.directory import PeopleScope
from rolecall.model.paste import shell_word
from rolecall.outside.forge import Gate, gates, protection
from rolecall.outside.git import origin, refusal, tracked
from rolecall.plan.coverage import coverage_of
from rolecall.schema_files import schema_text

if TYPE_CHECKING:
    from rolecall.journal.port import Journal
    from rolecall.live.port import People, Reader
    from rolecall.model.directory import Directory
    from rolecall.model.live import Live

NAMES = (
    *("config", "valid", "variables", "schema", "git", "extras", "token", "journal"),
    *("org", "pin", "names", "people", "pipeline"),
)
"""The thirteen, in the order in which they are reported."""


class Patient(NamedTuple):
    """What is examined. ``known`` are all variables that rolecall knows by name."""

    root: Path
    main: str
    env: str | None
    variables: Mapping[str, str]
    known: frozenset[str]


def examine_files(patient: Patient) -> list[Check]:
    """The first seven."""
    config_check = _config(patient)
    valid = Check("valid", "needs a config", skipped=True) if config_check.problems else _valid(patient)
    config = config_of(patient)
    return [
        config_check,
        valid,
        _variables(patient),
        _schema(patient, config),
        _git(patient),
        *_of_config(patient, config),
    ]


def config_of(patient: Patient) -> Config | None:
    """The config where it can be read, for the checks that need the org."""
    try:
        return None if _config(patient).problems else read_config(patient.root, patient.env, patient.main)
    except ConfigError:
        return None


def _of_config(patient: Patient, config: Config | None) -> Iterator[Check]:
    for name, look in (("extras", _extras), ("token", _token)):
        if config is None:
            yield Check(name, "needs a config that can be read", skipped=True)
        else:
            yield look(patient, config)


def _config(patient: Patient) -> Check:
    """1: no config here, or an overlay that has to be chosen, or one that does not exist."""
    if not (patient.root / patient.main).is_file():
        return Check("config", problems=(_no_config(patient),))
    names = environments(patient.root)
    if patient.env is None and names:
        hint = f"say which one with --env or ROLECALL_ENV: {', '.join(names)}"
        return Check("config", problems=(Problem("env_needed", "this config has overlays", None, hint),))
    if patient.env is not None and patient.env not in names:
        hint = did_you_mean(patient.env, names) or f"overlays are {', '.join(names) or 'none'}"
        problem = Problem("no_env", f"there is no env/{patient.env}.yaml", None, hint)
        return Check("config", problems=(problem,))
    return Check("config", f"{patient.main}{f' with env/{patient.env}.yaml' if patient.env else ''}")


def _no_config(patient: Patient) -> Problem:
    above = next((up for up in patient.root.resolve().parents if (up / patient.main).is_file()), None)
    nested = next(iter(sorted(patient.root.glob(f"*/{patient.main}"))), None)
    near = above or (nested.parent if nested else None)
    hint = f"go to {near}, or say -C {near}" if near else "`rolecall init` starts one"
    return Problem("no_config", f"there is no {patient.main} in {patient.root.resolve()}", None, hint)


def _valid(patient: Patient) -> Check:
    """2: mistakes in the config. The first few are told; `validate` has them all."""
    problems = validate_repo(patient.root, patient.env, patient.main)
    listed = sorted(problems, key=lambda problem: problem.severity != "error")[:_MOST]
    if len(problems) > _MOST:
        listed.append(Problem("more", f"{len(problems) - _MOST} more", None, "see `rolecall validate`", "warning"))
    return Check("valid", "no mistakes in it", tuple(listed))


_MOST = 5


def _variables(patient: Patient) -> Check:
    """3: a variable whose name is misspelt does nothing, and nobody notices."""
    names = sorted(name for name in patient.variables if name.startswith("ROLECALL_"))
    unknown = [name for name in names if name not in patient.known]
    problems = [
        Problem("variable", f"{name} is none of rolecall's variables", None, _near(name, patient), "warning")
        for name in unknown
    ]
    return Check("variables", f"{', '.join(names) or 'none'} set", tuple(problems))


def _near(name: str, patient: Patient) -> str:
    return did_you_mean(name, patient.known) or "fine where your config reads a secret from it; else remove it"


def _schema(patient: Patient, config: Config | None) -> Check:
    """4: an editor that completes and checks by an old schema."""
    if config is None:
        return Check("schema", "needs a config that can be read", skipped=True)
    path = patient.root / SCHEMA
    hint = f"`rolecall schema --kind config > {SCHEMA}`"
    if not path.is_file():
        problem = Problem("no_schema", "editors have no schema to check by", Where(SCHEMA), hint, "warning")
        return Check("schema", problems=(problem,))
    if path.read_bytes() != schema_text("config.schema.json").encode():
        problem = Problem("old_schema", "the editor's schema is another version's", Where(SCHEMA), hint, "warning")
        return Check("schema", problems=(problem,))
    return Check("schema", f"{SCHEMA} is this version's")


def _git(patient: Patient) -> Check:
    """5: the journal, the mask's key or a local org in git."""
    tracked_names = tracked(patient.root, ".rolecall")
    if (refused := refusal(patient.root)) is not None:
        return Check("git", problems=(refused,))
    if tracked_names is None:
        return Check("git", "no git repository here", skipped=True)
    state_files = [name for name in tracked_names if not name.endswith(".schema.json")][:3]
    if state_files:
        hint = (
            f"`git rm --cached {' '.join(map(shell_word, state_files))}`, then see that .gitignore has `{IGNORED[0]}`"
        )
        problem = Problem("state_in_git", f"state of this machine is in git: {', '.join(state_files)}", None, hint)
        return Check("git", problems=(problem,))
    path = patient.root / ".gitignore"
    patterns = path.read_text(encoding="utf-8", errors="replace").split() if path.is_file() else []
    if not {".rolecall", ".rolecall/", ".rolecall/*"} & {pattern.lstrip("/") for pattern in patterns}:
        hint = f"add the lines {' and '.join(f'`{pattern}`' for pattern in IGNORED)}"
        problem = Problem("not_ignored", ".gitignore leaves .rolecall to be committed", None, hint, "warning")
        return Check("git", problems=(problem,))
    return Check("git", "state stays out of it")


def _extras(patient: Patient, config: Config) -> Check:
    """6: an extra that the config needs and nobody installed."""
    needs: dict[str, tuple[str, ...]] = {}
    if config.org.kind == "local":
        needs["local"] = ("sqlalchemy", "starlette", "scim2_models")
    url = config.journal.url
    if not isinstance(url, str) or url.startswith("postgres"):
        needs["postgres"] = ("psycopg",)
    missing = [extra for extra, names in needs.items() if not all(map(importlib.util.find_spec, names))]
    problems = tuple(
        Problem("extra", f"the extra `{extra}` is not installed", None, f"pip install 'rolecall[{extra}]'")
        for extra in missing
    )
    return Check("extras", f"{', '.join(needs) or 'none'} needed, and there", problems)


def _token(patient: Patient, config: Config) -> Check:
    """7: a token that is not there, or that may not be sent to the org's host. It is fetched, not shown, not sent."""
    reference, remote = config.org.token, config.org.url.startswith(("http://", "https://"))
    if not remote:
        return Check("token", f"none needed for {config.org.url.partition(':')[0]}:")
    if reference is None:
        hint = "write `token: {env: ROLECALL_TOKEN}` under `org`"
        return Check("token", problems=(Problem("no_token", "the config names no token", None, hint),))
    try:
        check_host(config.org.url, patient.variables, reference)
        resolve(reference, patient.variables, config.root)
    except RolecallError as error:
        return Check("token", problems=error.problems)
    if "ROLECALL_TOKEN_HOST" not in patient.variables and not is_ci(patient.variables):
        return Check("token", "found; ROLECALL_TOKEN_HOST is not set, which pipelines need")
    return Check("token", "found, and may go to the org's host only")


Find = Callable[[], "Journal | None"]


def examine_journal(config: Config, find: Find, *, ci: bool) -> Check:
    """8: a journal that cannot be opened, or that is lost with a pipeline's runner (``ci``)."""
    if ci and config.journal.is_default and config.org.kind != "local":
        hint = "set ROLECALL_JOURNAL to the url of a PostgreSQL database"
        problem = Problem("journal_lost", "the journal is a file that dies with the runner", None, hint)
        return Check("journal", problems=(problem,))
    try:
        journal = find()
    except RolecallError as error:
        return Check("journal", problems=error.problems)
    if journal is None:
        return Check("journal", "none yet; the first apply makes it")
    with journal:
        return Check("journal", "there, and can be read")


async def examine_org(config: Config, org: Reader, people: People) -> list[Check]:
    """9 to 12: the org answers us as an org admin, is the one meant, has the names, and people can be read."""
    try:
        live = await org.read()
    except RolecallError as error:
        return [Check("org", problems=error.problems), *_left("the org could not be read", "pin", "names", "people")]
    names = Check("names", "every team, role and group is there", tuple(references(config, live.facts)))
    return [_org(config, live), _pin(config, live), names, await _people(config, org, people, live)]


def unreachable(*names: str) -> list[Check]:
    """Checks that nobody could make, for want of a config."""
    return list(_left("needs a config that can be read", *names))


def _left(why: str, *names: str) -> Iterator[Check]:
    return (Check(name, why, skipped=True) for name in names)


def _org(config: Config, live: Live) -> Check:
    """9: not reached, the token refused, or its owner no org admin (R34)."""
    caller = live.facts.caller
    who = caller.email or "a service"
    coverage = coverage_of(config.desired, live, date.min)
    unread = [name for name, section_coverage in coverage.items() if section_coverage.state != "complete"]
    problems = []
    if not caller.org_admin:
        hint = "use a token of an org admin's; others get 403 (R34)"
        problems.append(Problem("not_org_admin", f"{who} is no org admin there", None, hint))
    if unread:
        hint = "a managed section or field that is not read blocks every plan"
        problems.append(Problem("unread", f"not read: {', '.join(unread)}", None, hint, "warning"))
    if live.facts.observed:
        return Check(
            "org", f"{live.facts.org_name}, from an observed file; a person carries plans out", tuple(problems)
        )
    return Check("org", f"{live.facts.org_name} answers, and takes us for {who}", tuple(problems))


def _pin(config: Config, live: Live) -> Check:
    """10: an address that leads to another org than the one meant."""
    pinned_id, org_id = config.org.id, live.facts.org_id
    if pinned_id == org_id:
        return Check("pin", f"it is {org_id}, as `org.id` says")
    if pinned_id is not None:
        hint = "correct `org.url`, or `org.id` if the org was made anew"
        problem = Problem("other_org", f"`org.id` says {pinned_id}, and this is {org_id}", None, hint)
        return Check("pin", problems=(problem,))
    hint = f"write `id: {org_id}` under `org`, so that another org is refused"
    return Check("pin", problems=(Problem("no_pin", "nothing says which org is meant", None, hint, "warning"),))


async def _people(config: Config, org: Reader, people: People, live: Live) -> Check:
    """12: people that cannot be read, and guards about people who are not there."""
    try:
        required = config.desired.policy.guards.required_org_admins
        scope = PeopleScope(emails=frozenset(required), org_admins=True)
        directory = await read_people(people, org, live, scope)
    except RolecallError as error:
        return Check("people", problems=error.problems)
    if directory.coverage.state != "complete":
        how = "were not read" if directory.coverage.state == "unread" else "were partially read"
        why = directory.coverage.problem or "the org has no users on record"
        hint = "name where users come from in `people:`, or correct it"
        return Check("people", problems=(Problem("people_unread", f"users {how}: {why}", None, hint, "warning"),))
    return Check("people", "they and their memberships can be read", tuple(_missing(required, directory)))


def _missing(required: Sequence[str], directory: Directory) -> Iterator[Problem]:
    active_emails = {normalise.email(email) for at, email in enumerate(directory.emails) if directory.traits(at).active}
    for email in required:
        if normalise.email(email) not in active_emails:
            hint = "correct `guards.required_org_admins`, or add them to a group that gives org admin"
            yield Problem("required_missing", f"{email} has to be org admin and is nobody active there", None, hint)


NAME = "pipeline"


def examine_pipeline(root: Path, config: Config | None, variables: Mapping[str, str]) -> Check:
    """13: a job that applies in an environment without reviewers, or a policy that asks for no other person."""
    jobs = gates(root)
    if not jobs:
        return Check(NAME, "no pipeline here applies")
    problems = [problem for gate in jobs for problem in _open_gate(gate, root, variables)]
    if config is not None and config.desired.policy.guards.approval != "other_person":
        hint = "add `guards: {approval: other_person}`"
        message = "a pipeline applies this configuration, and no approval by another person is required"
        problems.append(Problem("approval", message, Where(config.main), hint, "warning"))
    names = ", ".join(sorted({gate.environment for gate in jobs if gate.environment}))
    return Check(NAME, f"the environment {names} has required reviewers", tuple(problems))


def _open_gate(gate: Gate, root: Path, variables: Mapping[str, str]) -> Iterator[Problem]:
    place = Where(gate.file)
    if gate.environment is None:
        hint = "give the job an `environment` with required reviewers"
        yield Problem("open_gate", f"the job `{gate.job}` applies without an environment", place, hint, "warning")
        return
    state = protection(gate, variables, origin(root))
    hint = "add required reviewers (GitLab: approval rules of a protected environment) in the repository's settings"
    if state.reviewers is None:
        message = f"whether the environment `{gate.environment}` has required reviewers is not known: {state.reason}"
        yield Problem(
            "unknown_gate",
            message,
            place,
            f"{hint}; to check it here, set GITHUB_TOKEN or GitLab's variables",
            "warning",
        )
    elif not state.reviewers:
        message = f"the environment `{gate.environment}` has no required reviewers"
        yield Problem("open_gate", message, place, hint, "warning")
