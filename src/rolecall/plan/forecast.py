"""Forecast the org after some of the steps of a plan: its settings, its access, and the users the changes can touch."""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from rolecall.access.candidates import DEFAULTS, SCIM, candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.entitlements import Entitlements
from rolecall.access.evaluate import memberships
from rolecall.access.moves import facts_after
from rolecall.access.rules import Rules, compile_access, endpoint_of, scim_on
from rolecall.model.change import Change
from rolecall.model.directory import Directory, PeopleScope, Traits
from rolecall.model.kinds import BY_SECTION, address, overlay, split_address, value_at
from rolecall.model.live import Facts, Live
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Settings, Value
from rolecall.plan.coverage import counted_words, incomplete_sentence, people_coverage
from rolecall.plan.headline import MORE_USERS, enumerate_words
from rolecall.plan.idp_users import IdpEffect, PlacedUsers, idp_effect, place_users, replaces_members
from rolecall.plan.value import MembershipChange
from rolecall.plan.what_if import regroup


class State(NamedTuple):
    """The settings and facts at one moment."""

    settings: Settings
    facts: Facts


def follow(state: State, changes: Iterable[Change]) -> State:
    """Return the state after the changes are made, one after another. Pending changes are not made."""
    effective = (change for change in changes if change.via != "waiting")
    for section, run in groupby(effective, key=lambda change: split_address(change.address)[0]):
        if section == "idp_groups":
            settings = with_mappings(state.settings, run)
            state = State(settings, facts_after(state.facts, state.settings, settings))
        else:
            for change in run:
                state = _step(state, change)
    return state


def finish(state: State, changes: Iterable[Change]) -> State:
    """Return the state after everything that these changes lead to: pending changes too, and the complete upgrade."""
    listed = [change._replace(via="api") for change in changes]
    mappings = [change for change in listed if change.address.startswith("idp_groups/")]
    before = follow(state, (change for change in listed if not change.address.startswith("idp_groups/")))
    settings, scim = before.settings, before.settings.scim
    if scim is not UNSET and any(change.action == "upgrade" for change in listed):
        settings = replace(settings, scim=replace(scim, endpoint="new"))
    if endpoint_of(settings) == "new":
        settings = with_mappings(settings, mappings)
    return State(settings, facts_after(before.facts, before.settings, settings))


def with_mappings(settings: Settings, changes: Iterable[Change]) -> Settings:
    """Return the settings with the mappings of these changes."""
    groups = {} if settings.idp_groups is UNSET else dict(settings.idp_groups)
    for change in changes:
        groups[split_address(change.address)[1] or ""] = cast(GroupMapping, change.after or BLANK)
    return replace(settings, idp_groups=groups)


def _step(state: State, change: Change) -> State:
    settings = _written(state.settings, change)
    if change.action == "upgrade" and endpoint_of(state.settings) == "legacy":
        settings = replace(settings, idp_groups={})
    return State(settings, facts_after(state.facts, state.settings, settings))


def _written(settings: Settings, change: Change) -> Settings:
    section, key = split_address(change.address)
    value: Any = _over(value_at(settings, change.address), change.after)
    if key is None:
        return replace(settings, **{section: value})
    present = getattr(settings, section)
    entries: dict[Any, Any] = {} if present is UNSET else dict(present)
    entries.pop(key, None)
    put: dict[str, Any] = {section: {**entries, key: value} if value is not None else entries}
    return replace(settings, **put)


def _over(before: Value | None, after: Value | None) -> Value | None:
    return after if before is None or after is None else overlay(before, after)


