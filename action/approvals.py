"""Who said yes on GitHub: reviewers of the environment and of the pull request, and whose yes does not count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

from github import GitHub, Refused
from runner import Job

_NOT_PEOPLE = frozenset({"web-flow"})


class Merged(NamedTuple):
    """The pull request that brought the commit; ``authors`` wrote any of its commits or opened it, in lower case."""

    number: int
    url: str
    author: str
    head: str
    authors: frozenset[str]


def merged(job: Job, github: GitHub) -> Merged | None:
    """The pull request whose merge made this job run; None for a commit that came without one."""
    sha = job.environ.get("GITHUB_SHA", "")
    found = [pull for pull in github.all(f"commits/{sha}/pulls") if pull.get("merged_at")] if sha else []
    pull = next((one for one in found if one.get("merge_commit_sha") == sha), found[0] if found else None)
    if pull is None:
        return None
    number, author = int(pull["number"]), str((pull.get("user") or {}).get("login") or "ghost")
    return Merged(number, pull["html_url"], author, pull["head"]["sha"], _authors(github, number, author))


def recorded(job: Job, github: GitHub, pull: Merged | None) -> list[dict[str, Any]]:
    """Every approval there is, as `apply --approval` reads them: ``[{by, at, url, source}]``."""
    found = _of_environment(job, github)
    return [*found, *_of_reviews(github, pull)] if pull else found


def by_others(approvals: list[dict[str, Any]], authors: frozenset[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Those by somebody who did not write the change, and the names of the others."""
    kept = [row for row in approvals if row["by"].casefold() not in authors]
    return kept, sorted({row["by"] for row in approvals} - {row["by"] for row in kept})


def _authors(github: GitHub, number: int, opener: str) -> frozenset[str]:
    names = {opener}
    for commit in github.all(f"pulls/{number}/commits"):
        names |= {(commit.get(role) or {}).get("login") or "" for role in ("author", "committer")}
    return frozenset(name.casefold() for name in names if name) - _NOT_PEOPLE


def _of_environment(job: Job, github: GitHub) -> list[dict[str, Any]]:
    """Reviewers of the deployment environment. GitHub does not say when, so the time is this one."""
    run = job.environ.get("GITHUB_RUN_ID", "")
    try:
        rows = github.get(f"actions/runs/{run}/approvals") if run else []
    except Refused:
        return []
    at, url = datetime.now(UTC).isoformat(timespec="seconds"), _run_url(job)
    return [
        {
            "by": (row.get("user") or {}).get("login") or "ghost",
            "at": at,
            "url": url,
            "source": f"environment {place['name']}",
        }
        for row in rows
        if row["state"] == "approved"
        for place in row["environments"]
    ]


def _of_reviews(github: GitHub, pull: Merged) -> list[dict[str, Any]]:
    """Each reviewer's last word, where it is a yes to the commit that was merged, not to an older one."""
    last: dict[str, dict[str, Any]] = {}
    for review in github.all(f"pulls/{pull.number}/reviews"):
        if review["state"] != "COMMENTED" and review.get("user"):
            last[review["user"]["login"]] = review
    return [
        {"by": by, "at": review["submitted_at"], "url": review["html_url"], "source": "pull request review"}
        for by, review in last.items()
        if review["state"] == "APPROVED" and review["commit_id"] == pull.head
    ]


def _run_url(job: Job) -> str:
    named = (job.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    return "{}/{}/actions/runs/{}".format(*named)
