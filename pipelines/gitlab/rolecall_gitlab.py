"""Requests of the GitLab template: `note` updates one note on the merge request, `approvals` prints who approved it,
`drift` opens, updates and closes the issue of a drift check. Needs only the standard library. GitLab's URL and the
project come from the runner's variables.

    python3 .gitlab/rolecall_gitlab.py note FILE
    python3 .gitlab/rolecall_gitlab.py drift drift.json drift.txt
    python3 .gitlab/rolecall_gitlab.py approvals > approvals.json
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import queue
import re
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import datetime
from email.message import Message
from pathlib import Path
from typing import Any

_LIMIT = 1_000_000
"""The characters that a note may have."""
_SECONDS = 30
"""Seconds without a byte after which an answer is given up."""
_WHOLE = 60.0
"""Seconds that one answer may take as a whole, from name resolution to the last byte."""
_LARGEST = 32_000_000
"""Bytes that one answer may have."""
_CHUNK = 65_536
_TOO_SLOW = "the whole answer took too long"
_PATIENCE = 60
_MOST_PAGES = 50


class Failed(Exception):
    """GitLab could not be asked, or did not answer; in words for the job's log."""


class NotFound(Failed):
    """GitLab has no such thing, or does not show it: 404."""


def note(path: Path) -> str:
    """Put the Markdown on the merge request, or bring the note that is there up to date. Says what was done."""
    body = path.read_text(encoding="utf-8")
    marker = _MARKER.match(body)
    first, _, rest = body.partition("\n")
    body = f"{first}\n{_key()}\n{rest}"[:_LIMIT]
    merge = os.environ.get("CI_MERGE_REQUEST_IID", "")
    if not merge or not os.environ.get("ROLECALL_GITLAB_TOKEN"):
        return "no note: this pipeline is not for a merge request, or ROLECALL_GITLAB_TOKEN is not set"
    if marker is None:
        raise Failed(f"{path} does not begin with rolecall's marker")
    notes = f"merge_requests/{merge}/notes"
    us = send("GET", "user", project=False)[0]["id"]
    for row in pages(f"{notes}?sort=asc&order_by=created_at"):
        found = _MARKER.match(row["body"] or "")
        if found and row["author"]["id"] == us and _same(found, marker) and _is_ours(row["body"]):
            send("PUT", f"{notes}/{row['id']}", {"body": body})
            return f"note {row['id']} brought up to date"
    return f"note {send('POST', notes, {'body': body})[0]['id']} written"


_MARKER = re.compile(r"<!-- rolecall:plan:([^:>]*):([^:>]*) -->")


def _key() -> str:
    """The line that tells this directory's and environment's note from every other of the project."""
    names = (os.environ.get("ROLECALL_DIRECTORY") or ".", os.environ.get("ROLECALL_ENV", ""))
    return f"<!-- rolecall:key:{hashlib.sha256(chr(0).join(names).encode()).hexdigest()[:16]} -->"


def _is_ours(body: str) -> bool:
    """Return whether a note belongs to this directory. Those of 0.1.0 have no key and belong to the root."""
    keys = re.findall("<!-- rolecall:key:[0-9a-f]{16} -->", body)
    return keys[0] == _key() if keys else (os.environ.get("ROLECALL_DIRECTORY") or ".") == "."


def _same(one: re.Match[str], other: re.Match[str]) -> bool:
    """The same environment and org; `-` is an org that was not known."""
    return one[2] == other[2] and (one[1] == other[1] or "-" in (one[1], other[1]))


def drift(report: Path, text: Path) -> str:
    """Open an issue for what a drift check reports, or update the one of the same findings; return what was done.

    Drift, and sections that were changed in the console after they were read, are findings. Issues of other findings
    are closed, but only after a complete check: what was not read may still differ.
    """
    if not os.environ.get("ROLECALL_GITLAB_TOKEN"):
        return "no issue: ROLECALL_GITLAB_TOKEN is not set"
    checked = json.loads(report.read_text(encoding="utf-8"))
    current = _fingerprint(checked)
    body, number = _issue_body(current, text.read_text(encoding="utf-8")), None
    for issue in _issues():
        path = f"issues/{issue['iid']}"
        if current and issue["description"].startswith(_drift_marker(current)):
            number = send("PUT", path, {"description": body})[0]["iid"]
        elif _is_complete(checked):
            reason = "There are other findings now; see the newer issue." if current else "The org matches again."
            send("POST", f"{path}/notes", {"body": reason})
            send("PUT", path, {"state_event": "close"})
    if current and number is None:
        new = {"title": _title(checked)[:250], "description": body, "labels": _LABEL}
        number = send("POST", "issues", new)[0]["iid"]
    return f"issue {number} is up to date" if number else "no issue: there are no findings"


_LABEL = "rolecall-drift"


def _issues() -> list[Any]:
    """The open issues that this token wrote for this directory and environment."""
    us = send("GET", "user", project=False)[0]["id"]
    found = pages(f"issues?state=opened&labels={_LABEL}")
    ours = [issue for issue in found if issue["author"]["id"] == us and _key() in (issue["description"] or "")]
    return [issue for issue in ours if issue["description"].startswith("<!-- rolecall:drift:")]


