"""Test what the body of a response may contain, and the problems of responses that do not arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from rolecall.errors import OrgError, Problem, SecretError
from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.transport import Answer, NoAnswer, Request, Timeouts

REQUEST = Request("GET", "/v1/org")


@pytest.mark.parametrize("body", [b'{"name": "a\\ud83d"}', b'{"\\uDE00": 1}', b"[" * 100_000, b"{", b"\xff"])
def test_what_is_no_json_or_no_text_is_no_answer(body: bytes) -> None:
    with pytest.raises(ValueError):
        Answer(200, {}, body).json()


@pytest.mark.parametrize(("body", "said"), [(b'"\\ud83d\\ude00"', "\U0001f600"), (b'"\\\\ud83d"', "\\ud83d")])
def test_two_halves_side_by_side_are_one_character(body: bytes, said: str) -> None:
    assert Answer(200, {}, body).json() == said


async def lost(answer: bytes, timeouts: Timeouts) -> tuple[OrgError, str]:
    """Return how a request ends that gets this much of an answer, and the address of the server."""

    served = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        served.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    transport = HttpTransport(base_url(f"http://{host}"), lambda: "t", timeouts)
    try:
        with pytest.raises(OrgError) as caught:
            await transport.send(REQUEST)
    finally:
        await transport.close()
        await served.wait()
        server.close()
    return caught.value, host


def problem(answer: bytes, timeouts: Timeouts) -> tuple[Problem, bool]:
    error, host = asyncio.run(lost(answer, timeouts))
    assert isinstance(error, NoAnswer)
    assert error.sent
    (found,) = error.problems
    return found._replace(message=found.message.replace(host, "HOST")), error.final


def test_silence_and_a_response_that_takes_too_long_are_told_apart() -> None:
    silent, _ = problem(b"", Timeouts(read=0.05))
    slow, _ = problem(b"HTTP/1.1 200 OK\r\n", Timeouts(whole=0.05))
    assert (silent.code, slow.code) == ("org_timeout", "org_timeout")
    assert silent.message == "the org (HOST) sent nothing for 0.05 s in response to GET /v1/org"
    assert slow.message == "the org (HOST) did not complete its response to GET /v1/org within 0.05 s"


def test_a_response_that_is_too_large_is_named_and_not_requested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rolecall.live.http.httpx_transport.LARGEST_ANSWER", 1 << 20)
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1048577\r\n\r\n"
    found, final = problem(head + b"x" * 1048577, Timeouts())
    assert (found.code, found.message) == ("org_too_large", "the response to GET /v1/org is larger than 1 MiB")
    assert final


class Prompt(BaseHTTPRequestHandler):
    """Answers in one packet and keeps the connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture(scope="module")
def prompt_server() -> Iterator[str]:
    """Give the URL of a server that answers each request at once."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Prompt) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def after_cancelling(url: str, turns: int) -> int:
    """Return the status of a request after one that is cancelled when the loop has turned this often."""
    transport = HttpTransport(base_url(url), lambda: "t", Timeouts(whole=5))
    cancelled = asyncio.create_task(transport.send(REQUEST))
    for _ in range(turns):
        await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    answer = await transport.send(REQUEST)
    await transport.close()
    return answer.status


@pytest.mark.parametrize("turns", range(30))
def test_a_connection_whose_request_is_cancelled_at_any_moment_does_not_stop_the_next(
    prompt_server: str, turns: int
) -> None:
    assert asyncio.run(after_cancelling(prompt_server, turns)) == 200


@pytest.mark.parametrize("token", ["", "two\nlines", "spa ce"])
def test_a_token_that_cannot_be_sent_has_a_hint(token: str) -> None:
    transport = HttpTransport(base_url("http://127.0.0.1:9"), lambda: token)
    with pytest.raises(SecretError) as caught:
        asyncio.run(transport.send(REQUEST))
    (found,) = caught.value.problems
    assert found.message == "the token is empty or contains invalid characters"
    assert found.hint == "check that the secret contains only the token, on one line"
