"""Reads approvals on GitHub: reviewers of the environment and of the pull request, and which approvals do not count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from github import GitHub, Refused
from runner import Job, annotate

_SERVICES = frozenset({"web-flow"})
"""Accounts by which GitHub itself commits for whoever pressed a button."""

_MOST_COMMITS = 250
"""GitHub lists no more commits of a pull request than this."""

_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(?P<name>.*?)\s*<(?P<email>[^<>]*)>\s*$", re.IGNORECASE | re.MULTILINE)
_NO_REPLY = re.compile(r"(?:\d+\+)?(?P<login>[^@+]+)@users\.noreply\.[^@]+", re.IGNORECASE)
_CAN_WRITE = frozenset({"admin", "maintain", "write"})


class Authors(NamedTuple):
    """The authors of a change: account names in lower case, and authors of commits without a known account."""

    logins: frozenset[str]
    unknown: tuple[str, ...] = ()


class Merged(NamedTuple):
    """The pull request that brought the commit. ``head`` is its last commit, ``pushed_at`` when that was made."""

    number: int
    url: str
    author: str
    head: str
    pushed_at: str | None
    authors: Authors


def merged(job: Job, github: GitHub) -> Merged | None:
    """Return the pull request whose merge made this job run; None for a commit that came without one."""
    sha = job.environ.get("GITHUB_SHA", "")
    pulls = [pull for pull in github.all(f"commits/{sha}/pulls") if pull.get("merged_at")] if sha else []
    pull = next((pull for pull in pulls if pull.get("merge_commit_sha") == sha), pulls[0] if pulls else None)
    if pull is None:
        return None
    number, opener, head = int(pull["number"]), _login(pull.get("user")), pull["head"]["sha"]
    commits = github.all(f"pulls/{number}/commits")
    authors = _authors(commits, {opener})
    if opener is None:
        authors = authors._replace(unknown=(*authors.unknown, "the user who opened the pull request"))
    if len(commits) >= _MOST_COMMITS:
        authors = authors._replace(unknown=(*authors.unknown, f"commits after the first {_MOST_COMMITS}"))
    return Merged(number, pull["html_url"], opener or "ghost", head, _committed(commits, head), authors)


def authors_of_push(job: Job, github: GitHub) -> Authors:
    """Return who made a change that came without a pull request: whoever pushed it, and the commits' authors."""
    sha, before = job.environ.get("GITHUB_SHA", ""), str(job.event().get("before") or "")
    pushed = {job.environ.get("GITHUB_ACTOR", ""), job.environ.get("GITHUB_TRIGGERING_ACTOR", "")}
    if not sha:
        return _authors([], pushed)
    if not before.strip("0"):
        return _authors([github.get(f"commits/{sha}")], pushed)
    commits = github.get(f"compare/{before}...{sha}")["commits"]
    authors = _authors(commits, pushed)
    if len(commits) >= _MOST_COMMITS:
        authors = authors._replace(unknown=(*authors.unknown, f"commits before the last {_MOST_COMMITS}"))
    return authors


def recorded(job: Job, github: GitHub, pull: Merged | None) -> list[dict[str, Any]]:
    """Return the approvals that count, as `apply --approval` reads them: ``[{by, at, url, source}]``.

    Only users count who did not make the change. If an author's account is not known, no approval counts, since it
    could be the author's own. An annotation of the job has the reason for each approval that does not count.
    """
    authors = pull.authors if pull else authors_of_push(job, github)
    approvals = [*_of_environment(job, github), *(_of_reviews(github, pull) if pull else [])]
    if approvals and authors.unknown:
        listed = ", ".join(authors.unknown[:3])
        annotate(
            "warning",
            f"no approval counts: GitHub knows no account for {listed}, so any approval could be the author's own; "
            "add the email address of each commit to its author's account",
        )
        return []
    own = sorted({row["by"] for row in approvals if row["by"].casefold() in authors.logins})
    for login in own:
        annotate("notice", f"{login} made this change, so their own approval does not count")
    return [row for row in approvals if row["by"] not in own]


