"""Whom a plan must read: exactly the people it can touch, the org admins, and people the config names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from rolecall.model import normalise
from rolecall.model.directory import EVERYBODY, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.settings import Address
from rolecall.plan.outlook import Outlook
from rolecall.plan.question import Question

SOON = timedelta(days=14)


def people_scope(
    question: Question, outlook: Outlook, released: Iterable[Address], names: Mapping[str, str]
) -> PeopleScope:
    """What to read so that impact, guards and access tests can be worked out; empty when nobody need be read.

    An org that cannot search is read whole.
    """
    emails = frozenset(_emails(question))
    groups = frozenset(_told_apart(question, released, names))
    if not outlook.moves and not groups and not question.desired.policy.access_tests and not _who_gets_in(outlook):
        return PeopleScope()
    facts = question.live.facts
    if outlook.scope.everybody or (facts.can and "people.search" not in facts.can):
        return EVERYBODY
    return outlook.scope._replace(groups=outlook.scope.groups | groups, emails=emails, org_admins=True)


def _emails(question: Question) -> Iterator[str]:
    policies = (question.desired.policy, question.applied.policy)
    for policy in policies:
        if policy is not None:
            yield from map(normalise.email, policy.guards.required_org_admins)
            yield from (test.person for test in policy.access_tests if test.person)
    if caller := question.live.facts.caller.email:
        yield normalise.email(caller)


def _told_apart(question: Question, released: Iterable[Address], names: Mapping[str, str]) -> Iterator[str]:
    """Groups whose people are told though nothing is written: released ones, and those that expire soon."""
    for at in released:
        section, key = split_address(at)
        if section == "idp_groups" and key:
            yield key
    for at, intent in question.desired.intents.items():
        if intent.expires and question.as_of <= intent.expires <= question.as_of + SOON:
            section, key = split_address(at)
            if section == "idp_groups" and key:
                yield names.get(key, key)


def _who_gets_in(outlook: Outlook) -> bool:
    return outlook.first.settings.sso != outlook.last.settings.sso
