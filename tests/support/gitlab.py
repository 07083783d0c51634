"""A stand-in for GitLab's REST API on loopback: one project's merge request, its notes and approvals, in memory.

It pages by two rows, checks the token, answers ``faults`` first (status, and seconds to wait or nothing), and refuses
writes where ``read_only`` says so.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "glpat-stand-in"
US = {"id": 50, "username": "project_5_bot"}
_PROJECT = "/api/v4/projects/5/"
_PAGE = 2


def merge_request(number: int, state: str, author: str) -> dict[str, Any]:
    """A merge request whose merge is the commit that the pipeline runs for."""
    url = f"https://gitlab.invalid/mr/{number}"
    made = {"iid": number, "state": state, "author": {"username": author}, "web_url": url, "sha": "c" * 40}
    return {**made, "merge_commit_sha": "abc", "squash_commit_sha": None}


def commit(name: str | None, email: str = "ann@acme.com", message: str = "A change") -> dict[str, Any]:
    """A commit as GraphQL shows it. ``name`` is the account that has verified the address, None for none."""
    account = {"username": name} if name else None
    return {"authorName": "Ann", "authorEmail": email, "message": message, "author": account}


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "state": "active", "bot": False, **more}


class GitLab:
    """What the project holds, in GitLab's own shapes as far as the template reads them."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.issues: list[dict[str, Any]] = []
        self.comments: dict[int, list[str]] = {}
        self.merges = [
            merge_request(3, "merged", "ann"),
            merge_request(4, "closed", "eve"),
            merge_request(5, "closed", "eve"),
        ]
        self.versions = [{"id": 1, "created_at": "2026-11-22T08:00:00.000Z", "head_commit_sha": "c" * 40}]
        self.commits = [commit("ann")]
        self.users = {"ann": user(1), "bo": user(2)}
        self.members = {1: 30, 2: 40}
        self.approved = [self.approval("Ann", "2026-11-22T09:00:00Z"), self.approval("bo", "2026-11-22T09:30:00Z")]
        self.faults: list[tuple[int, str | None]] = []
        self.read_only = False
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v4"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def approval(self, name: str, at: str | None) -> dict[str, Any]:
        return {"user": {"id": self.users[name.casefold()]["id"], "username": name}, "approved_at": at}

    def _graphql(self, body: dict[str, Any]) -> Any:
        """The commits of the merge request, a page of two."""
        variables = body["variables"]
        assert (variables["project"], variables["merge"]) == ("acme/access", "3")
        at = int(variables["after"] or 0)
        after = at + _PAGE
        page = {"hasNextPage": len(self.commits) > after, "endCursor": str(after)}
        commits = {"nodes": self.commits[at:after], "pageInfo": page}
        return {"data": {"project": {"mergeRequest": {"commits": commits}}}}

    def write_note(self, body: str, author: dict[str, Any] | None = None) -> dict[str, Any]:
        made = {"id": 100 + len(self.notes), "body": body, "author": author or US}
        self.notes.append(made)
        return made

    def write_issue(self, body: dict[str, Any], author: dict[str, Any] | None = None) -> dict[str, Any]:
        made = {**body, "iid": 1 + len(self.issues), "state": "opened", "author": author or US}
        self.issues.append(made)
        return made

    def _issue(self, method: str, path: str, body: dict[str, Any]) -> Any:
        """An issue that is opened, changed, closed or commented on."""
        if (method, path) == ("POST", "issues"):
            return self.write_issue(body)
        match = re.fullmatch(r"issues/(\d+)(/notes)?", path)
        issue = next((row for row in self.issues if match and row["iid"] == int(match[1])), None)
        if match is None or issue is None:
            return None
        if match[2]:
            self.comments.setdefault(issue["iid"], []).append(body["body"])
            return {"id": 1}
        issue.update({name: text for name, text in body.items() if name != "state_event"})
        issue["state"] = "closed" if body.get("state_event") == "close" else issue["state"]
        return issue

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if (method, path) == ("GET", "/api/v4/user"):
            return US
        if (method, path) == ("POST", "/api/graphql"):
            return self._graphql(body)
        if method == "GET" and (match := re.fullmatch(r"/api/v4/users/(\d+)", path)):
            return next((row for row in self.users.values() if row["id"] == int(match[1])), None)
        path = path.removeprefix(_PROJECT)
        if method == "GET" and (match := re.fullmatch(r"members/all/(\d+)", path)):
            level = self.members.get(int(match[1]))
            return None if level is None else {"id": int(match[1]), "state": "active", "access_level": level}
        if method == "GET":
            known: dict[str, Any] = {
                "merge_requests/3/versions": self.versions,
                "merge_requests/3/notes": self.notes,
                "merge_requests/3/approvals": {"approved_by": self.approved},
                "repository/commits/abc/merge_requests": self.merges,
                "issues": [issue for issue in self.issues if issue["state"] == "opened"],
            }
            return known.get(path)
        if (method, path) == ("POST", "merge_requests/3/notes"):
            return self.write_note(body["body"])
        if method == "PUT" and (found := re.fullmatch(r"merge_requests/3/notes/(\d+)", path)):
            held = next(note for note in self.notes if note["id"] == int(found[1]))
            held.update(body)
            return held
        return self._issue(method, path, body)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        gitlab = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def do_PUT(self) -> None:
                self._answer("PUT")

            def _answer(self, method: str) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length)) if length else {}
                gitlab.requests.append(f"{method} {parts.path.removeprefix(_PROJECT)}")
                if gitlab.faults:
                    status, after = gitlab.faults.pop(0)
                    return self._send(status, {"message": "not now"}, {"Retry-After": after} if after else {})
                if self.headers.get("PRIVATE-TOKEN") != TOKEN:
                    return self._send(401, {"message": "401 Unauthorized"})
                if gitlab.read_only and method != "GET":
                    return self._send(403, {"message": "403 Forbidden"})
                found = gitlab.answer(method, parts.path, body)
                if not isinstance(found, list):
                    return self._send(404 if found is None else 200, found)
                at = int(parse_qs(parts.query).get("page", ["1"])[0])
                after = str(at + 1) if len(found) > at * _PAGE else ""
                return self._send(200, found[(at - 1) * _PAGE : at * _PAGE], {"X-Next-Page": after})

            def _send(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                for name, text in {**(headers or {}), "Content-Length": str(len(data))}.items():
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(data)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Nothing on stderr."""

        return Handler
