"""How a plan relates to the last apply: by its commit, and by what the org's audit log shows of applies."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

Relation = Literal["same", "newer", "older", "diverged"]
"""Of this commit to another one: ``newer`` has the other in its history, ``older`` is in the other's history,
``diverged`` is neither."""


class LastRun(NamedTuple):
    """The run that wrote the newest of what is remembered; ``commit`` is empty where it was run outside of git."""

    run: int
    config: str
    commit: str


class Lineage(NamedTuple):
    """What is known of this commit and that of run ``run``; ``relation`` is None where it could not be determined."""

    run: int
    commit: str
    relation: Relation | None


class UnknownApply(NamedTuple):
    """An apply that the org's audit log shows and the journal at hand does not have.

    ``journal`` is the id of the journal that it was recorded in, ``run`` its number there, ``at`` the moment of its
    last write.
    """

    journal: str
    run: str
    at: datetime


class LogCheck(NamedTuple):
    """What the org's audit log shows of applies that the journal does not have.

    ``newest`` is the id of the log's newest entry, ``entries`` how many were read, from there back. ``whole`` is false
    if that was not far enough to tell.
    """

    newest: str
    entries: int
    unknown: UnknownApply | None = None
    whole: bool = True
