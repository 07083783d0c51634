"""How the commit of a configuration relates to the one that was applied last."""

from __future__ import annotations

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
