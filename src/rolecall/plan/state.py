"""The org after some of a plan's steps: settings, and the facts that some steps move."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from typing import Any, NamedTuple, cast

from rolecall.access.moves import facts_after
from rolecall.access.rules import endpoint_of
from rolecall.model.change import Change
from rolecall.model.comparison import overlay
from rolecall.model.kinds import split_address, value_at
from rolecall.model.live import Facts
from rolecall.model.settings import BLANK, UNSET, GroupMapping, Settings, Value


class State(NamedTuple):
    """What holds at one moment."""

    settings: Settings
    facts: Facts


def follow(state: State, changes: Iterable[Change]) -> State:
    """The state once the changes have been made, one after the other. Changes that wait are not made."""
    made = (change for change in changes if change.via != "waiting")
    for section, run in groupby(made, key=lambda change: split_address(change.address)[0]):
        if section == "idp_groups":
            settings = with_mappings(state.settings, run)
            state = State(settings, facts_after(state.facts, state.settings, settings))
        else:
            for change in run:
                state = _step(state, change)
    return state


def finish(state: State, changes: Iterable[Change]) -> State:
    """The state once all is done that these changes are on the way to: also what waits, and the whole upgrade."""
    listed = [replace(change, via="api") for change in changes]
    mappings = [change for change in listed if change.address.startswith("idp_groups/")]
    before = follow(state, (change for change in listed if not change.address.startswith("idp_groups/")))
    settings, scim = before.settings, before.settings.scim
    if scim is not UNSET and any(change.action == "upgrade" for change in listed):
        settings = replace(settings, scim=replace(scim, endpoint="new"))
    if endpoint_of(settings) == "new":
        settings = with_mappings(settings, mappings)
    return State(settings, facts_after(before.facts, before.settings, settings))


def with_mappings(settings: Settings, changes: Iterable[Change]) -> Settings:
    """The settings with these mappings in place of their own."""
    held = {} if settings.idp_groups is UNSET else dict(settings.idp_groups)
    for change in changes:
        held[split_address(change.address)[1] or ""] = cast(GroupMapping, change.after or BLANK)
    return replace(settings, idp_groups=held)


def _step(state: State, change: Change) -> State:
    settings = _written(state.settings, change)
    if change.action == "upgrade" and endpoint_of(state.settings) == "legacy":
        settings = replace(settings, idp_groups={})
    return State(settings, facts_after(state.facts, state.settings, settings))


def _written(settings: Settings, change: Change) -> Settings:
    section, key = split_address(change.address)
    said: Any = _over(value_at(settings, change.address), change.after)
    if key is None:
        return replace(settings, **{section: said})
    domains = {} if settings.domains is UNSET else dict(settings.domains)
    domains.pop(key, None)
    return replace(settings, domains={**domains, key: said} if said is not None else domains)


def _over(held: Value | None, after: Value | None) -> Value | None:
    return after if held is None or after is None else overlay(held, after)
