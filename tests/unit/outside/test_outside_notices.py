"""Posting to a webhook: in which form, with which patience, and without ever showing its address."""

from __future__ import annotations

import pytest
from webhook import webhook

from rolecall.errors import Misuse
from rolecall.outside.notices import Notice, NotTold, check, payload, place, post

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
        with pytest.raises(NotTold) as refused:
            post(hook.url, NOTICE, lambda _: None)
        assert len(hook.answers) == 9 - tries
    assert f"127.0.0.1 answered {answers[0][0]}" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_nobody_there_is_told_too():
    with webhook() as hook:
        gone = hook.url
    with pytest.raises(NotTold, match="could not be reached"):
        post(gone, NOTICE, lambda _: None)


@pytest.mark.parametrize(
    "url", ["http://chat.acme.com/x", "ftp://x/y", "chat.acme.com", "https://", "slack:http://a/b"]
)
def test_only_https_and_loopback_are_posted_to(url):
    with pytest.raises(Misuse, match="no https URL"):
        check(url)


def test_only_the_host_of_an_address_is_shown():
    assert place("https://user:pw@chat.acme.com/secret?t=1") == "chat.acme.com"
    check("https://chat.acme.com/x")
    check("http://127.0.0.1:9/x")
