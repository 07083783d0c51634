"""The one comment a pull request gets for each org: found again by its marker, written by us alone."""

from __future__ import annotations

import re
from typing import Any

from github import GitHub
from runner import Job

LIMIT = 65_535
"""The characters that a comment may have."""

_MARKER = re.compile(r"<!-- rolecall:plan:([^:>]*):([^:>]*) -->")
_ROW = re.compile(r"\| <code>")


def placed(job: Job, github: GitHub, number: int, body: str) -> str:
    """Put the comment there, or bring the one that is there up to date. Gives its address."""
    body = with_banner(body, job.marker)
    held = _own(job, github, number, _MARKER.match(body))
    if held is None:
        made = github.post(f"issues/{number}/comments", {"body": fitted(body)})
    else:
        made = github.patch(f"issues/comments/{held['id']}", {"body": fitted(body)})
    return str(made.get("html_url", ""))


def marker(org: str, env: str) -> str:
    """Return the first line of a comment without a plan."""
    return f"<!-- rolecall:plan:{org}:{re.sub(r'[^A-Za-z0-9_.]', '', env)} -->"


def with_banner(body: str, banner: str) -> str:
    """Return a comment with a banner right below its marker."""
    first, _, rest = body.partition("\n")
    return f"{first}\n{banner}\n{rest}" if banner else body


def fitted(body: str, limit: int = LIMIT) -> str:
    """At most ``limit`` characters: rows of tables go from the end, and are counted."""
    lines = body.splitlines(keepends=True)
    rows = [at for at, line in enumerate(lines) if _ROW.match(line)]
    over, dropped = len(body) + 80 - limit, 0
    if over <= 80:
        return body
    while over > 0 and rows:
        over -= len(lines[rows[-1]])
        lines[rows.pop()] = ""
        dropped += 1
    return f"{''.join(lines)}\n_{dropped:,} rows are not shown, since the comment is too long._\n"[:limit]


def _own(job: Job, github: GitHub, number: int, wanted: re.Match[str] | None) -> dict[str, Any] | None:
    """Our comment for that org and environment. One that says what the marker says but is another's is passed over."""
    if wanted is None:
        return None
    us = job.input("comment-author") or "github-actions[bot]"
    for comment in github.all(f"issues/{number}/comments"):
        found = _MARKER.match(comment["body"] or "")
        ours = (comment.get("user") or {}).get("login") == us and job.owns(comment["body"])
        if found and ours and _same(found, wanted):
            return dict(comment)
    return None


def _same(one: re.Match[str], other: re.Match[str]) -> bool:
    """The same environment and org; `-` is an org that was not known yet."""
    return one.group(2) == other.group(2) and (one.group(1) == other.group(1) or "-" in (one.group(1), other.group(1)))
