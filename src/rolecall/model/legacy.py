"""People of an IdP while an org is being upgraded (R20): they are in the legacy groups too, which the IdP fed."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import replace

from rolecall.model.directory import Directory


def with_legacy_groups(directory: Directory, links: Mapping[str, frozenset[str]] | None) -> Directory:
    """The directory of a source that knows groups by name alone, with the legacy groups that share a name.

    While the endpoint is ``upgrading`` the org keys a legacy group as ``name [id]`` once the name has been pushed
    again (see ``Facts.legacy_links``). Its members are those of the IdP's group, as the IdP kept it up to date.
    """
    there = {name: number for number, name in enumerate(directory.groups)}
    twins = {
        there[name]: key
        for key in links or ()
        if key not in there and key.endswith("]") and (name := key.rpartition(" [")[0]) in there
    }
    if not twins:
        return directory
    numbers = {group: len(directory.groups) + at for at, group in enumerate(twins)}
    members, offsets = array("I"), array("I", [0])
    for person in range(len(directory)):
        held = directory.members[directory.offsets[person] : directory.offsets[person + 1]]
        members.extend(held)
        members.extend(numbers[group] for group in held if group in numbers)
        offsets.append(len(members))
    return replace(directory, groups=(*directory.groups, *twins.values()), members=members, offsets=offsets)
