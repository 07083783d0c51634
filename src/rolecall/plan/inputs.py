"""The input of a plan: everything it is made from, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.lineage import Lineage, LogCheck
from rolecall.model.live import Live
from rolecall.model.policy import Allow
from rolecall.plan.diff.identity import Identity, identify
from rolecall.plan.value import MembershipChange, OrgRef, Selection


class PlanInput(NamedTuple):
    """Everything a plan is made from. ``created_at`` and ``as_of`` are inputs, in UTC.

    ``directory`` is None where users were not read; ``scope`` has the users that were requested, None for all.
    ``people_hint`` is what to do where they could not be read, empty where it is unknown.
    ``lifts`` are the overrides of this run. ``config`` names the config as the journal does, to recognize addresses
    that another config applied last; empty where it is unknown. ``forecasts``: users come from a source
    that knows the members of groups which the org does not have yet. ``sees_invited``: they were read from the org
    itself, which has invited users too.

    ``identity`` says which group each label means, once ``resolved`` has found out; ``desired`` and ``applied`` are
    keyed by live names from then on. ``written`` is the desired state as a saved plan keeps it, None for ``desired``.
    ``log`` says what the org's audit log shows of applies that the journal does not have, None where there is no log or
    it could not be read.
    ``metadata_file`` is the file that the config names for `sso.metadata`, empty without one. ``command`` makes the
    plan again, without the flags of its overrides; empty for `rolecall plan`.
    ``lineage`` relates the configuration's commit to the last applied one, None where there is nothing to compare.
    ``what_if`` has the memberships that the plan supposes to change.
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
    selection: Selection = Selection()
    warnings: tuple[Problem, ...] = ()
    config: str = ""
    people_hint: str = ""
    forecasts: bool = False
    sees_invited: bool = False
    identity: Identity | None = None
    written: Desired | None = None
    lineage: Lineage | None = None
    log: LogCheck | None = None
    metadata_file: str = ""
    command: str = ""
    what_if: tuple[MembershipChange, ...] = ()

    @property
    def resolved(self) -> PlanInput:
        """Return the input with every label resolved; the same object where that was done before."""
        if self.identity is not None:
            return self
        identity = identify(self.desired, self.live, self.applied)
        written = self.written or self.desired
        return self._replace(desired=identity.desired, applied=identity.applied, identity=identity, written=written)

    @property
    def known(self) -> Identity:
        """Return the resolved labels."""
        return self.identity or identify(self.desired, self.live, self.applied)

    def on(self, live: Live, directory: Directory | None) -> PlanInput:
        """Return the question on another read of the same org, where groups may have other names."""
        known = self.known
        raw = self._replace(desired=known.written, applied=known.memory, identity=None, written=None)
        return raw._replace(live=live, directory=directory).resolved

    @property
    def everybody(self) -> bool:
        """Return whether the directory holds the whole org, as far as is known."""
        if self.directory is None or self.directory.coverage.state != "complete" or self.directory.gaps.missing:
            return False
        known = self.live.facts.people
        return self.scope.everybody if self.scope is not None else known is None or len(self.directory) >= known


def pending_mappings(plan_input: PlanInput, changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the pending mappings whose users the source of users can forecast; none where it cannot."""
    if not plan_input.forecasts:
        return ()
    return tuple(c for c in changes if c.via == "waiting" and c.address.startswith("idp_groups/"))
