"""The law of fields that were not read: a managed one is never reported as unchanged, whichever reader left it out."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import orgs
from hypothesis import given
from hypothesis import strategies as st

from rolecall.cli.planning import plan_exit
from rolecall.codec.api import Item, decode_item, encode_item
from rolecall.codec.snapshot import Snapshot, decode_snapshot, encode_snapshot
from rolecall.drift.compare import Memory, compare
from rolecall.errors import Exit
from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import BY_SECTION, KINDS, address, split_address, value_at, without
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Address, Settings, Value
from rolecall.plan.make import make
from rolecall.plan.saved.encode import decode_plan, encode_plan


def field_lists(settings: Settings) -> dict[Address, tuple[str, ...]]:
    """The written fields of each value that is compared field by field."""
    kinds = [kind for kind in KINDS if not kind.whole and getattr(settings, kind.section) is not UNSET]
    addresses = chain.from_iterable(
        (address(kind.section, key) for key in getattr(settings, kind.section))
        if kind.keyed
        else (address(kind.section),)
        for kind in kinds
    )
    return {at: tuple(f.name for f in BY_SECTION[split_address(at)[0]].fields if f.written) for at in addresses}


def put(settings: Settings, at: Address, value: Value) -> Settings:
    section, key = split_address(at)
    return replace(settings, **{section: value if key is None else {**getattr(settings, section), key: value}})


@st.composite
def incomplete(draw: st.DrawFn) -> tuple[Live, frozenset[tuple[Address, str]]]:
    """An org of which some fields were not read, and which."""
    live = draw(orgs.lives())
    removed = set()
    settings = live.settings
    for at, names in field_lists(settings).items():
        gone = draw(st.frozensets(st.sampled_from(names), max_size=2))
        settings = put(settings, at, without(value_at(settings, at), tuple(gone)))
        removed |= {(at, name) for name in gone}
    return replace(live, settings=settings), frozenset(removed)


def managed(desired: Desired, removed: frozenset[tuple[Address, str]]) -> set[tuple[Address, str]]:
    """Those of the removed fields that the config speaks about."""
    return {
        (at, name)
        for at, name in removed
        if desired.policy.managing(split_address(at)[0]) != "unmanaged"
        and (value := value_at(desired.settings, at)) is not None
        and getattr(value, name) is not UNSET
    }


@given(orgs.desireds(), incomplete())
def test_a_managed_field_that_was_not_read_is_unread_in_a_plan(desired, incompletely):
    live, removed = incompletely
    plan = make(orgs.question(desired, live))
    unread = {f"{at}.{name}" for at, name in managed(desired, removed)}
    assert set(plan.unread) - {"people"} == unread
    assert set(decode_plan(encode_plan(plan)).unread) == set(plan.unread)
    verdict = next(guard.verdict for guard in plan.guards if guard.name == "unread")
    assert verdict == "block" or not unread or not (plan.writes or plan.human)
    assert not unread or plan_exit(plan, observed=False, detailed=True) in (Exit.REFUSED, Exit.CHANGES, Exit.UNSEEN)
    for change in plan.changes:
        for at, name in removed:
            if change.address == at and change.action == "update":
                assert getattr(change.after, name) is UNSET


@given(orgs.desireds(), incomplete(), st.booleans())
def test_a_managed_field_that_was_not_read_is_not_in_sync(desired, incompletely, recorded):
    live, removed = incompletely
    memory = Memory(Applied(desired.settings), frozenset(field_lists(desired.settings)) if recorded else frozenset())
    kinds = {row.address: row.kind for row in compare(desired, live, memory, orgs.TODAY).entries}
    for at, _ in managed(desired, removed):
        assert kinds[at] not in ("in_sync", "converged")


@given(incomplete())
def test_a_snapshot_and_an_answer_leave_out_what_was_not_read(incompletely):
    live, _ = incompletely
    assert decode_snapshot(encode_snapshot(Snapshot(live))).live.settings == live.settings
    for at in field_lists(live.settings):
        section, key = split_address(at)
        item = Item(key, value_at(live.settings, at), "1")
        assert decode_item(section, encode_item(section, item)) == item
