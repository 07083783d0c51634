"""Use case `doctor`, first half: what files and the environment show. Nothing is sent anywhere.

Thirteen things go wrong most often when somebody sets rolecall up. Each is checked by itself, so that one that is wrong
hides no other; `doctor_org` has those that need the org, `doctor_pipeline` the last, which may ask the forge.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rolecall.desired import Config, environments, read_config, validate_repo
from rolecall.errors import ConfigError, Problem, RolecallError, Where, did_you_mean
from rolecall.jobs.init import IGNORED, SCHEMA
from rolecall.live.secrets import check_host, is_ci, resolve
from rolecall.model.checkup import Check
from rolecall.model.paste import shell_word
from rolecall.outside.git import tracked
from rolecall.outside.git_command import refusal
from rolecall.schema_files import schema_text

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
    found = _config(patient)
    valid = Check("valid", "needs a config", skipped=True) if found.problems else _valid(patient)
    config = config_of(patient)
    return [found, valid, _variables(patient), _schema(patient, config), _git(patient), *_of_config(patient, config)]


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
    below = next(iter(sorted(patient.root.glob(f"*/{patient.main}"))), None)
    near = above or (below.parent if below else None)
    hint = f"go to {near}, or say -C {near}" if near else "`rolecall init` starts one"
    return Problem("no_config", f"there is no {patient.main} in {patient.root.resolve()}", None, hint)


def _valid(patient: Patient) -> Check:
    """2: mistakes in the config. The first few are told; `validate` has them all."""
    problems = validate_repo(patient.root, patient.env, patient.main)
    told = sorted(problems, key=lambda problem: problem.severity != "error")[:_MOST]
    if len(problems) > _MOST:
        told.append(Problem("more", f"{len(problems) - _MOST} more", None, "see `rolecall validate`", "warning"))
    return Check("valid", "no mistakes in it", tuple(told))


_MOST = 5


def _variables(patient: Patient) -> Check:
    """3: a variable whose name is misspelt does nothing, and nobody notices."""
    said = sorted(name for name in patient.variables if name.startswith("ROLECALL_"))
    unknown = [name for name in said if name not in patient.known]
    problems = [
        Problem("variable", f"{name} is none of rolecall's variables", None, _near(name, patient), "warning")
        for name in unknown
    ]
    return Check("variables", f"{', '.join(said) or 'none'} set", tuple(problems))


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
    held = tracked(patient.root, ".rolecall")
    if (refused := refusal(patient.root)) is not None:
        return Check("git", problems=(refused,))
    if held is None:
        return Check("git", "no git repository here", skipped=True)
    kept = [name for name in held if not name.endswith("config.schema.json")]
    if kept:
        hint = f"`git rm --cached {' '.join(map(shell_word, kept[:3]))}`, then see that .gitignore has `{IGNORED[0]}`"
        problem = Problem("state_in_git", f"state of this machine is in git: {', '.join(kept[:3])}", None, hint)
        return Check("git", problems=(problem,))
    path = patient.root / ".gitignore"
    rows = path.read_text(encoding="utf-8", errors="replace").split() if path.is_file() else []
    if not {".rolecall", ".rolecall/", ".rolecall/*"} & {row.lstrip("/") for row in rows}:
        hint = f"add the lines {' and '.join(f'`{row}`' for row in IGNORED)}"
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
