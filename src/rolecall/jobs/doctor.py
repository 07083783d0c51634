"""Check for the thirteen most common mistakes in a setup, each independently of the others.

The first seven checks need only files and the environment. The others read the journal, the org and its users, and may
ask the service that runs the pipeline.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rolecall.desired.build import Config, read_config
from rolecall.desired.check.validate import validate_repo
from rolecall.desired.load.files import environments, known_overlays, overlay_needed
from rolecall.desired.references import references
from rolecall.errors import ConfigError, Problem, RolecallError, Where, did_you_mean
from rolecall.jobs.idp_side import examine_idp, with_idp_side
from rolecall.jobs.init import IGNORED, SCHEMA, STATE
from rolecall.jobs.people import people_hint, read_people
from rolecall.live.port import IdpSideReader
from rolecall.live.secrets import check_host, is_ci, resolve
from rolecall.model import normalise
from rolecall.model.checkup import Check
from rolecall.model.directory import PeopleScope
from rolecall.model.kinds import IDP_SECTIONS, ORG_KINDS
from rolecall.model.paste import shell_word
from rolecall.outside.forge import Gate, gates, protection
from rolecall.outside.git import origin, refusal, tracked
from rolecall.plan.coverage import coverage_of, section_of, sections_of
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
"""The checks, in the order in which they are reported."""


class Setup(NamedTuple):
    """A setup to check. ``known`` are the names of all variables that rolecall reads."""

    root: Path
    main: str
    env: str | None
    variables: Mapping[str, str]
    known: frozenset[str]


def examine_files(setup: Setup) -> list[Check]:
    """Run the checks that need only files and the environment."""
    config_check = _config(setup)
    valid = Check("valid", "requires a configuration", skipped=True) if config_check.problems else _valid(setup)
    config = config_of(setup)
    return [
        config_check,
        valid,
        _variables(setup),
        _schema(setup, config),
        _git(setup),
        *_of_config(setup, config),
    ]


def config_of(setup: Setup) -> Config | None:
    """Return the configuration if it can be read, for the checks that need the org."""
    try:
        return None if _config(setup).problems else read_config(setup.root, setup.env, setup.main)
    except ConfigError:
        return None


def _of_config(setup: Setup, config: Config | None) -> Iterator[Check]:
    if config is None:
        yield from unreachable("extras", "token")
    else:
        yield _extras(config)
        yield _token(config, setup)


def _config(setup: Setup) -> Check:
    """Check 1: there is a configuration, and an overlay is chosen if there are any."""
    if not (setup.root / setup.main).is_file():
        return Check("config", problems=(_no_config(setup),))
    names = environments(setup.root)
    if setup.env is None and names:
        return Check("config", problems=(overlay_needed(names),))
    if setup.env is not None and setup.env not in names:
        hint = did_you_mean(setup.env, names) or known_overlays(names)
        problem = Problem("no_env", f"overlay `{setup.env}` not found", Where(f"env/{setup.env}.yaml"), hint)
        return Check("config", problems=(problem,))
    return Check("config", f"{setup.main}{f' with env/{setup.env}.yaml' if setup.env else ''}")


def _no_config(setup: Setup) -> Problem:
    above = next((up for up in setup.root.resolve().parents if (up / setup.main).is_file()), None)
    nested = next(iter(sorted(setup.root.glob(f"*/{setup.main}"))), None)
    near = above or (nested.parent if nested else None)
    hint = f"use -C {near}" if near else "to create a configuration: rolecall init"
    return Problem("no_config", f"{setup.main} not found in {setup.root.resolve()}", None, hint)


def _valid(setup: Setup) -> Check:
    """Check 2: the configuration has no errors. Only the first few problems are reported."""
    problems = validate_repo(setup.root, setup.env, setup.main)
    listed = sorted(problems, key=lambda problem: problem.severity != "error")[:_MOST]
    if len(problems) > _MOST:
        listed.append(
            Problem(
                "more", f"{len(problems) - _MOST} more problems", None, "for all of them: rolecall validate", "warning"
            )
        )
    return Check("valid", "no errors", tuple(listed))


_MOST = 5


def _variables(setup: Setup) -> Check:
    """Check 3: all variables named ROLECALL_… are known. A misspelled one has no effect."""
    names = sorted(name for name in setup.variables if name.startswith("ROLECALL_"))
    unknown = [name for name in names if name not in setup.known]
    problems = [
        Problem("variable", f"rolecall does not read the variable {name}", None, _near(name, setup), "warning")
        for name in unknown
    ]
    return Check("variables", f"{', '.join(names) or 'none'} set", tuple(problems))


def _near(name: str, setup: Setup) -> str:
    return did_you_mean(name, setup.known) or "remove it, unless your configuration reads a secret from it"


def _schema(setup: Setup, config: Config | None) -> Check:
    """Check 4: the schema for editors is of this version."""
    if config is None:
        return Check("schema", "requires a valid configuration", skipped=True)
    path = setup.root / SCHEMA
    hint = f"to write it: rolecall schema > {SCHEMA}"
    if not path.is_file():
        problem = Problem("no_schema", "the schema for editors does not exist", Where(SCHEMA), hint, "warning")
        return Check("schema", problems=(problem,))
    if path.read_bytes() != schema_text("config.schema.json").encode():
        problem = Problem("old_schema", "the schema for editors is of another version", Where(SCHEMA), hint, "warning")
        return Check("schema", problems=(problem,))
    return Check("schema", f"{SCHEMA} is up to date")


def _git(setup: Setup) -> Check:
    """Check 5: the journal, the key for masking and a local org are not in git."""
    tracked_names = tracked(setup.root, ".rolecall")
    if (refused := refusal(setup.root)) is not None:
        return Check("git", problems=(refused,))
    if tracked_names is None:
        return Check("git", "not a git repository", skipped=True)
    state_files = [name for name in tracked_names if not name.endswith(".schema.json")][:3]
    if state_files:
        paths = " ".join(map(shell_word, state_files))
        hint = f"add `{STATE}` to .gitignore, and remove the files from git: git rm --cached {paths}"
        message = f"state of rolecall, which is only for one machine, is committed to git: {', '.join(state_files)}"
        problem = Problem("state_in_git", message, None, hint)
        return Check("git", problems=(problem,))
    path = setup.root / ".gitignore"
    patterns = path.read_text(encoding="utf-8", errors="replace").split() if path.is_file() else []
    if not {".rolecall", ".rolecall/", ".rolecall/*"} & {pattern.lstrip("/") for pattern in patterns}:
        hint = f"add these lines: {', '.join(f'`{pattern}`' for pattern in IGNORED)}"
        problem = Problem("not_ignored", ".gitignore does not ignore .rolecall", None, hint, "warning")
        return Check("git", problems=(problem,))
    return Check("git", ".rolecall is ignored")


def _extras(config: Config) -> Check:
    """Check 6: the extras that the configuration needs are installed."""
    needs: dict[str, tuple[str, ...]] = {}
    if config.org.kind == "local":
        needs["local"] = ("sqlalchemy", "starlette", "scim2_models")
    url = config.journal.url
    if not isinstance(url, str) or url.startswith("postgres"):
        needs["postgres"] = ("psycopg",)
    if any(source is not None and source.private_key is not None for source in (config.people, config.idp)):
        needs["okta"] = ("cryptography",)
    missing = [extra for extra, names in needs.items() if not all(map(importlib.util.find_spec, names))]
    problems = tuple(
        Problem("extra", f"the extra `{extra}` is not installed", None, f"install it: pip install 'rolecall[{extra}]'")
        for extra in missing
    )
    return Check("extras", f"installed: {', '.join(needs)}" if needs else "none required", problems)


def _token(config: Config, setup: Setup) -> Check:
    """Check 7: the token exists and may be sent to the org's host. It is read, but neither shown nor sent."""
    reference, remote = config.org.token, config.org.url.startswith(("http://", "https://"))
    if not remote:
        return Check("token", f"none required for {config.org.url.partition(':')[0]}:")
    if reference is None:
        hint = "add `token: {env: ROLECALL_TOKEN}` under `org`"
        return Check("token", problems=(Problem("no_token", "the configuration has no token", None, hint),))
    try:
        check_host(config.org.url, setup.variables, reference)
        resolve(reference, setup.variables, config.root)
    except RolecallError as error:
        return Check("token", problems=error.problems)
    if "ROLECALL_TOKEN_HOST" not in setup.variables and not is_ci(setup.variables):
        return Check("token", "found. ROLECALL_TOKEN_HOST is not set, which pipelines require")
    return Check("token", "found. It may only be sent to the org's host")


