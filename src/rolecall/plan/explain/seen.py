"""Who was seen to hold what at a moment of the past, and what stands behind it: a value for reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from rolecall.model.run import Run
from rolecall.model.sighting import Holding, Sighting


class Evidence(NamedTuple):
    """One combo above member. ``run`` is what put its mapping there, None where the journal does not know: a mapping
    made by hand, or before there was a journal."""

    holding: Holding
    run: Run | None = None

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who said yes to the run behind it."""
        return () if self.run is None else tuple(dict.fromkeys(row.by for row in self.run.approvals))


@dataclass(frozen=True, slots=True)
class SeenAt:
    """The last sighting at or before a moment, and the first one after it. ``by`` is the run that looked."""

    org_id: str
    org_name: str
    env: str | None
    sighting: Sighting
    after: Sighting | None
    evidence: tuple[Evidence, ...]
    by: Run | None = None
