"""Find the group of each label: keys of the configuration and recorded names against the groups of the org.

A group is its id. A key in the configuration, a name in the org and an address in the journal are labels of it. They
are resolved once for a plan; from then on everything is keyed by the name that the group has in the org now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from rolecall.errors import Problem
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import address, split_address
from rolecall.model.live import Live
from rolecall.model.policy import AccessTest, Policy
from rolecall.model.settings import UNSET, Address
from rolecall.plan.diff.entries import Entry, ids_of, mappings, place, resolve_entries
from rolecall.plan.diff.idp_labels import idp_labels
from rolecall.plan.resolve import Patterns, covers, is_plain

V = TypeVar("V")
Find = Callable[[str], str]


class Identity(NamedTuple):
    """The labels of one configuration, one read of the org and one journal, resolved.

    ``written`` is the desired state as the configuration has it, ``memory`` what the journal remembers; ``desired`` and
    ``applied`` are the same keyed by names: the live name of the group. A pending entry keeps its key, or is
    ``KEY [ID]`` where another group has that name.
    ``names`` maps each key to its name, ``present`` holds the names of entries that the org has.
    ``ids`` maps live names to ids; it is empty where the org gives none, and the name is the identity there.
    ``past`` maps remembered labels to names, ``labels`` a name to its other labels, ``problems`` a key to what is odd.
    ``idp_past`` and ``idp_problems`` are the same by address for the groups that the IdP assigns and pushes.
    """

    written: Desired
    memory: Applied
    desired: Desired
    applied: Applied
    names: Mapping[str, str] = MappingProxyType({})
    present: frozenset[str] = frozenset()
    ids: Mapping[str, str] = MappingProxyType({})
    past: Mapping[str, str] = MappingProxyType({})
    labels: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    problems: Mapping[str, Problem] = MappingProxyType({})
    idp_past: Mapping[Address, Address] = MappingProxyType({})
    idp_problems: Mapping[Address, Problem] = MappingProxyType({})

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Return the errors of entries that do not identify one group of their own."""
        return tuple(problem for problem in self.problems.values() if problem.severity == "error")

    @property
    def keys(self) -> dict[str, str]:
        """Return the key of the configuration for each name."""
        return {name: key for key, name in self.names.items()}

    @property
    def group_ids(self) -> dict[str, str]:
        """Return the id of each key whose group exists in the org."""
        return {key: known for key, name in self.names.items() if (known := self.ids.get(name))}

    def id_at(self, at: Address) -> str | None:
        """Return the id of the group at an address, None for any other address."""
        key = group_of(at)
        return None if key is None else self.ids.get(key)

    def addresses(self, at: Address) -> tuple[Address, ...]:
        """Return every address that means the same entry: by its live name first, then by its other labels."""
        labels = self.labels.get(group_of(at) or "", ())
        return (at, *(address("idp_groups", label) for label in labels))

    def covers(self, patterns: Iterable[str], at: Address) -> bool:
        """Return whether a pattern means the entry at an address: by its key, its live name or a former name."""
        listed = tuple(patterns)
        return bool(listed) and any(covers(listed, label) for label in self.addresses(at))

    def matching(self, patterns: Iterable[str]) -> Callable[[Address], bool]:
        """Return ``covers`` for these patterns, to be called with many addresses."""
        listed = Patterns(patterns)
        some = bool(listed)
        return lambda at: some and any(label in listed for label in self.addresses(at))

    def means(self, pattern: str, at: Address) -> bool:
        """Return whether a pattern means the entry at an address; one without wildcards means a single entry."""
        return at == self.meant(pattern) if is_plain(pattern) else self.covers((pattern,), at)

    def meant(self, pattern: str) -> str:
        """Return a pattern without wildcards as the address that it means now, any other as it is."""
        key = group_of(pattern)
        return self._at(self.find(key)) if key is not None and is_plain(pattern) else pattern

    def find(self, label: str) -> str:
        """Return the name of the group that a label means: a key, else a remembered name, else a name in the org."""
        return self.names.get(label) or self.past.get(label) or label

    def present_address(self, at: Address) -> Address:
        """Return the current address for one of the journal."""
        key = group_of(at)
        return self.idp_past.get(at, at) if key is None else self._at(self.past.get(key, key))

    def pinned(self, desired: Desired) -> Desired:
        """Return a desired state that is keyed by live names with each group that the org has pinned by its id."""
        groups = desired.settings.idp_groups
        if groups is UNSET or not self.ids:
            return desired
        listed = ((self._at(name), self.ids.get(name)) for name in groups)
        pins = {at: desired.intent(at)._replace(id=known) for at, known in listed if known}
        return desired._replace(intents={**desired.intents, **pins})

    @staticmethod
    def _at(name: str) -> Address:
        return address("idp_groups", name)


