"""An org that misbehaves on purpose: a socket server that answers each request with the bytes it is told to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

ORG = {
    "id": "org_1",
    "name": "acme",
    "caller": {"email": "ann@acme.com", "rights": "admin"},
    "capabilities": ["defaults.update", "people.read", "people.search"],
    "limits": {},
    "counts": {"people": 2, "active_people": 2},
}
DEFAULTS = {"role": "member", "teams": ["Everyone"], "etag": '"1"'}


class Asked(NamedTuple):
    """One request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


class Close(NamedTuple):
    """Send these bytes, then close the connection."""

    sent: bytes = b""


class Silence(NamedTuple):
    """Say nothing until the client gives up."""


Reply = bytes | Close | Silence | Iterator[bytes]
"""What to send: an answer, or its parts, a tenth of a second apart."""


@dataclass
class Faulty:
    """The server as a test sees it: where it is, what it was asked, and how it answers."""

    base: str
    answer: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)
    finished: threading.Event = field(default_factory=threading.Event)

    def paths(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]


def reply(body: Any, status: int = 200, **headers: str) -> bytes:
    """A proper answer; ``body`` is sent as JSON unless it is bytes. ``retry_after`` is the header Retry-After."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    said = {"content-type": "application/json", "content-length": str(len(sent))}
    said |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + sent


def error(status: int, words: str = "no", key: str = "k", **headers: str) -> bytes:
    """An error in the contract's envelope."""
    return reply({"tpe": "E", "errors": [{"description": words, "key": key, "extras": {}}]}, status, **headers)


def page(rows: list[Any], *, more: bool = False, total: int | None = None, revision: str = "1") -> bytes:
    """One page of a list."""
    last = rows[-1].get("id", rows[-1].get("name")) if rows and isinstance(rows[-1], dict) else None
    told = {"has_more": more, "last_id": last, "total": len(rows) if total is None else total, "revision": revision}
    return reply({"data": rows, **told})


def script(*replies: Reply) -> Callable[[Asked], Reply]:
    """Each reply once, the last one for ever."""
    left = list(replies)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def at(path: str, answer: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """That answer at a path; at all others an org that is well."""
    return lambda asked: answer(asked) if asked.path == path else well(asked)


def well(asked: Asked) -> Reply:
    """An org that is well: its facts, its defaults, and no entries in any list."""
    singletons = {"/v1/org": ORG, "/v1/access/defaults": DEFAULTS}
    singletons |= {f"/v1/access/{name}": {"enabled": False, "etag": '"1"'} for name in ("sso", "scim")}
    return reply(singletons[asked.path]) if asked.path in singletons else page([])


@contextmanager
def faulty_org(answer: Callable[[Asked], Reply]) -> Iterator[Faulty]:
    """A server on a free port of this machine, until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    faulty = Faulty(f"http://127.0.0.1:{listener.getsockname()[1]}", answer)
    accepting = threading.Thread(target=_accept, args=(listener, faulty), daemon=True)
    accepting.start()
    try:
        yield faulty
    finally:
        faulty.finished.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()


def _accept(listener: socket.socket, faulty: Faulty) -> None:
    threads: list[threading.Thread] = []
    with contextlib.suppress(OSError):
        while True:
            connection, _ = listener.accept()
            threads.append(threading.Thread(target=_converse, args=(connection, faulty), daemon=True))
            threads[-1].start()
    for thread in threads:
        thread.join()


def _converse(connection: socket.socket, faulty: Faulty) -> None:
    with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
        connection.settimeout(5)
        while (asked := _request(stream)) is not None:
            faulty.asked.append(asked)
            answer = faulty.answer(asked)
            if isinstance(answer, Silence):
                faulty.finished.wait()
                return
            if isinstance(answer, Iterator):
                _trickle(connection, answer, faulty)
                return
            connection.sendall(answer if isinstance(answer, bytes) else answer.sent)
            if isinstance(answer, Close) or asked.headers.get("connection") == "close":
                return


def _trickle(connection: socket.socket, parts: Iterator[bytes], faulty: Faulty) -> None:
    for part in parts:
        connection.sendall(part)
        if faulty.finished.wait(0.1):
            return


def _request(stream: Any) -> Asked | None:
    first = stream.readline().decode().split()
    if len(first) != 3:
        return None
    headers = {}
    while (line := stream.readline().decode().strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(first[0], first[1], headers, stream.read(int(headers.get("content-length", "0"))))
