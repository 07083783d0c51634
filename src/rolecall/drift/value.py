"""What a look for drift found, as a value: reports, notices, metrics and the exit code are all made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Literal, NamedTuple

from rolecall.drift.compare import Drift
from rolecall.errors import Problem, Where
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
    """What live was compared with beside the config: the journal, a file or a commit in its place, or nothing.

    ``name`` is the file or the ref; ``at`` the moment that the newest of it is from.
    """

    kind: Literal["journal", "file", "git", "none"] = "none"
    name: str = ""
    at: datetime | None = None


class Violation(NamedTuple):
    """Something that the config says must not be so in the org, whoever brought it about.

    ``who`` is whom it is about, None for no single person; the message then goes on from their name. ``fingerprint``
    stays while it does.
    """

    kind: ViolationKind
    name: Code
    message: str
    fingerprint: Code
    who: Who | None = None
    source: Where | None = None


class Acknowledgement(NamedTuple):
    """A finding that someone knows of: who recorded that, when and why, and the run that has it."""

    fingerprint: str
    by: str
    at: datetime
    reason: str
    run: int


class Renamed(NamedTuple):
    """A group that the IdP calls by another name now. ``key`` is its entry in the config, None when it has none."""

    was: str
    now: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class GroupMovements:
    """IdP groups since the last look. ``ready`` waited in the config and are there now: an apply maps them."""

    arrived: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    renamed: tuple[Renamed, ...] = ()
    ready: tuple[str, ...] = ()


class NewAdmin(NamedTuple):
    """Somebody who was not org admin at the last look. ``by`` is what made them so, such as a group's name."""

    who: Annotated[Who, FLAT]
    by: Code = ""
    address: Address | None = None
    fingerprint: Code = ""


@dataclass(frozen=True, slots=True)
class UserMovements:
    """People since the last look at ``since``: counts of those who came, went, and changed groups or manual edits."""

    since: datetime
    joined: int = 0
    left: int = 0
    moved: int = 0
    new_admins: Annotated[tuple[NewAdmin, ...], Key("new_org_admins")] = ()
    former_admins: Annotated[tuple[Who, ...], Key("former_org_admins")] = ()

    @property
    def any(self) -> bool:
        return bool(self.joined or self.left or self.moved or self.new_admins or self.former_admins)


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Everything that one look found.

    ``entries`` are all addresses but those in sync. ``counted`` are the fingerprints of the rows that count as drift.
    ``did`` is what the drift did to people, as the plan that would have done it; ``revert`` the plan that undoes it;
    both None where nothing counts. ``keys`` has the address of each group under its key in the config.
    ``released`` was applied and is no longer in the config, which is no drift.
    ``waiting`` are rows that no apply can change yet, as the IdP has not pushed the group.
    ``sighting`` is None where users were not read. ``not_evaluated`` are the kinds of checks that need users who were
    not read: of such a kind that nothing fails is no news. ``acknowledged`` are the findings, by fingerprint, that are
    there and that someone acknowledged: they do not count.
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

    @property
    def drifts(self) -> tuple[Drift, ...]:
        """The rows that count as drift."""
        return tuple(drift for drift in self.entries if drift.fingerprint in self.counted)

    @property
    def determined(self) -> bool:
        """Whether there is something to compare the org with. Without it drift is unknown: no drift is no all-clear."""
        return self.basis.kind != "none"

    @property
    def unread(self) -> tuple[str, ...]:
        """The managed sections, and ``people``, that were not read whole, and the managed fields that were not read."""
        return tuple(name for name, part in self.coverage.items() if part.state != "complete")

    @property
    def unread_sections(self) -> tuple[str, ...]:
        """The managed sections of which not all that is managed was read."""
        return tuple(dict.fromkeys(map(section_of, self.unread)))

    def tally(self, side: Literal["did", "revert"], at: Address) -> Tally | None:
        """The people of one address on one side; None where nobody was counted."""
        plan = self.did if side == "did" else self.revert
        if plan is None or plan.impact.people is None or plan.impact.problem:
            return None
        return plan.impact.tallies.get(at, Tally())