def _authors(commits: Iterable[Mapping[str, Any]], logins: Iterable[str | None]) -> Authors:
    """Return the accounts behind commits: authors, committers and co-authors, with ``logins``."""
    known = {login.casefold() for login in logins if login}
    accounts: dict[str, str] = {}
    missing: dict[str, str] = {}
    for commit in commits:
        details = commit.get("commit") or {}
        for role in ("author", "committer"):
            person, login = details.get(role) or {}, _login(commit.get(role))
            email = str(person.get("email") or "").casefold()
            if login:
                accounts[email] = login
                known.add(login.casefold())
            else:
                missing[email] = f"{person.get('name') or 'unknown author'} <{email}>"
        for named in _CO_AUTHOR.finditer(str(details.get("message") or "")):
            email = named["email"].casefold()
            if account := _NO_REPLY.fullmatch(email):
                known.add(account["login"])
            else:
                missing.setdefault(email, f"{named['name']} <{email}>")
    unknown = tuple(label for email, label in missing.items() if email not in accounts)
    return Authors(frozenset(known) - _SERVICES, unknown)


def _committed(commits: Iterable[Mapping[str, Any]], head: str) -> str | None:
    """Return when the last commit was made, as GitHub writes times; None if it is not listed."""
    dates = [commit["commit"]["committer"]["date"] for commit in commits if commit.get("sha") == head]
    return str(dates[0]) if dates else None


def _of_environment(job: Job, github: GitHub) -> list[dict[str, Any]]:
    """Return the approvals by reviewers of the deployment environment. GitHub does not say when they approved."""
    run = job.environ.get("GITHUB_RUN_ID", "")
    try:
        rows = github.get(f"actions/runs/{run}/approvals") if run else []
    except Refused as error:
        annotate("warning", f"approvals of the environment could not be read ({error}); the job needs `actions: read`")
        return []
    return [
        {"by": _login(row["user"]), "at": None, "url": _run_url(job), "source": f"environment {place['name']}"}
        for row in rows
        if row["state"] == "approved" and _is_person(row.get("user"))
        for place in row["environments"]
    ]


def _of_reviews(github: GitHub, pull: Merged) -> list[dict[str, Any]]:
    """Return each reviewer's last review, if it approves the commit that was merged, after it was made.

    Reviewers must have write access to the repository: anyone can review a public one.
    """
    last: dict[str, dict[str, Any]] = {}
    for review in github.all(f"pulls/{pull.number}/reviews"):
        if review["state"] != "COMMENTED" and _is_person(review.get("user")):
            last[review["user"]["login"]] = review
    return [
        {
            "by": by,
            "at": review["submitted_at"],
            "url": review["html_url"],
            "source": "pull request review",
            "commit": pull.head,
            "pushed_at": pull.pushed_at,
        }
        for by, review in last.items()
        if review["state"] == "APPROVED"
        and review["commit_id"] == pull.head
        and pull.pushed_at is not None
        and review["submitted_at"] >= pull.pushed_at
        and _can_write(github, by)
    ]


def _can_write(github: GitHub, login: str) -> bool:
    try:
        permission = str(github.get(f"collaborators/{login}/permission").get("permission"))
    except Refused as error:
        annotate("warning", f"the approval by {login} does not count: their permission could not be read ({error})")
        return False
    if permission not in _CAN_WRITE:
        annotate("notice", f"the approval by {login} does not count: they have no write access to this repository")
    return permission in _CAN_WRITE


def _is_person(user: Mapping[str, Any] | None) -> bool:
    """Return whether an account is that of a user, not of an app, a bot or an organization."""
    login = _login(user)
    return login is not None and (user or {}).get("type") == "User" and not login.endswith("[bot]")


def _login(user: Mapping[str, Any] | None) -> str | None:
    login = (user or {}).get("login")
    return str(login) if login else None


def _run_url(job: Job) -> str:
    named = (job.environ.get(name, "") for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"))
    return "{}/{}/actions/runs/{}".format(*named)
