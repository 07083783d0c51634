"""Test the effect of changed domains or SSO on users who are not in the org yet."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_org import ask, config, live

from rolecall.model.desired import Intent
from rolecall.model.settings import Address, Domain, Sso
from rolecall.plan.make import make
from rolecall.report.builders.plan import plan_document

OPEN, ASK, CLOSED = Domain(True, "immediate"), Domain(True, "approval"), Domain(False, "approval")


def told(before, after, was_sso=Sso(enabled=False), **more):
    org = live({}, sso=was_sso)
    settings = replace(org.settings, domains={"acme.com": before})
    wanted = config(None, domains={"acme.com": after} if after else {}, **more)
    if after is None:
        wanted = wanted._replace(intents={Address("domains/acme.com"): Intent(remove=True)})
    plan = make(ask(wanted, replace(org, settings=settings), []))
    return [text for row in plan.impact.apart if row.kind == "sign_up" for text in row.sentences], plan


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (
            OPEN,
            "Anyone who signs up with an address at acme.com joins immediately, with default access (Everyone member).",
        ),
        (
            ASK,
            "Anyone with an address at acme.com can request to join; approved users join with default access "
            "(Everyone member). Until then they have no access.",
        ),
    ],
)
def test_who_can_join_and_with_what(after, said):
    sentences, plan = told(CLOSED, after)
    assert sentences == [said]
    assert any(note.text == said for note in plan_document(plan).users)


def test_closing_a_domain_says_so_and_what_sso_still_allows():
    closed = "New users with an address at acme.com need an invitation or the IdP to join."
    assert told(OPEN, CLOSED)[0] == [closed]
    sso = Sso(enabled=True, allow_uninvited=True)
    assert told(OPEN, CLOSED, sso)[0] == [
        closed,
        "Through SSO they still get an account immediately, with default access (Everyone member).",
    ]


def test_a_field_that_is_not_managed_counts_as_the_org_has_it():
    assert told(Domain(False, "immediate"), Domain(discoverable=True))[0][0].startswith("Anyone who signs up")


def test_a_domain_that_goes_and_a_plan_without_one():
    assert told(OPEN, None)[0] == ["New users with an address at acme.com can no longer join without an invitation."]
    assert told(OPEN, OPEN)[0] == []


@pytest.mark.parametrize(
    ("allowed", "said"),
    [
        (True, "Anyone who signs in through SSO gets an account immediately, with default access (Everyone member)."),
        (False, "Signing in through SSO does not create an account; new users need an invitation or the IdP."),
    ],
)
def test_sso_says_whether_it_creates_accounts(allowed, said):
    was = Sso(enabled=True, allow_uninvited=not allowed)
    assert told(OPEN, OPEN, was, sso=Sso(allow_uninvited=allowed))[0] == [said]


@pytest.mark.parametrize(
    ("after", "sso", "number"),
    [
        (OPEN, Sso(enabled=True, allow_uninvited=True), 1),
        (ASK, Sso(enabled=True, allow_uninvited=True), 2),
        (ASK, Sso(enabled=True, allow_uninvited=False), 1),
        (ASK, Sso(enabled=False, allow_uninvited=True), 1),
    ],
)
def test_what_sso_still_allows_is_said_unless_everyone_can_join_anyway(after, sso, number):
    assert len(told(CLOSED, after, sso)[0]) == number
