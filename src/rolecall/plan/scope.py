"""Whom a plan has to look at."""

from __future__ import annotations

from dataclasses import replace

from rolecall.model.directory import PeopleScope
from rolecall.plan.make import make
from rolecall.plan.question import Question


def scope(question: Question) -> PeopleScope:
    """The people whose access a plan needs to know before and after: the first of two passes of one planner."""
    return make(replace(question, directory=None)).scope
