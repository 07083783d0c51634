"""Test a request to a service other than the org: limits for the whole call and for the size of the body."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time

import pytest
from faulty_org import Close, Silence, faulty_org, reply

from rolecall.live.http.call import Call, CallError, call
from rolecall.live.http.transport import NoAnswer
from rolecall.live.people.entra import client_token
from rolecall.outside.forge import Gate, protection

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n"


def test_a_response_comes_back_whole():
    with faulty_org(lambda asked: reply({"a": 1}, 201, x_custom="7")) as server:
        response = call(Call("POST", f"{server.base}/x?y=1", {"x-own": "z"}, b"body"))
    assert (response.status, response.ok, response.body, response.headers["x-custom"]) == (201, True, b'{"a": 1}', "7")
    assert (server.asked[0].target, server.asked[0].headers["x-own"], server.asked[0].body) == ("/x?y=1", "z", b"body")


def test_a_redirect_is_not_followed():
    with faulty_org(lambda asked: reply({}, 302, location="/elsewhere")) as server:
        assert call(Call("GET", f"{server.base}/x")).status == 302
    assert [asked.path for asked in server.asked] == ["/x"]


def test_a_server_whose_name_takes_too_long_to_resolve_ends_in_an_error(monkeypatch):
    resolved = threading.Event()
    monkeypatch.setattr("rolecall.live.http.call._GRACE", 0.1)
    monkeypatch.setattr("rolecall.live.http.call._limited", lambda request: asyncio.to_thread(resolved.wait, 30))
    before = set(threading.enumerate())
    started = time.monotonic()
    with pytest.raises(CallError, match=r"within 0\.1 s"):
        call(Call("GET", "http://writer.example", seconds=0.1))
    assert time.monotonic() - started < 20
    resolved.set()
    for thread in set(threading.enumerate()) - before:
        thread.join()


def test_it_can_be_called_while_an_event_loop_is_running():
    async def caller(base: str) -> int:
        return call(Call("GET", base)).status

    with faulty_org(lambda asked: reply({})) as server:
        assert asyncio.run(caller(server.base)) == 200


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda asked: Silence(), "did not complete its response within 0.4 s"),
        (lambda asked: itertools.chain([HEAD], itertools.repeat(b" ")), "did not complete its response within 0.4 s"),
        (lambda asked: Close(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"), "could not be reached"),
        (lambda asked: Close(b"SSH-2.0\r\n"), "could not be reached"),
    ],
)
def test_a_server_that_misbehaves_ends_in_an_error(answer, reason):
    started = time.monotonic()
    with faulty_org(answer) as server, pytest.raises(CallError, match=reason):
        call(Call("GET", server.base, seconds=0.4))
    assert time.monotonic() - started < 5


def test_a_body_is_not_read_beyond_its_limit():
    with faulty_org(lambda asked: itertools.chain([HEAD], itertools.repeat(bytes(1 << 20)))) as server:
        with pytest.raises(CallError, match="more than 2 MiB"):
            call(Call("GET", server.base, largest=2 << 20))
        assert call(Call("GET", server.base, largest=0)).body == b""


def test_nothing_there_and_no_url_end_in_an_error():
    with pytest.raises(CallError, match="could not be reached"):
        call(Call("GET", "http://127.0.0.1:9"))
    with pytest.raises(CallError, match="could not be reached"):
        call(Call("GET", "http://[broken"))


def test_the_sign_in_service_of_entra_has_a_limit(monkeypatch):
    monkeypatch.setattr("rolecall.live.people.sign_in.SECONDS", 0.4)
    with faulty_org(lambda asked: itertools.chain([HEAD], itertools.repeat(b" "))) as server:
        fetch = client_token(server.base, "tenant", "client", lambda: "s3cret", "https://graph.example.com")
        with pytest.raises(NoAnswer, match=r"sign-in service \(.*\) did not complete its response within 0\.4 s"):
            fetch()
    assert server.asked[0].body.startswith(b"client_id=client&client_secret=s3cret&grant_type=client_credentials&")


def test_a_forge_has_a_limit(monkeypatch):
    monkeypatch.setattr("rolecall.outside.forge.SECONDS", 0.4)
    gate = Gate(".github/workflows/apply.yml", "apply", "production")
    with faulty_org(lambda asked: itertools.chain([HEAD], itertools.repeat(b" "))) as server:
        environ = {"GITHUB_TOKEN": "t", "GITHUB_REPOSITORY": "acme/access", "GITHUB_API_URL": server.base}
        assert protection(gate, environ, None) == (None, "GitHub did not complete its response within 0.4 s")
