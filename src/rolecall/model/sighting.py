"""A sighting: who was seen to hold privileged access at one moment, and through what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, NamedTuple

from rolecall.model.record import UNWRITTEN
from rolecall.model.settings import Address


class Holding(NamedTuple):
    """A privileged team role of a user. ``reasons`` are those of R32, the winner first; ``address`` is the mapping
    behind it and ``source`` its file and line, where the config has it."""

    email: str
    id: str
    role: str
    team: str
    reasons: tuple[str, ...] = ()
    address: Address | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Sighting:
    """Everybody with more than member, and counts of people per role and per team. ``complete`` is false when not all
    people were read. ``run`` and ``hash`` are given by the journal."""

    at: Annotated[datetime, UNWRITTEN]
    holdings: tuple[Holding, ...] = ()
    roles: Mapping[str, int] = field(default_factory=dict)
    teams: Mapping[str, int] = field(default_factory=dict)
    complete: bool = True
    run: Annotated[int, UNWRITTEN] = 0
    hash: Annotated[str, UNWRITTEN] = ""
