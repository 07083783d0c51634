"""List unmanaged mappings and settings no longer managed, each with its users."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from rolecall.access.evaluate import memberships, peopled
from rolecall.model.directory import Directory
from rolecall.model.kinds import address, split_address, value_at
from rolecall.model.settings import BLANK, Address, GroupMapping
from rolecall.plan.diff.changes import Difference
from rolecall.plan.inputs import PlanInput
from rolecall.plan.resolve import covers
from rolecall.plan.value import Released, Unmanaged


def unmanaged(plan_input: PlanInput, difference: Difference, skip: Collection[str] = ()) -> tuple[Unmanaged, ...]:
    """Return the live mappings that the config does not manage, without those that match ``skip``.

    Members are counted as the org reports them where not all users were read.
    """
    listed = tuple(at for at in difference.unmanaged if not covers(skip, at)) if skip else difference.unmanaged
    known, known_unmanaged = _members(plan_input, listed), plan_input.applied.unmanaged
    let_go = {release.live: release.last for release in difference.released}
    mappings = []
    for at in listed:
        mapping = value_at(plan_input.live.settings, at)
        if isinstance(mapping, GroupMapping):
            applied = let_go.get(at, BLANK) != BLANK
            new = known_unmanaged is not None and at not in known_unmanaged and not applied
            teams, group = tuple(sorted(mapping.teams)), plan_input.known.id_at(at)
            mappings.append(Unmanaged(at, mapping.role, teams, known.get(at), new, applied, group))
    return tuple(mappings)


def released(plan_input: PlanInput, difference: Difference, skip: Collection[str] = ()) -> tuple[Released, ...]:
    """Return what was applied once and is no longer managed, with its users, without what matches ``skip``."""
    releases = (
        difference.released
        if not skip
        else [release for release in difference.released if not covers(skip, release.live)]
    )
    directory = plan_input.directory
    whole = directory is not None and directory.coverage.state == "complete" and not directory.gaps.missing
    known = _members(plan_input, [release.live for release in releases], read=whole)
    return tuple(
        Released(
            release.live,
            known.get(release.live),
            release.fields,
            release.value,
            plan_input.known.id_at(release.live),
            plan_input.desired.policy.managing(split_address(release.live)[0]) == "unmanaged",
        )
        for release in releases
    )


def _members(plan_input: PlanInput, addresses: Sequence[Address], read: bool | None = None) -> Mapping[Address, int]:
    """Return the number of active users of each group: counted where they were read, else as the org reports it."""
    directory = plan_input.directory
    if directory is not None and (plan_input.everybody if read is None else read):
        return _counted(directory, addresses)
    groups = plan_input.live.facts.groups
    named = ((at, groups.get(split_address(at)[1] or "")) for at in addresses)
    counts = {at: group.members for at, group in named if group is not None}
    return {at: count for at, count in counts.items() if count is not None}


def vacant(plan_input: PlanInput, names: Iterable[str]) -> frozenset[str]:
    """Return those of these groups that have no active user, as far as is known."""
    directory, groups = plan_input.directory, plan_input.live.facts.groups
    names = tuple(names)
    if directory is None or not plan_input.everybody or not len(directory):
        return frozenset(name for name in names if name in groups and groups[name].members == 0)
    return frozenset(groups.keys() & set(names)) - peopled(directory)


def _counted(directory: Directory, addresses: Sequence[Address]) -> Mapping[Address, int]:
    counts = dict.fromkeys((at for at in addresses if at.startswith("idp_groups/")), 0)
    numbers = {n for n, name in enumerate(directory.groups) if address("idp_groups", name) in counts}
    for number, group in memberships(directory, numbers) if numbers else ():
        if directory.traits(number).present:
            counts[address("idp_groups", directory.groups[group])] += 1
    return counts
