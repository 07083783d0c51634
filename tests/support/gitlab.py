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


class GitLab:
    """What the project holds, in GitLab's own shapes as far as the template reads them."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.merges = [
            {"iid": 3, "state": "merged", "author": {"username": "ann"}, "web_url": "https://gitlab.invalid/mr/3"},
            {"iid": 4, "state": "closed", "author": {"username": "eve"}, "web_url": "https://gitlab.invalid/mr/4"},
            {"iid": 5, "state": "closed", "author": {"username": "eve"}, "web_url": "https://gitlab.invalid/mr/5"},
        ]
        self.approved = [
            {"user": {"username": "Ann"}, "approved_at": "2026-11-22T09:00:00Z"},
            {"user": {"username": "bo"}, "approved_at": "2026-11-22T09:30:00Z"},
        ]
        self.faults: list[tuple[int, str | None]] = []
        self.read_only = False
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v4"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def write_note(self, body: str, author: dict[str, Any] | None = None) -> dict[str, Any]:
        made = {"id": 100 + len(self.notes), "body": body, "author": author or US}
        self.notes.append(made)
        return made

    def answer(self, method: str, path: str, body: dict[str, Any]) -> Any:
        if (method, path) == ("GET", "/api/v4/user"):
            return US
        path = path.removeprefix(_PROJECT)
        if method == "GET":
            known: dict[str, Any] = {
                "merge_requests/3/notes": self.notes,
                "merge_requests/3/approvals": {"approved_by": self.approved},
                "repository/commits/abc/merge_requests": self.merges,
            }
            return known.get(path)
        if (method, path) == ("POST", "merge_requests/3/notes"):
            return self.write_note(body["body"])
        if method == "PUT" and (found := re.fullmatch(r"merge_requests/3/notes/(\d+)", path)):
            held = next(note for note in self.notes if note["id"] == int(found[1]))
            held.update(body)
            return held
        return None

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