def _drift_marker(current: str) -> str:
    return f"<!-- rolecall:drift:{current} -->"


def _outdated(checked: Mapping[str, Any]) -> list[str]:
    """The sections that were changed after they were read, by WRITER's audit log."""
    return [name for name, part in checked["coverage"].items() if part.get("changed_since")]


def _fingerprint(checked: Mapping[str, Any]) -> str:
    """A name for the findings that is the same for the same findings; empty for none."""
    names = [finding["fingerprint"] for finding in (*checked["drift"], *checked["alarms"])]
    names += [f"changed_since/{name}" for name in _outdated(checked)]
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16] if names else ""


def _is_complete(checked: Mapping[str, Any]) -> bool:
    """Return whether everything was read and compared, and nothing was changed after it was read."""
    if checked["undetermined"] or checked["not_evaluated"] or _outdated(checked):
        return False
    return all(part["state"] == "complete" for part in checked["coverage"].values())


def _title(checked: Mapping[str, Any]) -> str:
    org = os.environ.get("ROLECALL_ENV") or "the org"
    number = len(checked["drift"]) + len(checked["alarms"])
    if number:
        return f"Drift in {org}: {number} finding{'' if number == 1 else 's'}"
    return f"Out of date in {org}: {', '.join(_outdated(checked))} changed after the last reading"


