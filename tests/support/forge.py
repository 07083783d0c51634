"""A stand-in for GitHub's REST API on loopback: comments, reviews, approvals, issues and pull requests, in memory.

It pages by two rows, checks the token, answers ``faults`` first (status, and seconds to wait or nothing), and refuses
writes where it is told to, as a fork's job is refused.
"""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_stand-in"
REPOSITORY = "acme/access"
BOT = "github-actions[bot]"
_PAGE = 2


def account(login: str | None, kind: str = "User") -> dict[str, Any] | None:
    """An account as GitHub shows it; None for a commit whose author it cannot tell."""
    return None if login is None else {"login": login, "type": kind}


def commit(
    login: str | None, email: str = "ann@acme.com", message: str = "A change", at: str = "2026-11-22T09:00:00Z"
) -> dict[str, Any]:
    """A commit of a pull request, at its head."""
    person = {"name": "Ann", "email": email, "date": at}
    service = {"name": "GitHub", "email": "noreply@github.com", "date": at}
    details = {"author": person, "committer": service, "message": message}
    return {"sha": "a" * 40, "commit": details, "author": account(login), "committer": account("web-flow")}


class Forge:
    """What the repository holds. Lists are GitHub's own shapes, as far as the action reads them."""

    def __init__(self) -> None:
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.pulls: list[dict[str, Any]] = []
        self.reviews: list[dict[str, Any]] = []
        self.commits: list[dict[str, Any]] = []
        self.approvals: list[dict[str, Any]] = []
        self.permissions: dict[str, str] = {}
        self.environments: dict[str, dict[str, Any]] = {}
        self.read_only = False
        self.faults: list[tuple[int, str | None]] = []
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def comment(self, number: int, login: str, body: str) -> dict[str, Any]:
        rows = self.comments.setdefault(number, [])
        made = {"id": number * 1000 + len(rows), "body": body, "user": {"login": login}}
        made["html_url"] = f"https://forge.invalid/{REPOSITORY}/pull/{number}#issuecomment-{made['id']}"
        rows.append(made)
        return made

    def read(self, path: str, query: dict[str, list[str]]) -> Any:
        if found := re.fullmatch(r"issues/(\d+)/comments", path):
            return self.comments.get(int(found[1]), [])
        if path == "issues":
            return [issue for issue in self.issues if issue["state"] == query["state"][0]]
        if path == "pulls":
            return [pull for pull in self.pulls if query["head"][0].partition(":")[2] == pull["head"]["ref"]]
        if re.fullmatch(r"commits/\w+/pulls", path):
            return [pull for pull in self.pulls if pull["merge_commit_sha"] == path.split("/")[1]]
        if found := re.fullmatch(r"collaborators/([\w.-]+)/permission", path):
            return {"permission": self.permissions.get(found[1], "write"), "user": account(found[1])}
        if found := re.fullmatch(r"environments/([\w.-]+)", path):
            return self.environments.get(found[1])
        if re.fullmatch(r"commits/\w+", path):
            return self.commits[-1] if self.commits else None
        if re.fullmatch(r"compare/\w+\.\.\.\w+", path):
            return {"commits": self.commits, "status": "ahead"}
        lists = {"reviews": self.reviews, "commits": self.commits, "approvals": self.approvals}
        return lists.get(path.rpartition("/")[2])

    def write(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if found := re.fullmatch(r"issues/(\d+)/comments", path):
            return self.comment(int(found[1]), BOT, body["body"])
        if found := re.fullmatch(r"issues/comments/(\d+)", path):
            rows = [row for rows in self.comments.values() for row in rows]
            held = next(row for row in rows if row["id"] == int(found[1]))
            held.update(body)
            return held
        if found := re.fullmatch(r"issues/(\d+)", path):
            held = next(issue for issue in self.issues if issue["number"] == int(found[1]))
            held.update(body)
            return held
        if path == "issues":
            return self._opened(self.issues, "issues", body)
        if path == "pulls":
            return self._opened(self.pulls, "pull", {**body, "head": {"ref": body["head"]}, "merge_commit_sha": ""})
        return None

    def _opened(self, into: list[dict[str, Any]], kind: str, body: dict[str, Any]) -> dict[str, Any]:
        number = len(self.issues) + len(self.pulls) + 1
        made = {**body, "number": number, "state": "open"}
        made["html_url"] = f"https://forge.invalid/{REPOSITORY}/{kind}/{number}"
        into.append(made)
        return made

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        forge = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def do_PATCH(self) -> None:
                self._answer("PATCH")

            def _answer(self, method: str) -> None:
                parts = urlsplit(self.path)
                path = parts.path.removeprefix(f"/repos/{REPOSITORY}/")
                forge.requests.append(f"{method} {path}")
                if forge.faults:
                    status, after = forge.faults.pop(0)
                    return self._send(status, {"message": "not now"}, after=after)
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self._send(401, {"message": "Bad credentials"})
                if method == "GET":
                    found = forge.read(path, parse_qs(parts.query))
                    return self._paged(found, parts.path, parse_qs(parts.query))
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if forge.read_only:
                    return self._send(403, {"message": "Resource not accessible by integration"})
                made = forge.write(method, path, body)
                return self._send(404 if made is None else 200, made or {"message": "Not Found"})

            def _paged(self, found: Any, path: str, query: dict[str, list[str]]) -> None:
                if not isinstance(found, list) or "per_page" not in query:
                    return self._send(404 if found is None else 200, found)
                at = int(query.get("page", ["1"])[0])
                rest = "&".join(f"{name}={rows[0]}" for name, rows in query.items() if name != "page")
                more = len(found) > at * _PAGE
                link = f'<{forge.url}{path}?{rest}&page={at + 1}>; rel="next"' if more else ""
                return self._send(200, found[(at - 1) * _PAGE : at * _PAGE], link)

            def _send(self, status: int, body: Any, link: str = "", after: str | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                if after is not None:
                    self.send_header("Retry-After", after)
                if link:
                    self.send_header("Link", link)
                self.end_headers()
                self.wfile.write(data)

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Nothing on stderr."""

        return Handler
