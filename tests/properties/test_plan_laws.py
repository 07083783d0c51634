"""The planner's laws, on random orgs and configs."""

from __future__ import annotations

from dataclasses import replace

import orgs
from hypothesis import given
from hypothesis import strategies as st

from rolecall.model.desired import Applied
from rolecall.model.kinds import KINDS, address, split_address, value_at
from rolecall.model.live import UNREAD, Live
from rolecall.model.policy import Ignore
from rolecall.model.settings import BLANK, UNSET
from rolecall.plan.make import make
from rolecall.plan.resolve import expired
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan


@given(orgs.desireds(), orgs.lives())
def test_applying_a_plan_reaches_desired_and_the_second_plan_is_empty(desired, live):
    first = make(orgs.question(desired, live))
    after = orgs.carry_out(live, first.writes)
    second = make(orgs.question(desired, after))
    assert second.writes == ()
    assert {change.address for change in second.changes} == {c.address for c in (*first.human, *first.waiting)}
    for at in _spoken_for(desired, live):
        if at in {change.address for change in first.human}:
            continue
        section = split_address(at)[0]
        wanted, held = value_at(desired.settings, at), value_at(after.settings, at)
        if section == "idp_groups":
            assert held == (BLANK if expired(desired.intent(at), orgs.TODAY) else wanted)
        else:
            assert all(
                getattr(wanted, name) in (UNSET, getattr(held, name))
                for name in wanted.__slots__
                if name not in ("endpoint", "role_attribute")
            )


@given(orgs.desireds(), orgs.lives())
def test_nothing_unmanaged_is_ever_changed(desired, live):
    plan = make(orgs.question(desired, live))
    after = orgs.carry_out(live, plan.writes).settings
    for kind in KINDS:
        wanted = getattr(desired.settings, kind.section)
        if wanted is UNSET:
            assert getattr(after, kind.section) == getattr(live.settings, kind.section)
        elif not kind.keyed:
            held, was = getattr(after, kind.section), getattr(live.settings, kind.section)
            for field in kind.fields:
                if getattr(wanted, field.name) is UNSET:
                    assert getattr(held, field.name) == getattr(was, field.name)
        elif desired.policy.managing(kind.section) == "additive":
            former = {name for intent in desired.intents.values() for name in intent.previously}
            for key, was in getattr(live.settings, kind.section).items():
                if key not in wanted and key not in former:
                    assert getattr(after, kind.section)[key] == was


@given(orgs.desireds(), orgs.lives(), st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter(desired, live, random):
    def shuffled(entries):
        items = list(entries.items())
        random.shuffle(items)
        return dict(items)

    def turned(settings):
        keyed = {kind.section: getattr(settings, kind.section) for kind in KINDS if kind.keyed}
        return replace(settings, **{s: held if held is UNSET else shuffled(held) for s, held in keyed.items()})

    one = make(orgs.question(desired, live))
    other = make(
        orgs.question(
            desired._replace(settings=turned(desired.settings), intents=shuffled(desired.intents)),
            replace(live, settings=turned(live.settings)),
        )
    )
    assert one.changes == other.changes
    assert one.unmanaged == other.unmanaged
    assert digest(one) == digest(other)


@given(orgs.desireds(), orgs.lives(), st.sampled_from([kind.section for kind in KINDS]))
def test_a_section_that_was_not_read_plans_no_write_and_is_named(desired, live, section):
    unread = replace(
        live, settings=replace(live.settings, **{section: UNSET}), coverage={**live.coverage, section: UNREAD}
    )
    plan = make(orgs.question(desired, unread))
    assert all(split_address(change.address)[0] != section for change in plan.changes)
    if getattr(desired.settings, section) is not UNSET:
        assert section in plan.unread


@given(orgs.desireds(), orgs.lives())
def test_ignored_addresses_never_appear(desired, live):
    ignoring = desired._replace(
        policy=desired.policy._replace(ignore=(Ignore("idp_groups/*", "elsewhere"), Ignore("sso", "later")))
    )
    plan = make(orgs.question(ignoring, live))
    named = [*(c.address for c in plan.changes), *(row.address for row in plan.unmanaged)]
    assert not [at for at in named if at == "sso" or at.startswith("idp_groups/")]


@given(orgs.desireds(), orgs.lives())
def test_a_plan_survives_its_json(desired, live):
    plan = make(orgs.question(desired, live))
    again = decode_plan(encode_plan(plan))
    assert encode_plan(again) == encode_plan(plan)
    assert digest(again) == digest(plan)
    assert again.changes == plan.changes


@given(orgs.desireds(), orgs.lives(), orgs.desireds(), orgs.lives())
def test_two_orgs_in_one_process_do_not_mix(desired, live, other_desired, other_live):
    alone = make(orgs.question(desired, live))
    make(orgs.question(other_desired, other_live))
    assert make(orgs.question(desired, live)) == alone


@given(orgs.lives())
def test_absent_and_empty_differ(live: Live):
    absent = orgs.Desired(orgs.Settings(), {}, orgs.Policy(manage={"idp_groups": "authoritative"}))
    empty = absent._replace(settings=orgs.Settings(idp_groups={}))
    assert make(orgs.question(absent, live)).changes == ()
    mapped = [key for key, mapping in live.settings.idp_groups.items() if mapping != BLANK]
    assert sorted(c.address for c in make(orgs.question(empty, live)).changes) == sorted(
        f"idp_groups/{key}" for key in mapped
    )


def _spoken_for(desired, live):
    for kind in KINDS:
        held = getattr(desired.settings, kind.section)
        if held is UNSET:
            continue
        if not kind.keyed:
            yield kind.section
        else:
            there = getattr(live.settings, kind.section)
            yield from (f"{kind.section}/{key}" for key in held if key in there or kind.section == "domains")


@given(orgs.desireds(), orgs.desireds(), orgs.lives())
def test_whatever_was_applied_stays_managed_is_removed_or_is_named_as_no_longer_managed(before, after, live):
    """For each field of each applied address that the org still has, exactly one holds: the config names it, the plan
    removes it, or it is listed as no longer managed."""
    held = orgs.carry_out(live, make(orgs.question(before, live)).writes)
    applied = Applied(before.settings, group_ids={key: group.id for key, group in live.facts.groups.items()})
    plan = make(orgs.question(after, held, applied=applied))
    named = {row.address: row.fields for row in plan.released}
    removed = {change.address for change in plan.changes if change.action == "delete"}
    listed = {change.address for change in plan.changes}
    for kind in KINDS:
        asked = getattr(after.settings, kind.section) is not UNSET
        for at in _addresses(applied.settings, kind):
            value, wanted = value_at(held.settings, at), value_at(after.settings, at) if asked else None
            if value in (None, BLANK):
                assert at not in named
            elif wanted is None or kind.whole:
                renamed = any(at.partition("/")[2] in intent.previously for intent in after.intents.values())
                assert (wanted is not None) + (at in removed) + (at in named) == 1 or (renamed and at in listed)
            else:
                said = {field.name for field in kind.fields if field.written}
                dropped = [n for n in _said(value_at(applied.settings, at), said) if n not in _said(wanted, said)]
                assert list(named.get(at, ())) == dropped


def _addresses(settings, kind):
    held = getattr(settings, kind.section)
    keys = () if held is UNSET else held if kind.keyed else (None,)
    return [address(kind.section, key) for key in keys]


def _said(value, names):
    return [name for name in value.__slots__ if name in names and getattr(value, name) is not UNSET]
