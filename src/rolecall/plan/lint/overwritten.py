"""Warn about changes of a plan that undo what was changed outside rolecall since the last apply."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.desired import Applied
from rolecall.model.kinds import agrees, value_at
from rolecall.model.settings import BLANK
from rolecall.plan.commands import env_flag
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import OrgRef

_NAMED = 5


def overwritten(changes: Iterable[Change], applied: Applied, org: OrgRef) -> Iterator[Problem]:
    """Yield a warning that names the addresses whose value in the org is not the one last applied.

    ``applied`` has the keys of the org today. Not for a rollback or a plan of `drift`, which are made to undo changes.
    """
    if not applied.config:
        return
    edited = [change.address for change in changes if change.via != "waiting" and _is_edited(change, applied)]
    if not edited:
        return
    run = f"run {applied.last.run}" if applied.last else "the last apply"
    message = f"this plan undoes changes that were made outside rolecall since {run}: {enumerate_words(edited, _NAMED)}"
    at = env_flag(org)
    hint = f"to see who made them: rolecall drift{at}; to keep them: rolecall drift{at} --accept"
    yield Problem("overwrites", message, None, hint, "warning")


def _is_edited(change: Change, applied: Applied) -> bool:
    """Return whether the value before a change is not the one that rolecall recorded for the address."""
    if change.address not in applied.config:
        return False
    recorded = value_at(applied.settings, change.address)
    last_applied, before = (None if value == BLANK else value for value in (recorded, change.before))
    return last_applied is not before if last_applied is None or before is None else not agrees(last_applied, before)
