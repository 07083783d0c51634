"""Draft a plan before users are read: what differs, the access forecast, and which users must be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from rolecall.access.signin import fewer_ways_in
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.model.directory import EVERYBODY, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.policy import AccessTest
from rolecall.model.settings import Address
from rolecall.plan.diff.changes import Difference, difference
from rolecall.plan.explain.access_tests import tests_of
from rolecall.plan.impact.expiries import MOST, moved_ends
from rolecall.plan.moves import owner_emails
from rolecall.plan.outlook import Outlook, look
from rolecall.plan.question import Question, pending_mappings
from rolecall.plan.resolve import expires_soon


class Begun(NamedTuple):
    """``question`` is the one asked, resolved. ``chosen`` are the changes found that it is about, ``outlook`` has no
    people in it.

    ``scope`` are the people whose access the plan needs to know before and after.
    """

    question: Question
    found: Difference
    chosen: tuple[Change, ...]
    outlook: Outlook
    scope: PeopleScope


def begin(question: Question) -> Begun:
    """What the settings alone say, whoever has been read."""
    question = question.resolved
    known = replace(question.known, desired=question.desired, applied=question.applied)
    found = difference(known, question.live, question.as_of)
    chosen = _selected(question, found.changes)
    outlook = look(question.live, None, chosen)
    reported = [
        *(row.live for row in found.released),
        *(change.address for change in pending_mappings(question, chosen)),
    ]
    return Begun(question, found, chosen, outlook, people_scope(question, outlook, reported))


def _selected(question: Question, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(
        change
        for change in changes
        if (not question.targets or question.known.covers(question.targets, change.address))
        and not question.known.covers(question.excludes, change.address)
        and (not question.only_expired or change.reason == "expired")
    )


def people_scope(question: Question, outlook: Outlook, reported: Iterable[Address]) -> PeopleScope:
    """What to read so that impact, guards and access tests can be worked out; empty when nobody need be read.

    ``reported`` are groups that are no longer managed or are pending: nothing is written, but their users are told.

    All users are read where some may lose a way to sign in, and from an org that cannot search.
    """
    tests = tests_of(question.desired.policy, question.applied.policy)
    emails = frozenset(_emails(question, tests))
    groups = frozenset(_told_apart(question, reported))
    fewer = fewer_ways_in(outlook.first.settings, outlook.last.settings)
    if not outlook.moves and not groups and not tests and not fewer:
        return PeopleScope()
    facts = question.live.facts
    if fewer or outlook.scope.everybody or (facts.can and "people.search" not in facts.can):
        return EVERYBODY
    other_ways = any(test.role for test in tests)
    return outlook.scope._replace(
        groups=outlook.scope.groups | groups,
        emails=emails,
        org_admins=True,
        manual=outlook.scope.manual or other_ways,
        attribute_admins=outlook.scope.attribute_admins or other_ways,
    )


def _emails(question: Question, tests: Iterable[AccessTest]) -> Iterator[str]:
    """The people whom the config names: owners too, as long as people are read at all."""
    for policy in (question.desired.policy, question.applied.policy):
        if policy is not None:
            yield from map(normalise.email, policy.guards.required_org_admins)
    yield from (test.person for test in tests if test.person)
    yield from owner_emails(question.desired).values()
    if caller := question.live.facts.caller.email:
        yield normalise.email(caller)


def _told_apart(question: Question, reported: Iterable[Address]) -> Iterator[str]:
    """Groups whose users are told though nothing is written: the reported ones, those that expire soon, those whose
    `expires` is another one."""
    for at in reported:
        section, key = split_address(at)
        if section == "idp_groups" and key:
            yield key
    soon = [at for at, intent in question.desired.intents.items() if expires_soon(intent, question.as_of)]
    for at in (*soon, *(end.address for end in moved_ends(question)[:MOST])):
        section, key = split_address(at)
        if section == "idp_groups" and key:
            yield key
