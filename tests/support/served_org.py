"""A local org served by a process of its own, to be spoken to over a socket and killed."""

from __future__ import annotations

import json
import subprocess
import sys
from http.client import HTTPConnection
from typing import Any, NamedTuple

_SERVE = """
import sys
from rolecall.localorg.serve import serve
from rolecall.localorg.store import open_database
serve(open_database(sys.argv[1]), port=0, announce=lambda url: print(url, flush=True))
"""


class Reply(NamedTuple):
    """An answer over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """One server process; ``log`` is everything that it wrote to stderr once it was stopped."""

    def __init__(self, database: str, code: str = _SERVE) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", code, database], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        url = self._process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), self.stop()
        self.port = int(url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    def connect(self, timeout: float = 60) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def kill(self) -> None:
        """kill -9: nothing gets to tidy up."""
        self._process.kill()
        self._close()

    def stop(self) -> str:
        """Stop it as a person would, and return what it wrote to stderr."""
        self._process.terminate()
        return self._close()

    def _close(self) -> str:
        _, log = self._process.communicate(timeout=30)
        return log


def speak(
    connection: HTTPConnection,
    token: str,
    method: str,
    path: str,
    body: Any = None,
    headers: dict[str, str] | None = None,
    *,
    chunked: bool = False,
) -> Reply:
    """One request. ``body`` is bytes or an iterator of bytes as it stands, or a dict or list as JSON."""
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **(headers or {})}
    payload = json.dumps(body).encode() if isinstance(body, dict | list) else body
    connection.request(method, path, payload, sent, encode_chunked=chunked)
    answer = connection.getresponse()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
