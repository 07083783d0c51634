"""What the GitLab template asks GitLab: `note` keeps one note on the merge request up to date, `approvals` says who
approved it. Standard library only. GitLab's address and the project come from the runner's own variables.

    python3 .gitlab/rolecall_gitlab.py note FILE
    python3 .gitlab/rolecall_gitlab.py approvals > approvals.json
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_LIMIT = 1_000_000
"""The characters that a note may have."""
_SECONDS = 30
_PATIENCE = 60
_MOST_PAGES = 50


class Failed(Exception):
    """GitLab could not be asked, or did not answer; in words for the job's log."""


def note(path: Path) -> str:
    """Put the Markdown on the merge request, or bring the note that is there up to date. Says what was done."""
    body = path.read_text(encoding="utf-8")[:_LIMIT]
    marker = _MARKER.match(body)
    merge = os.environ.get("CI_MERGE_REQUEST_IID", "")
    if not merge or not os.environ.get("ROLECALL_GITLAB_TOKEN"):
        return "no note: this is no merge request's pipeline, or ROLECALL_GITLAB_TOKEN is not set for it"
    if marker is None:
        raise Failed(f"{path} does not begin with rolecall's marker")
    notes = f"merge_requests/{merge}/notes"
    us = send("GET", "user", project=False)[0]["id"]
    for row in pages(f"{notes}?sort=asc&order_by=created_at"):
        found = _MARKER.match(row["body"] or "")
        if found and row["author"]["id"] == us and _same(found, marker):
            send("PUT", f"{notes}/{row['id']}", {"body": body})
            return f"note {row['id']} brought up to date"
    return f"note {send('POST', notes, {'body': body})[0]['id']} written"


_MARKER = re.compile(r"<!-- rolecall:plan:([^:>]*):([^:>]*) -->")


def _same(one: re.Match[str], other: re.Match[str]) -> bool:
    """The same environment and org; `-` is an org that was not known."""
    return one[2] == other[2] and (one[1] == other[1] or "-" in (one[1], other[1]))


def approvals() -> list[dict[str, Any]]:
    """Who approved the merge request that brought this commit, as `apply --approval` reads it; without its author."""
    if not os.environ.get("ROLECALL_GITLAB_TOKEN"):
        return []
    found = []
    for merge in pages(f"repository/commits/{os.environ['CI_COMMIT_SHA']}/merge_requests"):
        if merge["state"] != "merged":
            continue
        said = send("GET", f"merge_requests/{merge['iid']}/approvals")[0]
        for row in said["approved_by"]:
            who = row["user"]["username"]
            if who.casefold() != merge["author"]["username"].casefold():
                at, url = row.get("approved_at"), merge["web_url"]
                found.append({"by": who, "at": at, "url": url, "source": "merge request approval"})
    return found


def pages(path: str) -> list[Any]:
    """A list of the project's, every page of it."""
    found: list[Any] = []
    page = "1"
    for _ in range(_MOST_PAGES):
        rows, page = send("GET", f"{path}{'&' if '?' in path else '?'}per_page=100&page={page}")
        found += rows
        if not page:
            return found
    raise Failed(f"GitLab's list {path} has more than {_MOST_PAGES} pages")


def send(method: str, path: str, body: Mapping[str, Any] | None = None, *, project: bool = True) -> tuple[Any, str]:
    """One request, sent again where GitLab asks to wait: the answer, and the next page's number or nothing."""
    api = os.environ["CI_API_V4_URL"].rstrip("/")
    url = f"{api}/projects/{os.environ['CI_PROJECT_ID']}/{path}" if project else f"{api}/{path}"
    headers = {"PRIVATE-TOKEN": os.environ["ROLECALL_GITLAB_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    for last in (False, False, True):
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return json.load(answer), answer.headers.get("X-Next-Page", "")
        except urllib.error.HTTPError as error:
            wait = _wait(error, method)
            if last or wait is None:
                raise Failed(f"GitLab answered {error.code} to {method} {path.partition('?')[0]}") from None
            time.sleep(wait)
        except (OSError, ValueError) as error:
            raise Failed(f"GitLab could not be asked ({method} {path.partition('?')[0]}): {error}") from None
    raise AssertionError("the last try answers or raises")


def _wait(error: urllib.error.HTTPError, method: str) -> float | None:
    """Seconds until the same may be sent again; None where that would not help, or might write a second note."""
    said = error.headers.get("Retry-After") or ""
    asked = float(said) if said.isdecimal() else 2.0
    again = error.code == 429 or (error.code >= 500 and method != "POST")
    return asked if again and asked <= _PATIENCE else None


def main(args: list[str]) -> int:
    """0, or 1 with a line that says why. A note that cannot be written fails nothing: the plan is in the job's log."""
    try:
        if len(args) == 2 and args[0] == "note":
            sys.stdout.write(f"{note(Path(args[1]))}\n")
        elif args == ["approvals"]:
            sys.stdout.write(f"{json.dumps(approvals())}\n")
        else:
            sys.stderr.write("say `note FILE` or `approvals`\n")
            return 64
    except (Failed, KeyError, TypeError) as error:
        said = error if isinstance(error, Failed) else f"GitLab said something that is not understood: {error!r}"
        sys.stderr.write(f"warning: {said}\n" if args[0] == "note" else f"error: {said}\n")
        return 0 if args[0] == "note" else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
