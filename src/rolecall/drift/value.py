"""Hold the result of a drift check: reports, notices, metrics and the exit code are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Literal, NamedTuple

from rolecall.drift.compare import Drift
from rolecall.drift.writers import FieldWrite
from rolecall.errors import Problem, Where
from rolecall.model.evidence import Finding
from rolecall.model.lineage import Blame
from rolecall.model.live import Coverage
from rolecall.model.record import FLAT, PUBLIC, Code, Key
from rolecall.model.settings import Address
from rolecall.model.sighting import Sighting
from rolecall.plan.coverage import section_of
from rolecall.plan.value import OrgRef, Plan, Released, Tally, Unmanaged, Who

ViolationKind = Literal["watch", "limit", "access_test"]

UNDETERMINED = "drift cannot be determined: no apply is recorded"


class Basis(NamedTuple):
    """Say what the org was compared with, besides the config: the journal, a file or a commit instead, or nothing.

    ``name`` is the file or the ref; ``at`` is the time of its newest part.
    """

    kind: Literal["journal", "file", "git", "none"] = "none"
    name: str = ""
    at: datetime | None = None


class Violation(NamedTuple):
    """Hold a policy violation: a standing limit, a watched role or an access test that fails.

    ``who`` is the user it is about, if any, and the subject of the message. ``fingerprint`` identifies it as long as it
    exists.
    """

    kind: ViolationKind
    name: Code
    message: str
    fingerprint: Code
    who: Who | None = None
    source: Where | None = None


class LastWrite(NamedTuple):
    """Say who wrote a value last, and when; None where that is unknown."""

    by: str | None = None
    at: datetime | None = None


class Acknowledgement(NamedTuple):
    """Hold who acknowledged a finding, when and why, and the run that recorded it."""

    fingerprint: str
    by: str
    at: datetime
    reason: str
    run: int


class Renamed(NamedTuple):
    """Hold a group that was renamed in the IdP. ``key`` is its entry in the config, if any."""

    was: str
    now: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class GroupMovements:
    """Hold the changes of IdP groups since the last check. ``ready`` are no longer pending: an apply maps them."""

    arrived: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    ready: tuple[str, ...] = ()


class NewAdmin(NamedTuple):
    """Hold a user who was not org admin at the last check. ``by`` is the cause, such as a group's name."""

    who: Annotated[Who, FLAT]
    by: Code = ""
    address: Address | None = None
    fingerprint: Code = ""


@dataclass(frozen=True, slots=True)
class UserMovements:
    """Hold the changes of users since the last check at ``since``: how many joined, left, and changed groups."""

    since: datetime
    joined: int = 0
    left: int = 0
    moved: int = 0
    new_admins: Annotated[tuple[NewAdmin, ...], Key("new_org_admins")] = ()
    former_admins: Annotated[tuple[Who, ...], Key("former_org_admins")] = ()

    @property
    def any(self) -> bool:
        return bool(self.joined or self.left or self.moved or self.new_admins or self.former_admins)


@dataclass(frozen=True)
class DriftReport:
    """Hold everything that one check found.

    ``entries`` are all addresses but those in sync. ``counted`` are the fingerprints of those that count as drift.
    ``did`` is the plan that has the effect of the drift; ``revert`` is the plan that reverts it; both are None where
    nothing counts. ``keys`` has the address of each group under its key in the config. ``released`` was applied and is
    no longer in the config, which is not drift. ``waiting`` are addresses that are pending in the IdP.
    ``findings`` are what WRITER's audit log shows of differences without an event, ``writes`` the writes of each field
    of an address, if its last write does not explain all of them. ``sighting`` is None where users
    were not read. ``not_evaluated`` are the kinds of checks that need users who were not read.
    ``acknowledged`` are the acknowledged findings, by fingerprint, which do not count.
    """

    org: Annotated[OrgRef, PUBLIC]
    at: datetime
    as_of: date
    basis: Annotated[Basis, PUBLIC]
    entries: Annotated[tuple[Drift, ...], PUBLIC] = ()
    counted: Annotated[frozenset[str], PUBLIC] = frozenset()
    did: Plan | None = None
    revert: Plan | None = None
    keys: Mapping[Address, Address] = field(default_factory=dict)
    written: Annotated[Mapping[Address, Blame], PUBLIC] = field(default_factory=dict)
    released: Annotated[tuple[Released, ...], PUBLIC] = ()
    unmanaged: Annotated[tuple[Unmanaged, ...], PUBLIC] = ()
    waiting: frozenset[Address] = frozenset()
    findings: Annotated[Mapping[Address, Finding], PUBLIC] = field(default_factory=dict)
    writes: Annotated[Mapping[Address, tuple[FieldWrite, ...]], PUBLIC] = field(default_factory=dict)
    groups: Annotated[GroupMovements, PUBLIC] = GroupMovements()
    people: UserMovements | None = None
    alarms: tuple[Violation, ...] = ()
    acknowledged: Annotated[Mapping[str, Acknowledgement], PUBLIC] = field(default_factory=dict)
    not_evaluated: tuple[ViolationKind, ...] = ()
    sighting: Sighting | None = None
    without_access: int | None = None
    coverage: Annotated[Mapping[str, Coverage], PUBLIC] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    observed: bool = False
    ignored: Annotated[tuple[str, ...], PUBLIC] = ()
    warnings: tuple[Problem, ...] = ()
    requests: int = 0

    @cached_property
    def drifts(self) -> tuple[Drift, ...]:
        """Return the addresses that count as drift."""
        return tuple(drift for drift in self.entries if drift.fingerprint in self.counted)

    def last_write(self, drift: Drift) -> LastWrite:
        """Return who wrote a value last and when, by the org's or WRITER's audit log, as far as that is certain."""
        if drift.event is not None:
            return LastWrite(drift.event.actor, drift.event.at)
        finding = self.findings.get(drift.address)
        if finding is None or finding.status != "confirmed":
            return LastWrite()
        return LastWrite(finding.proofs[-1].actor or None, finding.proofs[-1].at)

    @property
    def determined(self) -> bool:
        """Return whether there is something to compare the org with. Otherwise drift is unknown."""
        return self.basis.kind != "none"

    @property
    def unread(self) -> tuple[str, ...]:
        """Return the managed sections, and ``people``, that were not read completely, and managed fields not read."""
        return tuple(name for name, part in self.coverage.items() if part.state != "complete")

    @property
    def outdated(self) -> tuple[str, ...]:
        """Return the managed sections, and ``people``, that were changed after they were read."""
        return tuple(name for name, part in self.coverage.items() if part.changed_since is not None)

    @property
    def unread_sections(self) -> tuple[str, ...]:
        """Return the managed sections with settings that were not read."""
        return tuple(dict.fromkeys(map(section_of, self.unread)))

    def tally(self, side: Literal["did", "revert"], at: Address) -> Tally | None:
        """Return the users affected by one address on one side; None where they were not counted."""
        plan = self.did if side == "did" else self.revert
        if plan is None or plan.impact.people is None or plan.impact.problem:
            return None
        return plan.impact.tallies.get(at, Tally())
