"""The first pass of the planner: what differs, and the rules at both ends. Nobody need have been read for it."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.directory import PeopleScope
from rolecall.plan.diff.changes import Difference, difference
from rolecall.plan.impact.reading import pending_mappings, people_scope
from rolecall.plan.outlook import Outlook, look
from rolecall.plan.question import Question


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
