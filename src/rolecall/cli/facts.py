"""Collect who runs this, where and from which commit, as far as the environment and git say."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from rolecall import __version__
from rolecall.cli.messages import tell
from rolecall.cli.options import Invocation, root_of
from rolecall.cli.session import now
from rolecall.desired.build import Config
from rolecall.journal.port import Holder
from rolecall.model import normalise
from rolecall.model.lineage import ConfigId, Relation, read_config_id, same_config
from rolecall.model.run import RunFacts
from rolecall.outside.git import head, refusal, relation, repository

_VARIABLES: Mapping[str, tuple[str, ...]] = {
    "actor": ("ROLECALL_ACTOR", "GITHUB_ACTOR", "GITLAB_USER_LOGIN"),
    "commit": ("ROLECALL_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA"),
    "branch": ("ROLECALL_BRANCH", "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"),
    "ci_run": ("ROLECALL_CI_RUN", "CI_JOB_URL", "BUILD_URL"),
}
"""Fact -> the variables that may have it, in order: set for rolecall, by GitHub, by GitLab and others."""


def run_facts(call: Invocation, config: Config, caller: str | None = None) -> RunFacts:
    """Return the facts of a run that is about to begin. ``caller`` is the user that the org knows the token as."""
    environ, root = call.environ, root_of(call)
    checked_out = head(root.folder.resolve())
    return RunFacts(
        org_name=config.org.name,
        env=config.env,
        actor=actor(environ),
        caller=caller,
        host=socket.gethostname(),
        commit=_first(environ, "commit") or checked_out.commit,
        branch=_first(environ, "branch") or checked_out.branch,
        remote=_remote(environ),
        pull_request=pull_request(environ),
        ci_run=ci_run(environ),
        config=str(config_id(call, config)),
        config_digest=config.digest,
        version=__version__,
    )


def config_id(call: Invocation, config: Config) -> ConfigId:
    """Return which configuration this is, wherever it is checked out.

    It is identified by its repository and its path in it; outside of git by its absolute path and its path from a
    journal that is a file.
    """
    folder = root_of(call).folder.resolve()
    _tell_refusal(folder, call.log_format == "json", call.color)
    org, absolute = config.org.name, f"{folder}/{config.main}"
    if (git_place := repository(folder)) is not None:
        return ConfigId(
            org, f"{git_place.folder}{config.main}", True, git_place.first, git_place.remote, absolute=absolute
        )
    journal = _journal_folder(config, folder)
    from_journal = "" if journal is None else os.path.relpath(absolute, journal)
    return ConfigId(org, absolute, beside=from_journal, absolute=absolute)


def relation_to(call: Invocation, commit: str) -> Relation | None:
    """Return how the checked-out commit relates to another one.

    By git, or, if the clone lacks that commit, by ``ROLECALL_RELATION``, which the action sets to entries
    ``COMMIT=same|newer|older|diverged``, separated by spaces.
    """
    by_git = relation(root_of(call).folder.resolve(), commit)
    if by_git is not None:
        return by_git
    known = dict(entry.split("=", 1) for entry in call.environ.get("ROLECALL_RELATION", "").split() if "=" in entry)
    given_relation = known.get(commit.removesuffix("-dirty"))
    return next((known_relation for known_relation in get_args(Relation) if known_relation == given_relation), None)


def is_same_config(call: Invocation, config: Config, recorded: str) -> bool:
    """Return whether a configuration that the journal names is this one, here or where it was before it moved."""
    mine, known = config_id(call, config), read_config_id(recorded)
    if known is None:
        return False
    if config.journal.is_default and not mine.git and Path(known.path).name == config.main:
        return True  # outside of git, a journal in the folder itself has runs of this configuration only
    return same_config(mine, known, lambda recorded_id: _exists(call, config, recorded_id))


def _exists(call: Invocation, config: Config, recorded: ConfigId) -> bool:
    """Return whether the main file that a journal names still exists: in this repository, next to the journal, or at
    its path. If the whole repository was moved, the end of the path may exist below its new root."""
    folder = root_of(call).folder.resolve()
    git_place = repository(folder)
    if recorded.git:
        return git_place is not None and (git_place.top / recorded.path).exists()
    journal = _journal_folder(config, folder)
    if recorded.beside and journal is not None:
        return (journal / recorded.beside).exists()
    parts = Path(recorded.path).parts
    within = [] if git_place is None else [git_place.top.joinpath(*parts[start:]) for start in range(1, len(parts) - 1)]
    moved = next((path for path in within if path.exists()), None)
    return Path(recorded.path).exists() or (moved is not None and moved != folder / config.main)


def _journal_folder(config: Config, folder: Path) -> Path | None:
    url = config.journal.url
    if not isinstance(url, str) or not url.startswith("sqlite:"):
        return None
    return (folder / url.removeprefix("sqlite:")).resolve().parent


@cache
def _tell_refusal(folder: Path, as_json: bool, color: bool) -> None:
    """Warn once if git refuses to read the folder's repository: commit, author and repository are unknown then."""
    refused = None if head(folder).commit else refusal(folder)
    if refused is not None:
        tell([refused], as_json=as_json, color=color)


