"""Compares the checked-out commit with the commits applied last, if the clone does not have them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from github import GitHub, Refused
from runner import Failed, Job, annotate

_RELATIONS = {"identical": "same", "ahead": "newer", "behind": "older", "diverged": "diverged"}
"""GitHub's words for the head of a comparison, and rolecall's."""

_MOST_COMMITS = 5


def relations(job: Job, github: GitHub) -> Mapping[str, str]:
    """Return the variable that tells rolecall of commits which a shallow clone lacks; nothing for a whole clone."""
    sha = job.environ.get("GITHUB_SHA", "")
    if not sha or not _is_shallow(job):
        return {}
    found = [f"{commit}={relation}" for commit in _applied(job) if (relation := _asked(github, commit, sha))]
    return {"ROLECALL_RELATION": " ".join(found)} if found else {}


def _is_shallow(job: Job) -> bool:
    command = ["git", "-C", str(job.folder), "rev-parse", "--is-shallow-repository"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return ended.stdout.strip() == "true"


def _applied(job: Job) -> list[str]:
    """The commits of the newest runs that applied something, newest first."""
    try:
        _, text = job.rolecall("history", "--format", "json", "--limit", "50")
    except Failed:
        return []
    runs = [run for run in json.loads(text)["runs"] if run["kind"] in ("apply", "rollback")]
    commits = [str(run["facts"].get("commit") or "").removesuffix("-dirty") for run in runs]
    return [commit for commit in dict.fromkeys(commits) if commit][:_MOST_COMMITS]


def _asked(github: GitHub, commit: str, sha: str) -> str | None:
    try:
        return _RELATIONS.get(github.get(f"compare/{commit}...{sha}").get("status"))
    except Refused as error:
        annotate("warning", f"whether commit {commit[:12]} is newer than this one is not known: {error}")
        return None