def _issue_body(current: str, text: str) -> str:
    """The report as a block of code that nothing in it can end, and the job that wrote it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    head = f"{_drift_marker(current)}\n{_key()}\n{os.environ.get('CI_JOB_URL', '')}\n\n"
    return f"{head}{fence}text\n{text[: _LIMIT - 10_000]}\n{fence}\n"


def approvals() -> list[dict[str, Any]]:
    """Return the approvals of the merge request of this commit, as `apply --approval` reads them.

    Only users with write access to the project count who made none of its commits and approved after the last push.
    For others, a line on stderr has the reason.
    """
    if not os.environ.get("ROLECALL_GITLAB_TOKEN"):
        return []
    counted = []
    for merge in pages(f"repository/commits/{os.environ['CI_COMMIT_SHA']}/merge_requests"):
        if merge["state"] == "merged" and os.environ["CI_COMMIT_SHA"] in _brought_by(merge):
            counted += _of_merge_request(merge)
    return counted


def _brought_by(merge: Mapping[str, Any]) -> set[Any]:
    """The commits that merging it put on the branch: its merge, its squash, or its last one after a fast-forward."""
    return {merge.get(key) for key in ("merge_commit_sha", "squash_commit_sha", "sha")}


def _of_merge_request(merge: Mapping[str, Any]) -> list[dict[str, Any]]:
    path = f"merge_requests/{merge['iid']}"
    given = send("GET", f"{path}/approvals")[0]["approved_by"]
    if not given:
        return []
    authors, unknown = _authors(merge)
    pushed = max((version["created_at"] for version in pages(f"{path}/versions")), key=_instant, default=None)
    counted = []
    for row in given:
        user, at = row["user"], row.get("approved_at")
        reason = (
            f"GitLab knows no account for {', '.join(unknown[:3])}, so it could be the author's own" if unknown else ""
        )
        if user["username"].casefold() in authors:
            reason = "they made this change"
        if reason := reason or _too_early(at, pushed) or _not_a_writer(user["id"]):
            sys.stderr.write(f"warning: the approval by {user['username']} does not count: {reason}\n")
        else:
            more = {"commit": merge["sha"], "pushed_at": pushed}
            url, source = merge["web_url"], "merge request approval"
            counted.append({"by": user["username"], "at": at, "url": url, "source": source, **more})
    return counted


def _authors(merge: Mapping[str, Any]) -> tuple[set[str], list[str]]:
    """The accounts that opened the merge request or wrote its commits, in lower case, and authors without one.

    REST has only the email address of authors; GraphQL has the account with the verified address.
    """
    project = os.environ["CI_PROJECT_PATH"]
    names, unknown, after, known = {merge["author"]["username"].casefold()}, {}, None, {}
    for _ in range(_MOST_PAGES):
        variables = {"project": project, "merge": str(merge["iid"]), "after": after}
        answer = send("POST", "graphql", {"query": _COMMITS, "variables": variables}, project=False)[0]
        if answer.get("errors") or not (answer["data"]["project"] or {}).get("mergeRequest"):
            raise Failed(f"GitLab did not say who wrote the commits of !{merge['iid']}")
        commits = answer["data"]["project"]["mergeRequest"]["commits"]
        for commit in commits["nodes"]:
            email, account = (commit["authorEmail"] or "").casefold(), (commit["author"] or {}).get("username")
            if account:
                known[email] = account
                names.add(account.casefold())
            else:
                unknown[email] = f"{commit['authorName']} <{email}>"
            for row in _CO_AUTHOR.finditer(commit["message"] or ""):
                if account := _NO_REPLY.fullmatch(row["email"].casefold()):
                    names.add(account["name"])
                else:
                    unknown.setdefault(row["email"].casefold(), f"{row['name']} <{row['email']}>")
        if not commits["pageInfo"]["hasNextPage"]:
            return names, [label for email, label in unknown.items() if email not in known]
        after = commits["pageInfo"]["endCursor"]
    raise Failed(f"!{merge['iid']} has more commits than can be read")


_COMMITS = """query($project: ID!, $merge: String!, $after: String) {
project(fullPath: $project) { mergeRequest(iid: $merge) { commits(first: 100, after: $after) {
pageInfo { hasNextPage endCursor } nodes { authorName authorEmail message author { username } } } } } }"""
_CO_AUTHOR = re.compile(r"^co-authored-by:\s*(?P<name>.*?)\s*<(?P<email>[^<>]*)>\s*$", re.IGNORECASE | re.MULTILINE)
_NO_REPLY = re.compile(r"\d+-(?P<name>[^@]+)@users\.noreply\.[^@]+")
_DEVELOPER = 30
"""The access level from which on a member may push."""


def _too_early(approved: str | None, pushed: str | None) -> str:
    if approved is None or pushed is None:
        return "GitLab does not say when it was given, or when the last push was"
    return "there was a push after it" if _instant(approved) < _instant(pushed) else ""


def _not_a_writer(user: int) -> str:
    """Return why a user's approval does not count; empty for a user who can push to the project."""
    try:
        account = send("GET", f"users/{user}", project=False)[0]
        member = send("GET", f"members/all/{user}")[0]
    except NotFound:
        return "they are not a member of the project"
    if account.get("bot") or account.get("state") != "active":
        return "it is a bot's, or the account is blocked"
    writes = member.get("access_level", 0) >= _DEVELOPER and member.get("state", "active") == "active"
    return "" if writes else "they have no write access to this project"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


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
    if path == "graphql":
        url = f"{api.removesuffix('/v4')}/graphql"
    headers = {"PRIVATE-TOKEN": os.environ["ROLECALL_GITLAB_TOKEN"], "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    for last in (False, False, True):
        try:
            content, answered = _fetch(request)
            return json.loads(content), answered.get("X-Next-Page", "")
        except urllib.error.HTTPError as error:
            wait = _wait(error, method)
            if last or wait is None:
                kind = NotFound if error.code == 404 else Failed
                raise kind(f"GitLab answered {error.code} to {method} {path.partition('?')[0]}") from None
            time.sleep(wait)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Failed(f"GitLab could not be asked ({method} {path.partition('?')[0]}): {error}") from None
    raise AssertionError("the last try answers or raises")


def _fetch(request: urllib.request.Request) -> tuple[bytes, Message]:
    """Return the body and the headers of the answer. Raises OSError beyond `_WHOLE` seconds or `_LARGEST` bytes."""
    results: queue.SimpleQueue[tuple[bytes, Message] | Exception] = queue.SimpleQueue()

    def work() -> None:
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                results.put((_body(answer, deadline), answer.headers))
        except (OSError, ValueError, http.client.HTTPException) as error:
            results.put(error)

    deadline = time.monotonic() + _WHOLE
    # A thread, as headers and name resolution that take for ever can be left behind only that way.
    threading.Thread(target=work, daemon=True).start()
    try:
        result = results.get(timeout=_WHOLE)
    except queue.Empty:
        raise TimeoutError(_TOO_SLOW) from None
    if isinstance(result, Exception):
        raise result
    return result


def _body(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    """Return the whole body, read as it arrives."""
    body = bytearray()
    while chunk := answer.read1(_CHUNK):
        body += chunk
        if len(body) > _LARGEST:
            raise OSError(f"the answer is larger than {_LARGEST // 1_000_000} MB")
        if time.monotonic() > deadline:
            raise TimeoutError(_TOO_SLOW)
    return bytes(body)


def _wait(error: urllib.error.HTTPError, method: str) -> float | None:
    """Seconds until the same may be sent again; None where that would not help, or might write a second note."""
    said = error.headers.get("Retry-After") or ""
    asked = float(said) if said.isdecimal() else 2.0
    again = error.code == 429 or (error.code >= 500 and method != "POST")
    return asked if again and asked <= _PATIENCE else None


def main(args: list[str]) -> int:
    """0, or 1 with a line that says why. A note or an issue that cannot be written fails nothing: the job's log has the
    report."""
    try:
        if len(args) == 2 and args[0] == "note":
            sys.stdout.write(f"{note(Path(args[1]))}\n")
        elif len(args) == 3 and args[0] == "drift":
            sys.stdout.write(f"{drift(Path(args[1]), Path(args[2]))}\n")
        elif args == ["approvals"]:
            sys.stdout.write(f"{json.dumps(approvals())}\n")
        else:
            sys.stderr.write("use `note FILE`, `drift JSON TEXT` or `approvals`\n")
            return 64
    except (Failed, KeyError, TypeError, ValueError, AttributeError) as error:
        said = error if isinstance(error, Failed) else f"unexpected response of GitLab: {error!r}"
        sys.stderr.write(f"error: {said}\n" if args[0] == "approvals" else f"warning: {said}\n")
        return 1 if args[0] == "approvals" else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
