"""Whom a plan has to look at."""

from __future__ import annotations

from rolecall.model.directory import EVERYBODY, PeopleScope
from rolecall.plan.make import Question


def scope(question: Question) -> PeopleScope:
    """The people whose access a plan needs to know before and after; ``question`` comes without a directory."""
    return EVERYBODY