class AccessForecast(NamedTuple):
    """The rules before and after a plan's changes, over the same entitlements.

    ``first`` and ``last`` are the states they were compiled from. ``touched`` has, for each address that changes,
    the users it may affect, ascending; it is empty without a directory. ``scope`` has the users that need to be read;
    ``asked`` is the directory as it was read, even if nothing could be; ``problem`` says why users
    are unknown, None where they were read. ``written`` are the changes between the states, in the order in
    which they take effect. ``effect`` is what the changes in the IdP do to users, ``placed`` the users before and after
    them; ``directory`` has those before. ``replaced`` is set if users are unknown only because a push
    replaces the members of groups. ``supposed`` are the memberships that only this forecast changes; ``placed`` has
    their users too.
    """

    first: State
    last: State
    before: Rules
    after: Rules
    directory: Directory | None
    scope: PeopleScope
    touched: Mapping[Address, array[int]] = MappingProxyType({})
    problem: str | None = None
    written: tuple[Change, ...] = ()
    asked: Directory | None = None
    effect: IdpEffect | None = None
    placed: PlacedUsers | None = None
    replaced: str | None = None
    supposed: tuple[MembershipChange, ...] = ()

    @property
    def later(self) -> Mapping[int, Traits]:
        """Return the traits after the plan of the users who are moved by changes in the IdP."""
        return {} if self.placed is None else self.placed.later

    @property
    def groups_after(self) -> Mapping[int, array[int]]:
        """Return the groups after the plan of the users who are supposed to join or leave some."""
        return {} if self.placed is None else self.placed.groups_after

    @property
    def directory_after(self) -> Directory | None:
        """Return the users after the plan."""
        return self.directory if self.placed is None else self.placed.after

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the settings that decide which access changes and were not read; none where no access can change."""
        return tuple(sorted(self.before.missing | self.after.missing)) if self.moves else ()

    @property
    def still(self) -> bool:
        """Return whether nothing changes."""
        return self.last is self.first

    @property
    def moves(self) -> bool:
        """Return whether any access can change."""
        in_idp = self.effect is not None and self.effect.moves
        scope = self.scope._replace(org_admins=False, emails=frozenset())
        return in_idp or bool(self.supposed) or scope != PeopleScope()

    @property
    def decisive(self) -> Container[str]:
        """Return the groups whose members the plan needs: those whose mapping changes, or all of them. A user who is
        supposed to join a group may be in any other mapped one."""
        scope = self.scope
        whole = scope.everybody or scope.unmapped or scope.manual or scope.attribute_admins
        if self.supposed and not whole:
            return scope.groups | self.before.scim.groups.keys() | {change.group for change in self.supposed}
        return self.first.facts.groups if whole else scope.groups

    def members(self, directory: Directory | None) -> Mapping[Address, int]:
        """Return the members that the org counts in groups whose mapping changes and whose users were not read."""
        state = people_coverage(directory).state
        groups = self.first.facts.groups
        read = directory.gaps.missing if directory is not None and state == "complete" else groups
        keys = ((change.address, split_address(change.address)) for change in self.written)
        named = ((at, groups.get(key or "")) for at, (section, key) in keys if section == "idp_groups" and key in read)
        return {at: group.members for at, group in named if group is not None and group.members is not None}

    def rules(self, state: State, mapped: State) -> Rules:
        """Return the rules of a state with the mappings of another."""
        groups = mapped.settings.idp_groups
        settings = state.settings if groups is UNSET else replace(state.settings, idp_groups=groups)
        for end, known in ((self.first, self.before), (self.last, self.after)):
            if (settings, state.facts) == end:
                return known
        return compile_access(settings, state.facts, entitlements=self.before.entitlements)

    def with_people(self, directory: Directory | None) -> AccessForecast:
        """Return the forecast for these users. A directory of which nothing was read counts as none."""
        read = None if directory is None or directory.coverage.state == "unread" else directory
        placed = None if read is None or self.effect is None else place_users(self.effect, read)
        if read is not None and self.supposed:
            placed = regroup(placed or PlacedUsers(read), self.supposed, self.last.facts)
        ends = (self.first.settings, self.last.settings)
        replaced = None if read is None else replaced_members(self.effect, ends, read)
        read = read if placed is None else placed.directory
        touched = {} if read is None else _touched(self, read)
        if placed is not None:
            touched = _reached_by_idp(self, touched, placed)
        forecast = self._replace(directory=read, asked=directory, touched=touched, placed=placed)
        problem = _problem(forecast, directory) if forecast.moves else None
        if problem or not replaced:
            return forecast._replace(problem=problem, replaced=None)
        unknown = f"Who gains or loses access is unknown: {replaced}."
        return forecast._replace(problem=unknown, replaced=replaced)


def forecast_access(
    live: Live,
    directory: Directory | None,
    changes: Iterable[Change],
    supposed: tuple[MembershipChange, ...] = (),
) -> AccessForecast:
    """Compile the rules before and after the changes. Pending changes are not made; manual steps are. ``supposed`` are
    changes of memberships that come with them."""
    written = sorted(
        (change for change in changes if change.via != "waiting"),
        key=lambda change: BY_SECTION[split_address(change.address)[0]].effect_rank,
    )
    first = State(live.settings, live.facts)
    last = follow(first, written)
    entitlements = Entitlements()
    before = compile_access(first.settings, first.facts, entitlements=entitlements)
    after = compile_access(last.settings, last.facts, entitlements=entitlements)
    needed, effect = needed_scope(before, after), idp_effect(live, written)
    forecast = AccessForecast(
        first, last, before, after, None, needed, written=tuple(written), effect=effect, supposed=supposed
    )
    return forecast.with_people(directory)


def _reached_by_idp(
    forecast: AccessForecast, touched: Mapping[Address, array[int]], placed: PlacedUsers
) -> dict[Address, array[int]]:
    """Return the affected users with those who are moved by changes in the IdP or supposed memberships, also by what
    changes for them then."""
    afterwards = _touched(forecast, placed.after) if placed.later or placed.groups_after else {}
    union = {
        at: array("I", sorted({*touched.get(at, ()), *afterwards.get(at, ())}))
        for at in touched.keys() | afterwards.keys()
    }
    return {**union, **placed.by, **placed.joined}


def _touched(forecast: AccessForecast, directory: Directory) -> Mapping[Address, array[int]]:
    changed = {change.address for change in forecast.written}
    reached = candidates(forecast.before, forecast.after, directory)
    own = {at: numbers for at, numbers in reached.items() if at in changed}
    return _reached_twice(own, forecast.written, forecast.first, forecast.last, directory)


def _reached_twice(
    touched: dict[Address, array[int]], written: Sequence[Change], first: State, last: State, directory: Directory
) -> dict[Address, array[int]]:
    """Return the affected users, with those that a mapping and a step for all users affect together, although both ends
    may give the same.

    A mapping without a role gives another thing as the default's role moves (R31); and where SCIM goes on or off, or
    the endpoint is upgraded, temporary access differs from that before and after.
    """
    regime = regime_moves(first, last)
    if not regime and not _role_moves(first, last):
        return touched
    ends = (first.settings, last.settings)
    mappings = [c.address for c in written if c.address.startswith("idp_groups/")]
    keys = {
        split_address(at)[1]
        for at in mappings
        if regime or any(_without_role(value_at(settings, at)) for settings in ends)
    }
    members: dict[str, array[int]] = {}
    for number, group in memberships(directory, {n for n, name in enumerate(directory.groups) if name in keys}):
        members.setdefault(directory.groups[group], array("I")).append(number)
    own = {address("idp_groups", name): numbers for name, numbers in members.items()}
    reached = {**touched, **own}
    if any(change.address == DEFAULTS for change in written):
        everybody = touched.get(SCIM, ()) if regime else ()
        by_default = set(touched.get(DEFAULTS, ())).union(everybody, *own.values())
        reached[DEFAULTS] = array("I", sorted(by_default))
    return reached


def regime_moves(first: State, last: State) -> bool:
    """Return whether SCIM is turned on or off, or the endpoint is upgraded (R20, R33)."""
    old, new = first.settings, last.settings
    return scim_on(old) != scim_on(new) or endpoint_of(old) != endpoint_of(new)


def _role_moves(first: State, last: State) -> bool:
    was, will = first.settings.defaults, last.settings.defaults
    return was is not UNSET and will is not UNSET and was.role != will.role


def _without_role(value: Value | None) -> bool:
    return isinstance(value, GroupMapping) and value.role is None and bool(value.teams)


def replaced_members(effect: IdpEffect | None, ends: Iterable[Settings], directory: Directory) -> str | None:
    """Return why it is unknown who is in mapped groups that the IdP pushes from now on, as a clause; None if their
    members stay the same. ``ends`` are the settings before and after.
    """
    arriving = {} if effect is None else effect.arriving
    if not arriving:
        return None
    sections = [settings.idp_groups for settings in ends]
    mapped = {name for groups in sections if groups is not UNSET for name, value in groups.items() if value != BLANK}
    replaced = [name for name in sorted(mapped & arriving.keys()) if replaces_members(arriving[name], directory, name)]
    return f"WRITER has {enumerate_words(replaced)} with other members, and a push replaces them" if replaced else None


def _problem(forecast: AccessForecast, directory: Directory | None) -> str | None:
    if forecast.missing:
        return f"Who gains or loses access is unknown: {', '.join(forecast.missing)} could not be read."
    if forecast.effect is not None and forecast.effect.problem:
        return f"Who gains or loses access is unknown: {forecast.effect.problem}."
    facts = forecast.first.facts
    coverage = people_coverage(directory, forecast.decisive, observed=facts.observed)
    text = incomplete_sentence(coverage)
    if text is None:
        return None
    if coverage.state == "partial":
        return f"{text} {MORE_USERS}"
    members = forecast.members(directory)
    counted = f" {counted_words(members, facts.observed)}" if members else ""
    return f"{text} Who gains or loses access is unknown.{counted}"