Find = Callable[[], "Journal | None"]


def examine_journal(config: Config, find: Find, *, ci: bool) -> Check:
    """Check 8: the journal can be opened, and in a pipeline (``ci``) it is not lost with the runner."""
    if ci and config.journal.is_default and config.org.kind != "local":
        hint = "set ROLECALL_JOURNAL to the URL of a PostgreSQL database"
        problem = Problem("journal_lost", "the journal is a file that is lost with the runner", None, hint)
        return Check("journal", problems=(problem,))
    try:
        journal = find()
    except RolecallError as error:
        return Check("journal", problems=error.problems)
    if journal is None:
        return Check("journal", "not created yet; the first apply creates it")
    with journal:
        return Check("journal", "can be read")


async def examine_org(config: Config, org: Reader, people: People, idp: People | None = None) -> list[Check]:
    """Run checks 9 to 12, and that of the IdP if the configuration has the section `idp`.

    The org answers, is the right one, has the names, and its users can be read.
    """
    try:
        live = await org.read()
    except RolecallError as error:
        checks = [Check("org", problems=error.problems)]
        checks += _skipped("the org could not be read", "pin", "names", "people")
        return [*checks, *await examine_idp(config, idp, {})]
    with suppress(RolecallError):  # the check of the IdP has the reason
        live = await with_idp_side(idp if isinstance(idp, IdpSideReader) else None, config.desired, live)
    names = Check("names", "all teams, roles and groups exist", tuple(references(config, live.facts)))
    checks = [_org(config, live), _pin(config, live), names, await _people(config, org, people, live)]
    return [*checks, *await examine_idp(config, idp, live.coverage)]


