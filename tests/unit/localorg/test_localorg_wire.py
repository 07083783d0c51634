"""Test HTTP requests and responses on the wire, and the address of the server."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import pytest

from rolecall.errors import Misuse
from rolecall.localorg import asgi, serve
from rolecall.localorg.web import Refusal, Response


def body_of(messages: Iterable[dict[str, Any]], limit: int = 10) -> bytes:
    """What read_body makes of these messages; after the last one nothing comes."""
    waiting = iter(messages)

    async def receive() -> Any:
        for message in waiting:
            return message
        return await asyncio.Event().wait()

    return asyncio.run(asgi.read_body(receive, limit))


def part(body: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_body_comes_in_parts() -> None:
    assert body_of([part(b"ab", True), part(b"", True), part(b"cd")]) == b"abcd"
    assert body_of([{"type": "http.request"}]) == b""


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    assert body_of([part(b"x" * 10)]) == b"x" * 10
    with pytest.raises(Refusal) as refused:
        body_of([part(b"x" * 11)])
    assert refused.value.status == 413


def test_what_is_too_large_is_taken_off_the_wire_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "_DRAIN_BYTES", 50)
    taken = iter([part(b"x" * 20, True) for _ in range(10)])
    with pytest.raises(Refusal):
        body_of(taken)
    assert len(list(taken)) == 7


def test_a_slow_body_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi, "BODY_SECONDS", 0.01)
    with pytest.raises(Refusal) as refused:
        body_of([part(b"x", True)])
    assert refused.value.status == 408


def test_a_body_that_is_cut_is_no_body() -> None:
    with pytest.raises(Refusal) as refused:
        body_of([part(b"x", True), {"type": "http.disconnect"}])
    assert refused.value.status == 400


def test_a_scope_becomes_a_request() -> None:
    scope = {
        "method": "GET",
        "path": "/v1/domains/bücher.de",
        "raw_path": b"/v1/domains/b%C3%BCcher.de",
        "query_string": b"limit=%31",
        "headers": [(b"If-Match", b'"1"'), (b"if-match", b'"2"'), (b"Authorization", b"Bearer \xff")],
        "client": ("127.0.0.1", 5),
    }
    request = asgi.request_of(scope, b"x")
    assert (request.path, request.query, request.client) == ("/v1/domains/b%C3%BCcher.de", "limit=%31", "127.0.0.1")
    assert request.headers == {"if-match": '"1", "2"', "authorization": "Bearer \xff"}
    assert not request.embedded
    bare = asgi.request_of({"method": "GET", "path": "/v1/ü", "headers": []}, b"")
    assert (bare.path, bare.client) == ("/v1/%C3%BC", None)


@pytest.mark.parametrize(("body", "pieces"), [(b"ab", [b"ab"]), (iter([b"a", b"b"]), [b"a", b"b", b""])])
def test_an_answer_is_sent_piece_by_piece(body: Any, pieces: list[bytes]) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(asgi.send_response(Response(201, (("ETag", '"1"'),), body), send))
    assert sent[0] == {"type": "http.response.start", "status": 201, "headers": [(b"etag", b'"1"')]}
    assert [message["body"] for message in sent[1:]] == pieces


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_other_machines_are_kept_out_unless_meant(host: str) -> None:
    with pytest.raises(Misuse, match="other machines"):
        serve._listen(host, 0, remote=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_let_in(host: str) -> None:
    listener = serve._listen(host, 0, remote=False)
    assert ipaddress.ip_address(listener.getsockname()[0]).is_loopback
    listener.close()


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Misuse, match="cannot listen"):
        serve._listen("127.0.0.1", taken.getsockname()[1], remote=False)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("no host", 0), ("x" * 300, 0)])
def test_an_address_that_is_none_is_told(host: str, port: int) -> None:
    with pytest.raises(Misuse):
        serve._listen(host, port, remote=False)
