"""Test what the body of a response may contain, and the problems of responses that do not arrive."""

from __future__ import annotations

import asyncio
from contextlib import suppress

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


@pytest.mark.parametrize("token", ["", "two\nlines", "spa ce"])
def test_a_token_that_cannot_be_sent_has_a_hint(token: str) -> None:
    transport = HttpTransport(base_url("http://127.0.0.1:9"), lambda: token)
    with pytest.raises(SecretError) as caught:
        asyncio.run(transport.send(REQUEST))
    (found,) = caught.value.problems
    assert found.message == "the token is empty or contains invalid characters"
    assert found.hint == "check that the secret contains only the token, on one line"
