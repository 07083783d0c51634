"""Defines what WRITER's usage data shows about users: rows as they were read, and the evidence of use in a plan."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from rolecall.errors import Where
from rolecall.model.record import PUBLIC, Code

State = Literal["complete", "unread"]


class UsageRow(NamedTuple):
    """The usage of one user in one month. ``name`` is the full name, or the email address without one."""

    name: str
    tokens: int


class UsageReading(NamedTuple):
    """The rows of all users of a month. With ``problem``, none were read; ``where`` is its place in the
    configuration."""

    rows: tuple[UsageRow, ...] = ()
    problem: str | None = None
    where: Where | None = None


class TeamUsage(NamedTuple):
    """Users who lose a team: how many, how many of them have a row of usage, and how many are known to use WRITER."""

    team: Code
    losing: int
    matched: int
    used: int


class Usage(NamedTuple):
    """The evidence that users who lose access use WRITER, from the data of one ``month`` (``2026-11``).

    ``used`` is a lower limit: it is unknown whether the users without a row, or without a unique name, use WRITER.
    Where the data was not read, ``problem`` says why, and the counts are 0. ``teams`` are those that users lose, the
    largest first.
    """

    month: Code
    state: Annotated[State, PUBLIC] = "complete"
    problem: str | None = None
    losing: int = 0
    matched: int = 0
    used: int = 0
    teams: tuple[TeamUsage, ...] = ()