def identify(desired: Desired, live: Live, applied: Applied) -> Identity:
    """Resolve each entry once, and everything remembered with it."""
    entries = resolve_entries(desired, live, applied)
    names, again = _names(desired, live, entries)
    past = _past(applied, live, names)
    find = _finder(names, past)
    keyed = _keyed_by_name(desired, names, again)
    keyed = keyed if (policy := _policy(keyed.policy, find)) is keyed.policy else keyed._replace(policy=policy)
    idp = idp_labels(keyed, live, _remembered(applied, past, find))
    return Identity(
        desired,
        applied,
        idp.desired,
        idp.applied,
        names,
        frozenset(names[key] for key, entry in entries.items() if entry.live is not None),
        ids_of(live),
        past,
        _labels(desired, live, names, past),
        {key: entry.problem for key, entry in entries.items() if entry.problem is not None},
        idp.past,
        idp.problems,
    )


def group_of(at: str) -> str | None:
    """Return the name in the address of a group, None for any other address."""
    section, key = split_address(at)
    return key if section == "idp_groups" else None


def _names(desired: Desired, live: Live, entries: Mapping[str, Entry]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the name of each key, and the keys of a group that an earlier entry is for already."""
    live_mappings = mappings(live)
    names: dict[str, str] = {}
    for key, entry in entries.items():
        if entry.live is not None:
            names[key] = entry.live
        else:
            pin = desired.intent(address("idp_groups", key)).id if key in live_mappings else None
            names[key] = f"{key} [{pin}]" if pin else key
    if len(set(names.values())) == len(names):
        return names, frozenset()
    first: dict[str, str] = {}
    for key in sorted(names, key=lambda key: place(desired, key)):
        first.setdefault(names[key], key)
    return names, frozenset(names.keys() - set(first.values()))


def _keyed_by_name(desired: Desired, names: Mapping[str, str], again: frozenset[str]) -> Desired:
    """Return the desired state keyed by names; the same object where no name differs from its key."""
    if not again and all(key == name for key, name in names.items()):
        return desired
    groups = desired.settings.idp_groups

    def moved(entries: Mapping[Address, V]) -> dict[Address, V]:
        listed = ((at, group_of(at), entry) for at, entry in entries.items())
        unique = ((at, key, entry) for at, key, entry in listed if key not in again)
        return {at if key is None else address("idp_groups", names.get(key, key)): entry for at, key, entry in unique}

    by_name = {} if groups is UNSET else {names[key]: value for key, value in groups.items() if key not in again}
    settings = replace(desired.settings, idp_groups=by_name)
    return desired._replace(settings=settings, intents=moved(desired.intents), places=moved(desired.places))


def _past(applied: Applied, live: Live, names: Mapping[str, str]) -> dict[str, str]:
    """Return the current name of each recorded label: by its id, else by the entry with that key, else the label
    itself.

    A label whose group no longer exists, and whose name another group has taken, keeps its id in its name. A former key
    at whose address nothing is remembered gives way to the group that is called so now.
    """
    by_id = {group: name for name, group in ids_of(live).items()}
    live_mappings = mappings(live)
    addresses = {group_of(at) or "": known for at, known in applied.ids.items()}
    labels = _labels_of(applied)
    ids = {**applied.group_ids, **addresses}
    current = {}
    for label in {*ids, *labels}:
        known = ids.get(label)
        if label in live_mappings and label not in labels and label not in addresses and label not in names:
            current[label] = label
        elif known and known in by_id:
            current[label] = by_id[known]
        elif label in names:
            current[label] = names[label]
        else:
            current[label] = f"{label} [{known}]" if known and by_id and label in live_mappings else label
    return current


def _labels_of(applied: Applied) -> set[str]:
    """Return every label of a group that the journal has."""
    groups = applied.settings.idp_groups
    more = (
        applied.protected,
        applied.config,
        applied.unmanaged or (),
        applied.expires or (),
        applied.ends or (),
        applied.waiting,
    )
    labels = {label for addresses in more for at in addresses if (label := group_of(at)) is not None}
    return labels if groups is UNSET else labels | groups.keys()


def _finder(names: Mapping[str, str], past: Mapping[str, str]) -> Find:
    return lambda label: names.get(label) or past.get(label) or label


def _remembered(applied: Applied, past: Mapping[str, str], find: Find) -> Applied:
    """Return what was applied, keyed by names. Of two labels of one group, that of the current name counts."""
    policy = None if applied.policy is None else _policy(applied.policy, find)
    if all(label == name for label, name in past.items()):
        return applied if policy is applied.policy else replace(applied, policy=policy)

    def renamed(at: Address) -> Address:
        label = group_of(at)
        return at if label is None else address("idp_groups", past.get(label, label))

    def moved(entries: Mapping[Address, V]) -> dict[Address, V]:
        return {renamed(at): entries[at] for at in sorted(entries, key=lambda at: renamed(at) == at)}

    def keyed(entries: Mapping[str, V]) -> dict[str, V]:
        return {
            past.get(label, label): entries[label] for label in sorted(entries, key=lambda name: past.get(name) == name)
        }

    groups = applied.settings.idp_groups
    return replace(
        applied,
        settings=replace(applied.settings, idp_groups=groups if groups is UNSET else keyed(groups)),
        policy=policy,
        protected=frozenset(map(renamed, applied.protected)),
        group_ids=keyed(applied.group_ids),
        ids=moved(applied.ids),
        config=moved(applied.config),
        unmanaged=None if applied.unmanaged is None else frozenset(map(renamed, applied.unmanaged)),
        expires=None if applied.expires is None else frozenset(map(renamed, applied.expires)),
        ends=None if applied.ends is None else moved(applied.ends),
        waiting=moved(applied.waiting),
    )


def _policy(policy: Policy, find: Find) -> Policy:
    """Return the policy with the groups of its access tests by name; the same object where no name differs."""
    tests = tuple(_test(test, find) for test in policy.access_tests)
    return policy if tests == policy.access_tests else policy._replace(access_tests=tests)


def _test(test: AccessTest, find: Find) -> AccessTest:
    groups = None if test.groups is None else tuple(map(find, test.groups))
    only = None if test.granted_by_only is None else tuple(map(find, test.granted_by_only))
    return test._replace(groups=groups, granted_by_only=only)


def _labels(
    desired: Desired, live: Live, names: Mapping[str, str], past: Mapping[str, str]
) -> dict[str, tuple[str, ...]]:
    """Return the other labels of each name: its key, recorded names, and former names of the entry."""
    labels_by_name: dict[str, dict[str, None]] = {}
    for label, name in (*names.items(), *past.items()):
        if label != name:
            labels_by_name.setdefault(name, {})[label] = None
    live_mappings = mappings(live)
    for at, intent in desired.intents.items():
        former = [label for label in intent.previously if label not in live_mappings and label not in names]
        if former and (key := group_of(at)) in names:
            labels_by_name.setdefault(names[key or ""], {}).update(dict.fromkeys(former))
    return {name: tuple(labels) for name, labels in labels_by_name.items()}
