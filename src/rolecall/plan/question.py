"""What a plan is asked: everything it is made from, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rolecall.errors import Problem
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.live import Live
from rolecall.model.policy import Allow
from rolecall.plan.value import OrgRef


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a plan is made from. ``created_at`` and ``as_of`` are inputs, in UTC.

    ``targets`` and ``excludes`` are addresses or globs; ``only_expired`` keeps just the mappings that lapsed.
    ``directory`` is None when people were not read; ``scope`` says whom it was asked for, None for everybody.
    ``people_hint`` is what to do where they could not be read, empty where nobody knows.
    ``lifts`` are the allowances given for this run alone. ``config`` names the config as the journal does, which
    tells addresses that another config applied last; empty when nobody knows. ``forecasts``: users come from a source
    that knows the members of groups which the org does not have yet. ``sees_invited``: they were read from the org
    itself, which has invited users too.
    """

    desired: Desired
    live: Live
    org: OrgRef
    created_at: datetime
    as_of: date
    config_digest: str = ""
    applied: Applied = NOTHING_APPLIED
    directory: Directory | None = None
    scope: PeopleScope | None = None
    lifts: tuple[Allow, ...] = ()
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    only_expired: bool = False
    warnings: tuple[Problem, ...] = ()
    config: str = ""
    people_hint: str = ""
    forecasts: bool = False
    sees_invited: bool = False

    @property
    def everybody(self) -> bool:
        """Whether the directory holds the whole org, as far as is known."""
        if self.directory is None or self.directory.coverage.state != "complete" or self.directory.gaps.missing:
            return False
        known = self.live.facts.people
        return self.scope.everybody if self.scope is not None else known is None or len(self.directory) >= known
