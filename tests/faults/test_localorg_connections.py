"""`local serve` against slow, greedy and ambiguous clients, each a real server process."""

from __future__ import annotations

import json
import re
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path

import pytest
from org_client import fill
from served_org import Server, speak

from rolecall.localorg import serve
from rolecall.localorg.manage import make_token
from rolecall.localorg.store import open_database

SHORT = """
import sys
from rolecall.localorg import asgi, serve
asgi.BODY_SECONDS = serve.HEADER_SECONDS = 1.0
from rolecall.localorg.store import open_database
serve.serve(open_database(sys.argv[1]), port=0, announce=lambda url: print(url, flush=True))
"""
"""The same server with a second instead of ten and twenty, so that a test need not wait as long."""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    db = open_database(tmp_path / "org.db")
    fill(db)
    db.close()
    return tmp_path / "org.db"


@pytest.fixture
def token(database: Path) -> str:
    db = open_database(database)
    try:
        return make_token(db, "admin").secret
    finally:
        db.close()


@pytest.fixture
def server(database: Path) -> Iterator[Server]:
    found = Server(str(database), SHORT)
    yield found
    with suppress(ValueError):
        assert "Traceback" not in found.stop()


def raw(server: Server, data: bytes, timeout: float = 10) -> tuple[socket.socket, float]:
    """A connection that has sent these bytes."""
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
    connection.sendall(data)
    return connection, time.monotonic()


def status(server: Server, token: str) -> int:
    """How the server answers once there is room again; 0 while there is none."""
    for _ in range(60):
        with suppress(OSError, HTTPException), closing(server.connect(timeout=10)) as connection:
            if (found := speak(connection, token, "GET", "/v1/org").status) != 503:
                return found
        time.sleep(0.25)
    return 0


def everything(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    pieces = []
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


@pytest.mark.parametrize("sent", [b"", b"GET /v1/org HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_headers_that_do_not_come_end_the_connection(server: Server, sent: bytes) -> None:
    connection, began = raw(server, sent)
    with closing(connection):
        assert everything(connection) == b""
    assert 0.5 < time.monotonic() - began < 6


def test_a_byte_now_and_then_does_not_buy_time(server: Server) -> None:
    connection, began = raw(server, b"GET /health HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    with closing(connection), suppress(OSError):
        while time.monotonic() - began < 8:
            time.sleep(0.2)
            connection.sendall(b"x")
    assert time.monotonic() - began < 6


def test_slow_headers_of_the_second_request_count_too(server: Server) -> None:
    connection, _ = raw(server, b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
    with closing(connection):
        seen = b""
        while b'"ok"' not in seen:
            seen += connection.recv(65536)
        connection.sendall(b"GET /health HTTP/1.1\r\nHo")
        began = time.monotonic()
        assert everything(connection) == b""
        assert time.monotonic() - began < 6


def test_a_body_that_does_not_come_is_refused(server: Server, token: str) -> None:
    head = (
        f"PUT /v1/access/sso HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    )
    connection, began = raw(server, f"{head}Content-Length: 10\r\n\r\n{{".encode())
    with closing(connection):
        assert b" 408 " in connection.recv(65536)
    assert time.monotonic() - began < 6


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("path", ["/v1/org", "/api/scim/v2/Users", "/sign-in", "/health"])
def test_two_ways_to_say_where_a_body_ends_are_refused_and_nothing_after_is_answered(
    server: Server, path: str, order: tuple[int, int]
) -> None:
    lines = ("Content-Length: 4", "Transfer-Encoding: chunked")
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: a", *(lines[at] for at in order)])
    smuggled = "0\r\n\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n"
    connection, _ = raw(server, f"{head}\r\n\r\n{smuggled}".encode())
    with closing(connection):
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"ambiguous_length" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


def test_who_says_to_be_forwarded_is_not_believed(server: Server, token: str) -> None:
    headers = {"X-Forwarded-For": "203.0.113.66", "Forwarded": "for=203.0.113.66", "If-Match": "*"}
    with closing(server.connect()) as connection:
        assert speak(connection, token, "PUT", "/v1/access/sso", {"name": "Other"}, headers).status == 200
        log = speak(connection, token, "GET", "/v1/audit-log?order=desc&limit=1").json()
    assert "203.0.113.66" not in json.dumps(log)
    assert "127.0.0.1" in json.dumps(log)


def test_health_needs_no_token_and_says_nothing_of_the_org(server: Server, database: Path) -> None:
    with closing(server.connect()) as connection:
        found = speak(connection, "", "GET", "/health")
        assert (found.status, found.json()) == (200, {"status": "ok"})
        assert found.headers["cache-control"] == "no-store"


def test_more_connections_than_descriptors_leave_it_serving_and_its_log_short(database: Path, token: str) -> None:
    """1,100 half requests at `ulimit -n 256`: the surplus is closed, the rest ends with the time for headers."""
    code = f"import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n{SHORT}"
    server = Server(str(database), code)
    held = []
    try:
        for _ in range(1100):
            with suppress(OSError):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                connection.sendall(b"GET /v1/org HTTP/1.1\r\nHost: a\r\nX-Slow: ")
                held.append(connection)
        assert status(server, token) == 200
    finally:
        for connection in held:
            connection.close()
        log = server.stop()
    assert "Traceback" not in log
    assert len(log) < 10_000


def test_without_any_descriptor_left_the_log_has_one_line(database: Path) -> None:
    """The limit is lowered under the running server, as if something else in it had taken them all."""
    code = SHORT.replace("import sys\n", "import sys, resource\n", 1).replace(
        "print(url, flush=True)", "(resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12)), print(url, flush=True))"
    )
    server = Server(str(database), code)
    held = []
    try:
        for _ in range(60):
            with suppress(OSError):
                held.append(socket.create_connection(("127.0.0.1", server.port), timeout=1))
        time.sleep(3)
    finally:
        for connection in held:
            connection.close()
        log = server.stop()
    assert len(re.findall("no file descriptor is left", log)) == 1, log[:2000]
    assert "Traceback" not in log


@pytest.mark.parametrize(("files", "most"), [(256, 176), (1024, 500), (64, 8), (resource.RLIM_INFINITY, 500)])
def test_the_limit_leaves_descriptors_for_the_rest(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert serve.most_connections() == most
