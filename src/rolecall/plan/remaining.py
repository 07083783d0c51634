"""What a plan leaves as it is: settings that are no longer managed, and mappings that never were."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.model.settings import Address, Value


class Released(NamedTuple):
    """An address that was applied once and is no longer in the config, and what the org has there now.

    ``people`` is None when not counted. ``fields`` are the fields that the config dropped, empty where it dropped the
    whole address. ``value`` is the live value of what is no longer managed, None where it was not read.
    """

    address: Address
    people: int | None = None
    fields: tuple[str, ...] = ()
    value: Value | None = None


class Unmanaged(NamedTuple):
    """A mapping that the config does not manage.

    ``new``: it was not there at the last apply. ``released``: the last apply still managed it.
    """

    address: Address
    role: str | None
    teams: tuple[str, ...]
    people: int | None = None
    new: bool = False
    released: bool = False
