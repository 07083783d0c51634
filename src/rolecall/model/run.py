"""Defines runs and their steps: what was requested, the previous value, and the outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.model.change import Action, Via
from rolecall.model.evidence import Confirmation
from rolecall.model.policy import Allow
from rolecall.model.record import OMIT, UNWRITTEN
from rolecall.model.settings import Address, Value

RunKind = Literal["apply", "rollback", "drift", "snapshot", "done", "acknowledge", "rotate"]
RunOutcome = Literal["open", "done", "nothing", "incomplete", "interrupted"]
Settled = Literal["done", "not_done", "failed", "moved", "refused", "unknown"]
StepState = Literal[
    "not_tried", "human", "open", "done", "not_done", "failed", "moved", "refused", "unknown", "attested"
]


class Approval(NamedTuple):
    """A recorded approval. ``source`` says what recorded it; ``by`` may be the pipeline itself."""

    by: str
    at: datetime | None = None
    url: str | None = None
    source: str | None = None


class RunFacts(NamedTuple):
    """The origin of a run, from the environment. ``caller`` is the user or service that the org reports."""

    org_name: str = ""
    env: str | None = None
    actor: str = ""
    caller: str | None = None
    host: str | None = None
    commit: str | None = None
    branch: str | None = None
    remote: str | None = None
    pull_request: str | None = None
    ci_run: str | None = None
    config: str | None = None
    config_digest: str | None = None
    version: str = ""


class PlannedStep(NamedTuple):
    """A step as the plan has it, before anything is tried. ``number`` identifies it in its run.

    ``id`` is the org's id of the group; ``address`` has the name that it had then. ``visit`` and ``item`` are how the
    runbook numbers a manual step: 3 and 2 for item 3.2; ``item`` is None for a step without items.
    """

    number: int
    address: Address
    action: Action
    via: Via
    before: Value | None
    after: Value | None
    id: str | None = None
    visit: Annotated[int | None, OMIT] = None
    item: Annotated[int | None, OMIT] = None


class PendingWrite(NamedTuple):
    """A write about to be sent, which is recorded first.

    ``before`` is the previous value in the fresh read and ``version`` its ETag; ``key`` the Idempotency-Key.
    """

    number: int
    address: Address
    action: Action
    key: str
    version: str | None
    before: Value | None
    after: Value | None
    id: str | None = None


class StepOutcome(NamedTuple):
    """The outcome of a write. ``found`` is the value in the org, ``by`` who set it if it was not this run."""

    number: int
    address: Address
    state: Settled
    found: Value | None = None
    version: str | None = None
    problem: str | None = None
    by: str | None = None


class Attestation(NamedTuple):
    """A report that a manual step is done. ``evidence`` names a file and its SHA-256."""

    number: int
    by: str
    evidence: str | None = None
    evidence_sha256: str | None = None
    found: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run, built from what was recorded about it.

    ``before`` is the previous value. ``at`` is when its state last changed. ``by`` is who reported it done, or who had
    already set ``after``; ``problem`` is why it failed, as a sentence. ``reported`` is the console's value as entered,
    if it was reported instead of ``after``. ``id`` is the org's id of the group, None in runs of 0.1.0. ``visit`` and
    ``item`` number a manual step in the runbook, see ``PlannedStep``; they are None in runs of 0.1.0, whose runbooks
    use ``number``. ``confirmation`` are records of an audit log that prove it.
    """

    run: int
    number: int
    address: Address
    action: Action
    via: Via
    before: Value | None
    after: Value | None
    state: StepState
    key: str | None = None
    version: str | None = None
    found: Value | None = None
    problem: str | None = None
    by: str | None = None
    evidence: str | None = None
    at: datetime | None = None
    id: str | None = None
    visit: int | None = None
    item: int | None = None
    reported: str | None = None
    confirmation: Confirmation | None = None

    @property
    def place(self) -> tuple[int, int]:
        """Return the number of the step in the runbook and that of the item, 0 without items, for sorting."""
        return self.number if self.visit is None else self.visit, self.item or 0

    @property
    def unconfirmed(self) -> bool:
        """Return whether it was reported done with the value that the run asked for, and no record proves it yet."""
        return self.state == "attested" and self.reported is None and self.confirmation is None

    @property
    def label(self) -> str:
        """Return the number as in reports and `done`: ``3``, or ``3.2`` for an item."""
        visit, item = self.place
        return f"{visit}.{item}" if item else str(visit)


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``outcome`` is ``open`` until it is closed; an open run whose lock is free has died.

    ``digest`` is the plan's. ``hash`` is the chain's at the run's last entry. ``message`` is the closing line.
    """

    id: int
    org_id: str
    kind: RunKind
    started_at: datetime
    ended_at: datetime | None
    outcome: RunOutcome
    facts: RunFacts = RunFacts()
    digest: str | None = None
    lifts: tuple[Allow, ...] = ()
    approvals: tuple[Approval, ...] = ()
    steps: tuple[Step, ...] = ()
    message: str | None = None
    hash: str = ""

    @property
    def human(self) -> tuple[Step, ...]:
        """Return the manual steps that are not done yet."""
        return tuple(step for step in self.steps if step.state == "human")

    def count(self, *states: StepState) -> int:
        return sum(step.state in states for step in self.steps)


class Opening(NamedTuple):
    """The start of a run. ``plan`` is the plan's JSON text, empty for a run without one."""

    org_id: Annotated[str, UNWRITTEN]
    kind: RunKind
    facts: RunFacts = RunFacts()
    digest: str | None = None
    plan: Annotated[str, UNWRITTEN] = ""
    steps: Sequence[PlannedStep] = ()
    lifts: Sequence[Allow] = ()
    approvals: Sequence[Approval] = ()


class Closing(NamedTuple):
    """The outcome of a run, and its closing line."""

    outcome: RunOutcome
    message: str | None = None


class Record(NamedTuple):
    """The record of an address in the journal: the last value in the org that matched the configuration, and the
    run, configuration, commit and moment that set it. None is a mapping known to be unmapped.
    """

    address: Address
    value: Value | None
    run: int
    config: str
    commit: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of an apply. ``run`` is as the journal has it; None if there was nothing to do or record.

    ``recovered`` are steps of earlier runs that were settled first. ``notes`` describe what changed since the plan.
    ``meanwhile`` has temporary access changes that last because the run is incomplete; empty when it is complete.
    ``waiting`` are addresses pending in the IdP. ``problems`` say why nothing more could be recorded; ``run`` is then
    as the process itself knows it, and open. ``open_run`` is an earlier run that has the manual steps of the plan, so
    that ``run`` does not have them. ``arrival`` is the run that mapped the groups that ``run`` pushed.
    """

    run: Run | None
    recovered: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    meanwhile: str = ""
    waiting: tuple[Address, ...] = ()
    requests: int = 0
    problems: tuple[Problem, ...] = ()
    open_run: int | None = None
    arrival: RunReport | None = None
