"""How much of what the config manages was read: a section, a mapping of it, a field of a value. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from rolecall.errors import Problem
from rolecall.model.comparison import field_address, unread_fields
from rolecall.model.desired import Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, SECTIONS, address, split_address
from rolecall.model.live import UNREAD, Coverage, Live
from rolecall.model.settings import UNSET, Address, Value
from rolecall.plan.resolve import covers, ignored


def managed_coverage(desired: Desired, live: Live) -> Mapping[str, Coverage]:
    """Return how much was read of each section that the config manages."""
    return {kind.section: live.covered(kind.section) for kind in KINDS if manages(desired, kind)}


def coverage_of(desired: Desired, live: Live, as_of: date, ignore: Iterable[str] = ()) -> Mapping[str, Coverage]:
    """Return ``managed_coverage`` with a row for each managed field that was not read in a section that was.

    Such a row is keyed by the field's address: ``sso.allow_passwords``, ``domains/acme.com.join``. What the config
    ignores on that day, or ``ignore`` names (addresses or globs), has none.
    """
    skip = (*ignored(desired.policy.ignore, as_of), *ignore)
    fields = {
        field_address(at, name): UNREAD
        for at, names in unread_parts(desired, live)
        if not covers(skip, at)
        for name in names
    }
    return {**managed_coverage(desired, live), **fields}


def unread_parts(desired: Desired, live: Live) -> Iterator[tuple[Address, tuple[str, ...]]]:
    """Yield each managed address of a section that was read, with its managed fields that were not."""
    for kind in KINDS:
        if not manages(desired, kind) or live.covered(kind.section).state != "complete":
            continue
        for at, wanted, held in _pairs(kind, desired, live):
            if names := unread_fields(held, wanted):
                yield at, names


def manages(desired: Desired, kind: Kind) -> bool:
    """Return whether the config manages a section."""
    return getattr(desired.settings, kind.section) is not UNSET and desired.policy.managing(kind.section) != "unmanaged"


def sections_of(coverage: Iterable[str]) -> list[str]:
    """Return the sections among the keys of a plan's coverage, in the table's order."""
    return [section for section in SECTIONS if section in set(coverage)]


def section_of(name: str) -> str:
    """Return the section of a key of a plan's coverage, which is a section or a field's address."""
    return name.partition("/")[0].partition(".")[0]


def concerns(name: str, at: str) -> bool:
    """Return whether a key of a plan's coverage is about this address: its section, or a field of it."""
    return name == split_address(at)[0] or name.startswith(field_address(at, ""))


def unread_warnings(desired: Desired, coverage: Mapping[str, Coverage], consequence: str) -> Iterator[Problem]:
    """Yield a warning for each row that is not complete; ``consequence`` is its hint."""
    for name, seen in coverage.items():
        if seen.state == "complete":
            continue
        why = f": {seen.problem}" if seen.problem else ""
        whole = " whole" if name in SECTIONS else ""
        where = None if name in SECTIONS else desired.intent(_address_of(name)).source
        yield Problem("unread", f"{name} was not read{whole}{why}", where, consequence, "warning")


def _address_of(field: str) -> Address:
    return Address(field.rpartition(".")[0])


def _pairs(kind: Kind, desired: Desired, live: Live) -> Iterator[tuple[Address, Value, Value]]:
    """Yield what desired and live hold at each address that both have. A mapping is read whole or not at all."""
    wanted, held = getattr(desired.settings, kind.section), getattr(live.settings, kind.section)
    if kind.whole:
        return
    if not kind.keyed:
        yield address(kind.section), wanted, held
        return
    for key, value in wanted.items():
        if key in held:
            yield address(kind.section, key), value, held[key]