def unreachable(*names: str) -> list[Check]:
    """Return checks that are skipped for lack of a valid configuration."""
    return list(_skipped("requires a valid configuration", *names))


def _skipped(why: str, *names: str) -> Iterator[Check]:
    return (Check(name, why, skipped=True) for name in names)


def _org(config: Config, live: Live) -> Check:
    """Check 9: the org answers, and the token is that of an org admin (R34)."""
    caller = live.facts.caller
    who = caller.email or "a service account"
    coverage = coverage_of(config.desired, live, date.min)
    of_org = [name for name in coverage if section_of(name) not in IDP_SECTIONS]
    unread = [name for name in of_org if coverage[name].state != "complete"]
    problems = []
    if not caller.org_admin:
        problems.append(_limited(who, live))
    if unread:
        message = f"could not be read, so plans are blocked: {', '.join(unread)}"
        problems.append(Problem("unread", message, None, _read_hint(live, unread), "warning"))
    if live.facts.observed:
        return Check(
            "org", f"{live.facts.org_name} is an observed org; all steps of its plans are manual", tuple(problems)
        )
    return Check("org", f"{live.facts.org_name} answers; the token belongs to {who}", tuple(problems))


def _limited(who: str, live: Live) -> Problem:
    """Return what it means that the token is not that of an org admin: some changes are manual steps, or all fail."""
    if changed := [kind.section for kind in ORG_KINDS if live.facts.can.intersection(kind.capabilities)]:
        hint = "use the token of an org admin, or make the other changes in the console"
        message = f"{who} is not an org admin and can change only {', '.join(changed)}"
        return Problem("not_org_admin", message, None, hint, "warning")
    hint = "use the token of an org admin; others get 403"
    return Problem("not_org_admin", f"{who} is not an org admin", None, hint)


