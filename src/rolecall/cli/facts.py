"""Who runs this, where and from which commit, as far as the environment says."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping

from rolecall import __version__
from rolecall.cli.options import Invocation
from rolecall.cli.root import root_of
from rolecall.cli.session import now
from rolecall.desired import Config
from rolecall.journal.port import Holder
from rolecall.model.run import RunFacts

_SAID: Mapping[str, tuple[str, ...]] = {
    "commit": ("GITHUB_SHA", "CI_COMMIT_SHA"),
    "branch": ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME"),
    "pull_request": ("ROLECALL_PULL_REQUEST", "CI_MERGE_REQUEST_IID"),
}


def run_facts(call: Invocation, config: Config, caller: str | None = None) -> RunFacts:
    """The facts of a run that is about to begin. ``caller`` is whom the org takes us for."""
    environ = call.environ
    return RunFacts(
        org_name=config.org.name,
        env=config.env,
        actor=actor(environ),
        caller=caller,
        host=socket.gethostname(),
        commit=_first(environ, *_SAID["commit"]),
        branch=_first(environ, *_SAID["branch"]),
        remote=_remote(environ),
        pull_request=_first(environ, *_SAID["pull_request"]),
        ci_run=ci_run(environ),
        config=str(root_of(call).folder.resolve() / config.main),
        config_digest=config.digest,
        version=__version__,
    )


def holder(call: Invocation) -> Holder:
    """Who will hold the org's lock, for whoever waits for it."""
    return Holder(actor(call.environ), socket.gethostname(), os.getpid(), now(), ci_run(call.environ))


def actor(environ: Mapping[str, str]) -> str:
    """The person or pipeline behind this run."""
    said = _first(environ, "GITHUB_ACTOR", "GITLAB_USER_LOGIN", "ROLECALL_ACTOR")
    if said:
        return said
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def ci_run(environ: Mapping[str, str]) -> str | None:
    """The address of the pipeline's run, where there is one."""
    if url := environ.get("CI_JOB_URL"):
        return url
    parts = [environ.get(name) for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")]
    return f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}" if all(parts) else None


def _remote(environ: Mapping[str, str]) -> str | None:
    if url := environ.get("CI_PROJECT_URL"):
        return url
    server, repository = environ.get("GITHUB_SERVER_URL"), environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}" if server and repository else None


def _first(environ: Mapping[str, str], *names: str) -> str | None:
    return next((said for name in names if (said := environ.get(name))), None)
