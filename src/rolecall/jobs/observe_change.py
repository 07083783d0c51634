"""What a new reading of a list changes in the last one: entries that are missing, mappings that are gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

_SHOWN = 5


class Differences(NamedTuple):
    """A new reading of groups against the last one, by name: in the last one alone, in the new one alone, mapped then
    and blank now, with a role then and teams alone now, mapped otherwise. ``none_mapped``: groups were mapped, and none
    is."""

    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unmapped: tuple[str, ...] = ()
    roleless: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    none_mapped: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether the list may have been cut or pasted without its columns."""
        return bool(self.missing or self.roleless) or self.none_mapped


def differences(last: Mapping[str, Any], groups: Mapping[str, Any]) -> Differences:
    """Compare two readings of the IdP groups, as a snapshot has them."""
    both = [name for name in last if name in groups]
    before, after = ({name: gives(row) for name, row in rows.items()} for rows in (last, groups))
    roleless = tuple(name for name in both if _has_role(before[name]) and after[name] and not _has_role(after[name]))
    return Differences(
        tuple(name for name in last if name not in groups),
        tuple(name for name in groups if name not in last),
        tuple(name for name in both if before[name] and not after[name]),
        roleless,
        tuple(name for name in both if after[name] and before[name] != after[name] and name not in roleless),
        any(before.values()) and not any(after.values()),
    )


def gives(entry: Any) -> tuple[str, tuple[str, ...]] | None:
    """The role and teams of an entry; None for one that gives nothing."""
    said = entry if isinstance(entry, dict) else {}
    teams = tuple(sorted(said.get("teams", ())))
    return (said.get("role", ""), teams) if teams or said.get("role") else None


def _has_role(mapping: tuple[str, tuple[str, ...]] | None) -> bool:
    return mapping is not None and bool(mapping[0])


def difference_lines(found: Differences) -> Iterator[str]:
    """A line for each kind of difference; none where the two readings are equal."""
    kinds = (
        (found.missing, "of the last reading", "missing"),
        (found.unmapped, "", "no longer mapped"),
        (found.roleless, "", "without the former role"),
        (found.changed, "", "mapped otherwise"),
        (found.new, "", "new"),
    )
    for names, of_which, what in kinds:
        if names:
            verb = "is" if len(names) == 1 else "are"
            which = f" {of_which}" if of_which else ""
            yield f"{len(names):,} group{'' if len(names) == 1 else 's'}{which} {verb} {what}: {some(names)}"


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"
