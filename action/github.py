"""The part of GitHub's REST API that the action needs. Reads follow pages; errors say what was asked."""

from __future__ import annotations

import http.client
import json
import queue
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from typing import Any
from urllib.parse import quote

from runner import Failed

_NEXT = re.compile(r'<([^>]+)>;\s*rel="next"')
_SECONDS = 30
"""Seconds without a byte after which an answer is given up."""
_WHOLE = 60.0
"""Seconds that one answer may take as a whole, from name resolution to the last byte."""
_LARGEST = 32_000_000
"""Bytes that one answer may have."""
_CHUNK = 65_536
_TOO_SLOW = "the whole answer took too long"
_MOST_PAGES = 50
_PATIENCE = 60


class Refused(Failed):
    """GitHub did not allow it, or has no such thing: ``code`` is 403 or 404."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class GitHub:
    """One repository. ``api`` and ``token`` are those of the job."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._api = environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        self._token = environ.get("INPUT_GITHUB_TOKEN", "")
        self.repository = environ.get("GITHUB_REPOSITORY", "")
        self._server = environ.get("GITHUB_SERVER_URL", "")

    def get(self, path: str) -> Any:
        """One thing of the repository."""
        return self._send("GET", self._url(path))[0]

    def all(self, path: str) -> list[Any]:
        """A list, every page of it. Raises Failed where it does not end."""
        url: str | None = f"{self._url(path)}{'&' if '?' in path else '?'}per_page=100"
        found: list[Any] = []
        for _ in range(_MOST_PAGES):
            if url is None:
                return found
            rows, links = self._send("GET", url)
            found += rows
            after = _NEXT.search(links)
            url = self._same_host(after.group(1)) if after else None
        raise Failed(f"GitHub's list {path} has more than {_MOST_PAGES} pages")

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._send("POST", self._url(path), body)[0]

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._send("PATCH", self._url(path), body)[0]

    def _url(self, path: str) -> str:
        return f"{self._api}/repos/{quote(self.repository)}/{path}"

    def _same_host(self, url: str) -> str:
        if not url.startswith(f"{self._api}/"):
            raise Failed("GitHub's next page is on another host; not followed")
        return url

    def _send(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> tuple[Any, str]:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        for last in (False, False, True):
            try:
                content, answered = _fetch(request)
                return json.loads(content), answered.get("Link", "")
            except urllib.error.HTTPError as error:
                wait = _wait(error, method)
                if last or wait is None:
                    message = f"GitHub answered {error.code} to {method} {url.removeprefix(self._api)}"
                    if error.code in (403, 404):
                        raise Refused(message, error.code) from None
                    raise Failed(message) from None
                time.sleep(wait)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise Failed(f"GitHub could not be asked ({method} {url.removeprefix(self._api)}): {error}") from None
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
    """Seconds until the same may be sent again; None where that would not help, or might do a thing twice."""
    said = error.headers.get("Retry-After") or ""
    asked = float(said) if said.isdecimal() else None
    if error.code == 429 or (error.code == 403 and asked is not None):
        asked = 2.0 if asked is None else asked
        return asked if asked <= _PATIENCE else None
    return (asked if asked is not None else 2.0) if error.code >= 500 and method != "POST" else None
