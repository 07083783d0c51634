"""Defines the desired state: the requested settings, and the metadata of each address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Annotated, NamedTuple

from rolecall.errors import Where
from rolecall.model.lineage import LastRun
from rolecall.model.policy import Policy
from rolecall.model.record import OMIT
from rolecall.model.settings import Address, Settings


class Intent(NamedTuple):
    """The metadata of an entry in YAML, next to its value. A NamedTuple, because there is one per entry.

    ``expires`` is the last day the entry is in effect, UTC. ``id`` is the org's id of the group. ``previously`` lists
    former names. ``remove`` requests the only delete that an additive section allows.
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


class Desired(NamedTuple):
    """The desired settings, the metadata by address, and the policy.

    ``intents`` has the addresses with metadata; ``places`` has the place of every address.
    """

    settings: Settings = Settings()
    intents: Mapping[Address, Intent] = MappingProxyType({})
    policy: Policy = Policy()
    places: Mapping[Address, Where] = MappingProxyType({})

    def intent(self, at: Address) -> Intent:
        """Return the metadata of an address; for most, only its place."""
        written = self.intents.get(at)
        if written is not None or (place := self.places.get(at)) is None:
            return written or NO_INTENT
        return Intent(place)


@dataclass(frozen=True, slots=True)
class Applied:
    """The values that rolecall last applied to this org, from the journal; empty without a journal.

    ``group_ids`` maps the key of an entry to the id of its group, ``ids`` a remembered address to that of its group.
    ``config`` is the configuration that last applied an address (for the ``foreign`` guard). ``unmanaged`` are the
    unmanaged addresses at the last apply. ``expires`` are the entries with an end, ``ends`` their last days; None if
    not recorded. ``waiting`` has the day since when a group has been pending. ``last`` is the run that wrote the newest
    value. ``journal`` is the journal's id, ``log_entry`` that of the newest entry in the org's audit log when the last
    apply was planned. ``local`` is whether that apply was to a local org, None if not recorded. ``idp_app`` is the app
    in the IdP that it was about, empty if it managed nothing there.
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
    local: bool | None = field(default=None, compare=False)
    idp_app: str = field(default="", compare=False)

    @property
    def recorded(self) -> bool:
        """Return whether the journal has a record of an apply to the org."""
        return self.policy is not None or self.last is not None or self.settings != Settings()


NOTHING_APPLIED = Applied()
