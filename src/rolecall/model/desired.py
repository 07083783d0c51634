"""What the config asks for, and what it says about each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, NamedTuple

from rolecall.errors import Where
from rolecall.model.lineage import LastRun
from rolecall.model.policy import Policy
from rolecall.model.record import OMIT
from rolecall.model.settings import Address, Settings


class Intent(NamedTuple):
    """What YAML says *about* an address, beside its value. There is one an entry, so it is a kind that is quickly made.

    ``expires`` is the last day the entry holds, UTC. ``id`` is the org's id of the group. ``previously`` lists
    former names. ``remove`` asks for the one delete that an additive section allows.
    """

    source: Annotated[Where | None, OMIT] = None
    owner: Annotated[str | None, OMIT] = None
    reason: Annotated[str | None, OMIT] = None
    ticket: Annotated[str | None, OMIT] = None
    protect: Annotated[bool, OMIT] = False
    previously: Annotated[tuple[str, ...], OMIT] = ()
    expires: Annotated[date | None, OMIT] = None
    id: Annotated[str | None, OMIT] = None
    remove: Annotated[bool, OMIT] = False


NO_INTENT = Intent()


@dataclass(frozen=True, slots=True)
class Desired:
    """The settings wanted, the intents by address, and the policy.

    ``intents`` has the addresses of which more is said than a value; ``places`` says of all where they stand.
    """

    settings: Settings = Settings()
    intents: Mapping[Address, Intent] = field(default_factory=dict)
    policy: Policy = Policy()
    places: Mapping[Address, Where] = field(default_factory=dict)

    def intent(self, at: Address) -> Intent:
        """What is said about an address; for most nothing but its place."""
        written = self.intents.get(at)
        if written is not None or (place := self.places.get(at)) is None:
            return written or NO_INTENT
        return Intent(place)


@dataclass(frozen=True, slots=True)
class Applied:
    """What rolecall last applied to this org, as the journal remembers it; empty without a journal.

    ``group_ids`` maps the key of an entry to the id of its group, ``ids`` a remembered address to that of its group.
    ``config`` tells which config applied an address last (the ``foreign`` guard). ``unmanaged`` are the unmanaged
    addresses when last seen. ``expires`` are the entries that had an end, ``ends`` their last days; None when that was
    not kept. ``waiting`` says since when a group has been waited for. ``last`` is the run that wrote the newest value.
    ``journal`` is the journal's id, ``log_entry``
    that of the entry of the org's audit log that was the newest one when the last apply was planned.
    """

    settings: Settings = Settings()
    policy: Policy | None = None
    protected: frozenset[Address] = frozenset()
    group_ids: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[Address, str] = field(default_factory=dict)
    config: Mapping[Address, str] = field(default_factory=dict)
    unmanaged: frozenset[Address] | None = None
    expires: frozenset[Address] | None = None
    ends: Mapping[Address, date] | None = None
    waiting: Mapping[Address, date] = field(default_factory=dict)
    last: LastRun | None = None
    journal: str = field(default="", compare=False)
    log_entry: str = field(default="", compare=False)

    @property
    def recorded(self) -> bool:
        """Whether the journal has a record of an apply to the org."""
        return self.policy is not None or self.last is not None or self.settings != Settings()


NOTHING_APPLIED = Applied()
