"""Laws of groups in the IdP: a group is its ID, and a plan leads to what the configuration asks for, nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orgs
from hypothesis import given
from hypothesis import strategies as st

from rolecall.model.desired import Applied, Desired
from rolecall.model.kinds import BY_SECTION, IDP_KINDS, IDP_SECTIONS, split_address, value_at
from rolecall.model.live import UNREAD, IdpSide, Live
from rolecall.model.policy import Policy
from rolecall.model.settings import UNSET, Settings
from rolecall.plan.diff.idp_labels import idp_labels
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.encode import decode_plan, encode_plan
from rolecall.plan.value import Plan

IDS = st.sampled_from(["00g1", "00g2", "00g3", "00g4"])
NAMES = st.sampled_from(["Everyone", "Legal", "R&D", "a/b [x]"])
SIDE = IdpSide("Okta", "Okta, acme.okta.com, app 0oa1", can=frozenset())


def listed(groups: dict[str, str], section: str) -> dict[str, Any]:
    """Return groups, name by ID, as a section has them: by name, or ``name [id]`` where several have the name."""
    kind = BY_SECTION[section].type
    names = list(groups.values())
    return {name if names.count(name) == 1 else f"{name} [{known}]": kind(known) for known, name in groups.items()}


@st.composite
def sides(draw: st.DrawFn) -> dict[str, Any]:
    """Return one side: some groups in each section of the IdP, or none of it."""
    named = draw(st.dictionaries(IDS, NAMES))
    some = st.one_of(st.just(UNSET), st.sets(IDS).map(lambda ids: {i: n for i, n in named.items() if i in ids}))
    return {name: part if (part := draw(some)) is UNSET else listed(part, name) for name in IDP_SECTIONS}


@st.composite
def lives(draw: st.DrawFn) -> Live:
    live = draw(orgs.lives())
    groups = {name: {} if part is UNSET else part for name, part in draw(sides()).items()}
    return replace(live, settings=replace(live.settings, **groups), facts=live.facts._replace(idp=SIDE))


@st.composite
def desireds(draw: st.DrawFn) -> Desired:
    manage = draw(st.dictionaries(st.sampled_from(IDP_SECTIONS), st.sampled_from(["additive", "authoritative"])))
    desired = draw(orgs.desireds())
    policy = Policy(manage={**desired.policy.manage, **manage})
    return desired._replace(settings=replace(desired.settings, **draw(sides())), policy=policy)


def ids(settings: Settings, section: str) -> set[str]:
    entries = getattr(settings, section)
    return set() if entries is UNSET else {value.id for value in entries.values()}


def after(live: Live, plan: Plan) -> Live:
    """Return the IdP's side after an admin has made every change of it."""
    settings = live.settings
    for change in plan.changes:
        section, key = split_address(change.address)
        if section in IDP_SECTIONS:
            entries = dict(getattr(settings, section))
            assert value_at(settings, change.address) == change.before
            entries.pop(key, None)
            entries |= {} if change.after is None else {key: change.after}
            settings = replace(settings, **{section: entries})
    return replace(live, settings=settings)


@given(desireds(), lives())
def test_the_changes_lead_to_the_configured_groups_and_touch_no_others(desired: Desired, live: Live) -> None:
    done = after(live, make(orgs.question(desired, live)))
    for kind in IDP_KINDS:
        wanted, was, now = (ids(side.settings, kind.section) for side in (desired, live, done))
        if getattr(desired.settings, kind.section) is UNSET:
            assert now == was
        elif desired.policy.managing(kind.section) == "authoritative":
            assert now == wanted
        else:
            assert now == was | wanted
    again = make(orgs.question(desired, done))
    assert not [change.address for change in again.changes if split_address(change.address)[0] in IDP_SECTIONS]


@given(desireds(), lives(), st.sampled_from(IDP_SECTIONS))
def test_a_section_that_was_not_read_has_no_changes_and_is_named(desired: Desired, live: Live, section: str) -> None:
    unread = replace(
        live, settings=replace(live.settings, **{section: UNSET}), coverage={**live.coverage, section: UNREAD}
    )
    plan = make(orgs.question(desired, unread))
    assert all(split_address(change.address)[0] != section for change in plan.changes)
    assert (section in plan.unread) == (getattr(desired.settings, section) is not UNSET)


@given(desireds(), lives())
def test_the_rest_of_a_plan_does_not_depend_on_the_idp(desired: Desired, live: Live) -> None:
    """The digest of a configuration without these keys is what it was before rolecall knew them."""
    none: dict[str, Any] = dict.fromkeys(IDP_SECTIONS, UNSET)
    manage = {name: how for name, how in desired.policy.manage.items() if name not in IDP_SECTIONS}
    plain = Desired(replace(desired.settings, **none), desired.intents, Policy(manage=manage))
    without = replace(live, settings=replace(live.settings, **none), facts=live.facts._replace(idp=None))
    first, second = make(orgs.question(plain, without)), make(orgs.question(desired, live))
    assert "idp_side" not in encode_plan(first)
    assert not [name for name in IDP_SECTIONS if name in str(encode_plan(first))]
    of_org = [change for change in second.changes if split_address(change.address)[0] not in IDP_SECTIONS]
    assert {change.address for change in of_org} == {change.address for change in first.changes}
    assert digest(decode_plan(encode_plan(second))) == digest(second)


@given(sides(), lives(), sides())
def test_a_group_has_one_address_whatever_it_was_called(written: Any, live: Live, recorded: Any) -> None:
    """Two entries have one key if and only if they have one ID, and no group is lost."""
    labels = idp_labels(Desired(Settings(**written)), live, Applied(Settings(**recorded)))
    for section in IDP_SECTIONS:
        keys: dict[str, str] = {}
        for side, was in (
            (labels.desired.settings, written),
            (live.settings, None),
            (labels.applied.settings, recorded),
        ):
            entries = getattr(side, section)
            for key, value in ({} if entries is UNSET else entries).items():
                assert keys.setdefault(value.id, key) == key
            if was is not None and was[section] is not UNSET:
                assert ids(side, section) == {value.id for value in was[section].values()}
        assert len(set(keys.values())) == len(keys)