def _read_hint(live: Live, unread: Sequence[str]) -> str:
    if live.facts.observed:
        return "record them: rolecall observe"
    sections = " and ".join(f"`manage.{section}: unmanaged`" for section in sections_of(map(section_of, unread)))
    return f"give the token access to them, or set {sections}"


def _pin(config: Config, live: Live) -> Check:
    """Check 10: `org.id` is that of the org at `org.url`."""
    pinned_id, org_id = config.org.id, live.facts.org_id
    if pinned_id == org_id:
        return Check("pin", f"the org's ID is {org_id}, as in `org.id`")
    if pinned_id is not None:
        hint = "correct `org.url`, or `org.id` if the org was created again"
        problem = Problem("other_org", f"`org.id` is {pinned_id}, but this org is {org_id}", None, hint)
        return Check("pin", problems=(problem,))
    hint = f"add `id: {org_id}` under `org`"
    message = "`org.id` is not set, so any org at this URL is accepted"
    return Check("pin", problems=(Problem("no_pin", message, None, hint, "warning"),))


async def _people(config: Config, org: Reader, people: People, live: Live) -> Check:
    """Check 12: users can be read, and the users that guards require exist."""
    try:
        required = config.desired.policy.guards.required_org_admins
        scope = PeopleScope(emails=frozenset(required), org_admins=True)
        directory = await read_people(people, org, live, scope)
    except RolecallError as error:
        return Check("people", problems=error.problems)
    if directory.coverage.state != "complete":
        how = "could not be read" if directory.coverage.state == "unread" else "could only be partially read"
        why = directory.coverage.problem or "no source of users is known"
        hint = people_hint(config.people, observed=config.org.kind == "observed")
        return Check("people", problems=(Problem("people_unread", f"users {how}: {why}", None, hint, "warning"),))
    return Check("people", "users and memberships can be read", tuple(_missing(required, directory)))


def _missing(required: Sequence[str], directory: Directory) -> Iterator[Problem]:
    active_emails = {normalise.email(email) for at, email in enumerate(directory.emails) if directory.traits(at).active}
    for email in required:
        if normalise.email(email) not in active_emails:
            hint = "correct `guards.required_org_admins`, or activate the user in the IdP"
            yield Problem("required_missing", f"{email} must be an org admin but is not an active user", None, hint)


NAME = "pipeline"


def examine_pipeline(root: Path, config: Config | None, variables: Mapping[str, str]) -> Check:
    """Check 13: pipelines apply only what another user approved."""
    jobs = gates(root)
    if not jobs:
        return Check(NAME, "no pipeline applies this configuration")
    problems = [problem for gate in jobs for problem in _open_gate(gate, root, variables)]
    if config is not None and config.desired.policy.guards.approval != "other_person":
        hint = "add `guards: {approval: other_person}`"
        message = "a pipeline applies this configuration without approval by another user"
        problems.append(Problem("approval", message, Where(config.main), hint, "warning"))
    names = ", ".join(sorted({gate.environment for gate in jobs if gate.environment}))
    return Check(NAME, f"the environment {names} has required reviewers", tuple(problems))


def _open_gate(gate: Gate, root: Path, variables: Mapping[str, str]) -> Iterator[Problem]:
    place = Where(gate.file)
    if gate.environment is None:
        hint = "give the job an `environment` with required reviewers"
        message = f"the job `{gate.job}` runs rolecall apply without a deployment environment"
        yield Problem("open_gate", message, place, hint, "warning")
        return
    environment = f"the deployment environment `{gate.environment}`"
    state = protection(gate, variables, origin(root))
    hint = "add required reviewers (GitLab: approval rules of a protected environment) in the repository's settings"
    if state.reviewers is None:
        message = f"could not check whether {environment} has required reviewers: {state.reason}"
        hint = f"{hint}; to check it from this machine, set {gate.variables}"
        yield Problem("unknown_gate", message, place, hint, "warning")
    elif not state.reviewers:
        message = f"{environment} has no required reviewers"
        yield Problem("open_gate", message, place, hint, "warning")
