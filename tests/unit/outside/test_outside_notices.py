"""Test posting to a webhook: its formats and timeouts, and that its URL is never shown."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from faulty_org import Silence, faulty_org
from webhook import webhook

from rolecall.errors import Misuse
from rolecall.outside.notices import TRIES, NotDelivered, Notice, check, payload, place, post

NOTICE = Notice("a <b> & c", {"new": [1]})


def test_a_plain_webhook_gets_the_document_and_slack_the_text_alone():
    assert payload("https://chat.acme.com/hooks/x", NOTICE) == {"text": "a <b> & c", "new": [1]}
    slack = {"text": "a &lt;b&gt; &amp; c"}
    assert payload("https://hooks.slack.com/services/T/B/x", NOTICE) == slack
    assert payload("slack:https://chat.acme.com/hooks/x", NOTICE) == slack


def test_it_is_posted_once():
    with webhook() as hook:
        post(hook.url, NOTICE)
        assert hook.posts == [{"text": "a <b> & c", "new": [1]}]


def test_a_busy_one_is_tried_again_as_late_as_it_asks():
    waits: list[float] = []
    with webhook() as hook:
        hook.answers = [(429, {"Retry-After": "7"}), (503, {}), (500, {"Retry-After": "3600"})]
        post(hook.url, NOTICE, waits.append)
        assert len(hook.posts) == 1
    assert waits == [7.0, 2.0, 30.0]


@pytest.mark.parametrize(("answers", "tries"), [([(404, {})] * 9, 1), ([(500, {})] * 9, 4), ([(302, {})] * 9, 1)])
def test_what_does_not_get_through_is_told_without_the_address(answers, tries):
    with webhook() as hook:
        hook.answers = list(answers)
        with pytest.raises(NotDelivered) as refused:
            post(hook.url, NOTICE, lambda _: None)
        assert len(hook.answers) == 9 - tries
    assert f"127.0.0.1 returned {answers[0][0]}" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_nobody_there_is_told_too():
    with webhook() as hook:
        gone = hook.url
    with pytest.raises(NotDelivered, match="could not be reached"):
        post(gone, NOTICE, lambda _: None)


@pytest.mark.parametrize(
    "url", ["http://chat.acme.com/x", "ftp://x/y", "chat.acme.com", "https://", "slack:http://a/b"]
)
def test_only_https_and_loopback_are_posted_to(url):
    with pytest.raises(Misuse, match="not an https URL"):
        check(url)


def test_only_the_host_of_an_address_is_shown():
    assert place("https://user:pw@chat.acme.com/secret?t=1") == "chat.acme.com"
    check("https://chat.acme.com/x")
    check("http://127.0.0.1:9/x")


def dribble(head: bytes, part: bytes) -> Iterator[bytes]:
    yield head
    while True:
        yield part


def test_a_response_body_is_never_read():
    """A webhook that accepts the notice and then streams for ever must not hold up or fill the process."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for part in dribble(b"HTTP/1.1 200 OK\r\n\r\n", bytes(1 << 20)):
            sent += 1
            yield part

    with faulty_org(lambda asked: endless()) as server:
        post(f"{server.base}/hook", NOTICE, lambda _: None)
        assert len(server.asked) == 1
    assert sent < 5


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"])
def test_a_webhook_that_sends_one_byte_at_a_time_ends(head):
    """Each byte comes well within a time limit between bytes, so only a limit of the whole call ends this."""
    parts = itertools.cycle([b"HTTP/1.1 103 Early Hints\r\n\r\n"]) if b"103" in head else itertools.cycle([b"X"])
    with faulty_org(lambda asked: itertools.chain([head or b"H"], parts)) as server:
        started = time.monotonic()
        with pytest.raises(
            NotDelivered, match=r"127\.0\.0\.1 did not complete its response within 0\.5 s \(4 attempts\)"
        ):
            post(f"{server.base}/hook", NOTICE, lambda _: None, seconds=0.5)
        assert len(server.asked) == TRIES
    assert time.monotonic() - started < 15


def test_a_webhook_that_says_nothing_ends():
    with faulty_org(lambda asked: Silence()) as server, pytest.raises(NotDelivered, match=r"within 0\.2 s"):
        post(f"{server.base}/hook", NOTICE, lambda _: None, seconds=0.2)


def test_no_try_starts_after_the_limit_for_the_whole_call(monkeypatch):
    monkeypatch.setattr("rolecall.outside.notices.TOTAL", 10.0)
    waits: list[float] = []
    with webhook() as hook:
        hook.answers = [(503, {"Retry-After": "20"})] * 9
        with pytest.raises(NotDelivered, match=r"returned 503\. "):
            post(hook.url, NOTICE, waits.append)
    assert waits == []