def authors(call: Invocation, caller: str | None = None) -> frozenset[str]:
    """Return all names of who may have made the change: whoever runs this, ``caller``, the commit's author."""
    environ, checked_out = call.environ, head(root_of(call).folder.resolve())
    set_by_pipeline = [
        environ.get(name) for name in ("GITHUB_TRIGGERING_ACTOR", "GITLAB_USER_EMAIL", "ROLECALL_AUTHOR")
    ]
    names = (
        actor(environ),
        caller,
        *set_by_pipeline,
        environ.get("CI_COMMIT_AUTHOR"),
        checked_out.author,
        checked_out.email,
    )
    return frozenset().union(*(names_in(person) for person in names if person))


def names_in(text: str) -> frozenset[str]:
    """Return the names in ``ann``, ``ann@acme.com`` or ``Ann Lee <ann@acme.com>``, normalized for comparison (R28)."""
    name, _, mail = text.partition("<")
    return frozenset(filter(None, map(normalise.email, (text, name, mail.rstrip("> ")))))


def holder(call: Invocation) -> Holder:
    """Return who holds the org's lock, to be shown to whoever waits for it."""
    return Holder(actor(call.environ), socket.gethostname(), os.getpid(), now(), ci_run(call.environ))


def actor(environ: Mapping[str, str]) -> str:
    """Return the user or pipeline that runs this."""
    if name := _first(environ, "actor"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def ci_run(environ: Mapping[str, str]) -> str | None:
    """Return the URL of the pipeline's run; None outside of one."""
    at = _github(environ)
    number = environ.get("GITHUB_RUN_ID")
    return _first(environ, "ci_run") or (f"{at}/actions/runs/{number}" if at and number else None)


def pull_request(environ: Mapping[str, str]) -> str | None:
    """Return the URL of the pull or merge request, or the value of ``ROLECALL_PULL_REQUEST``."""
    if address := environ.get("ROLECALL_PULL_REQUEST"):
        return address
    project, number = environ.get("CI_MERGE_REQUEST_PROJECT_URL"), environ.get("CI_MERGE_REQUEST_IID")
    if number:
        return f"{project}/-/merge_requests/{number}" if project else number
    at, ref = _github(environ), environ.get("GITHUB_REF", "").split("/")
    pulled = len(ref) > 2 and ref[:2] == ["refs", "pull"]
    return f"{at}/pull/{ref[2]}" if at and pulled else None


def _remote(environ: Mapping[str, str]) -> str | None:
    return environ.get("CI_PROJECT_URL") or _github(environ)


def _github(environ: Mapping[str, str]) -> str | None:
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}" if server and repository else None


def _first(environ: Mapping[str, str], fact: str) -> str | None:
    """Return a fact from the environment. Bytes that are not text become ``\ufffd``, as no journal could store them."""
    value = next((value for name in _VARIABLES[fact] if (value := environ.get(name))), None)
    return value and value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
