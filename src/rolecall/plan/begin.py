"""The first pass of the planner: what differs, and the rules at both ends. Nobody need have been read for it."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.model.change import Change
from rolecall.model.directory import PeopleScope
from rolecall.plan.diff import Difference, diff
from rolecall.plan.outlook import Outlook, look
from rolecall.plan.question import Question
from rolecall.plan.reading import pending_mappings, people_scope
from rolecall.plan.resolve import covers


class Begun(NamedTuple):
    """``chosen`` are the changes found that the question is about, ``outlook`` has no people in it.

    ``scope`` are the people whose access the plan needs to know before and after.
    """

    found: Difference
    chosen: tuple[Change, ...]
    outlook: Outlook
    scope: PeopleScope


def begin(question: Question) -> Begun:
    """What the settings alone say, whoever has been read."""
    found = diff(question.desired, question.live, question.as_of, question.applied)
    chosen = _selected(question, found.changes)
    outlook = look(question.live, None, chosen)
    reported = [
        *(row.live for row in found.released),
        *(change.address for change in pending_mappings(question, chosen)),
    ]
    return Begun(found, chosen, outlook, people_scope(question, outlook, reported, found.names))


def _selected(question: Question, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(
        change
        for change in changes
        if (not question.targets or covers(question.targets, change.address))
        and not covers(question.excludes, change.address)
        and (not question.only_expired or change.reason == "expired")
    )
