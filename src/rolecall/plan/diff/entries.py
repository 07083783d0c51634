"""Find the live group of each entry of the configuration: by its pin, else by its recorded id, else by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rolecall.errors import Problem, Where
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import address, split_address
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, GroupMapping

SAME_GROUP = "same_group"
RENAMED = "group_renamed"


class Entry(NamedTuple):
    """The live group of one key, None while it is pending, and a problem of the key."""

    live: str | None
    problem: Problem | None = None


def ids_of(live: Live) -> dict[str, str]:
    """Return the id of each live group; none on the legacy endpoint, whose groups are known by name."""
    if live.settings.scim is not UNSET and live.settings.scim.endpoint == "legacy":
        return {}
    return {name: group.id for name, group in live.facts.groups.items() if group.id}


def mappings(live: Live) -> Mapping[str, GroupMapping]:
    """Return the live mappings, none where they were not read."""
    groups = live.settings.idp_groups
    return {} if groups is UNSET else groups


def resolve_entries(desired: Desired, live: Live, applied: Applied) -> dict[str, Entry]:
    """Resolve every key. Two keys for one group are an error at the later one, which names the place of the first."""
    groups = desired.settings.idp_groups
    if groups is UNSET:
        return {}
    live_mappings, known = mappings(live), applied.group_ids
    pins = {
        split_address(at)[1] or "": intent.id
        for at, intent in desired.intents.items()
        if intent.id and at.startswith("idp_groups/")
    }
    entries = {key: Entry(key) for key in groups}
    unsure = [key for key in groups if key in pins or key not in live_mappings or known.get(key)]
    if not unsure:
        return entries
    resolver = _Resolver(desired, live, known, {group: name for name, group in ids_of(live).items()}, pins)
    entries |= {key: resolver.pinned(key) if key in pins else resolver.unpinned(key) for key in unsure}
    entries |= {key: resolver.by_name(key) for key in resolver.outdated(entries)}
    return entries | resolver.clashes(entries)


class _Resolver(NamedTuple):
    """The data to resolve entries: the recorded id of each key, the live name of each id, the pin of each key."""

    desired: Desired
    live: Live
    known: Mapping[str, str]
    by_id: Mapping[str, str]
    pins: Mapping[str, str]

    def pinned(self, key: str) -> Entry:
        """Return the group of a pinned entry, whatever its name."""
        pin = self.pins[key]
        name = self.by_id.get(pin)
        if name is None or name in (key, f"{key} [{pin}]"):
            return Entry(name)
        message = f"the group with id {pin} has the name `{name}` in the org, not `{key}`"
        return self._renamed(key, name, message, f"rename the key to `{name}`")

    def unpinned(self, key: str) -> Entry:
        """Return the recorded group of a key while the org has it, else the group with that name."""
        known = self.known.get(key)
        name = self.by_id.get(known) if known else None
        if name is None or name == key:
            return self.by_name(key)
        if name == f"{key} [{known}]":
            message = f"two groups have the name `{key}` in the org; the entry applies to {known}, as in the last apply"
            hint = f"pin it: `id: {known}`"
            return Entry(name, Problem("group_shared_name", message, self._where(key), hint, "warning"))
        message, hint = (
            f"`{key}` was renamed to `{name}` in the IdP; its mapping is kept",
            f"rename the key to `{name}`",
        )
        if key in mappings(self.live):
            message += f". Another group has the name `{key}` now; the entry does not apply to it"
            hint += ", or pin the `id` of the other group"
        return self._renamed(key, name, message, hint)

    def by_name(self, key: str) -> Entry:
        """Return the group with that name: an error where the org has two, none where it has none."""
        if key in mappings(self.live):
            return Entry(key)
        if key not in self.live.facts.homonyms:
            return Entry(None)
        ids = ", ".join(sorted(group for group, name in self.by_id.items() if name == f"{key} [{group}]"))
        message = f"two groups have the name `{key}` in the org ({ids})"
        return Entry(None, Problem("group_ambiguous", message, self._where(key), "set the `id` of the right one"))

    def outdated(self, entries: Mapping[str, Entry]) -> list[str]:
        """Return the keys whose recorded id is also that of another entry, under the current name of the group."""
        return [
            key
            for key, entry in entries.items()
            if key not in self.pins and (name := entry.live) is not None and name != key
            if name in entries and entries[name].live == name and self.known.get(name) == self.known.get(key)
        ]

    def clashes(self, entries: Mapping[str, Entry]) -> dict[str, Entry]:
        """Return the entries for a group that an earlier entry is for already, each with its error."""
        first: dict[str, str] = {}
        again = {}
        for key in sorted(entries, key=lambda key: place(self.desired, key)):
            name = entries[key].live
            if name is not None and (earlier := first.setdefault(name, key)) != key:
                again[key] = Entry(name, self._clash(key, earlier, name))
        return again

    def _clash(self, key: str, earlier: str, name: str) -> Problem:
        source, known = self._where(earlier), ids_of(self.live).get(name)
        line = f" ({source.file}:{source.line})" if source else ""
        message = (
            f"`{key}` and `{earlier}`{line} are the same group in the org: `{name}`{f', id {known}' if known else ''}"
        )
        return Problem(SAME_GROUP, message, self._where(key), "delete one of the entries, or correct its `id`")

    def _renamed(self, key: str, name: str, message: str, hint: str) -> Entry:
        return Entry(name, Problem(RENAMED, message, self._where(key), hint, "warning"))

    def _where(self, key: str) -> Where | None:
        return self.desired.intent(address("idp_groups", key)).source


def place(desired: Desired, key: str) -> tuple[str, int, str]:
    """Return what entries are sorted by: file, line, key."""
    source = desired.intent(address("idp_groups", key)).source
    return (source.file, source.line, key) if source else ("", 0, key)
