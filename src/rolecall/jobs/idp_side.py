"""Read the IdP's side of a plan: the groups that are assigned and pushed, and the members of those that change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rolecall.desired.idp_groups import idp_entries
from rolecall.live.port import IdpSideReader
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.kinds import IDP_SECTIONS
from rolecall.model.live import Coverage, IdpQuestion, Live
from rolecall.model.settings import UNSET, IdpAssignment, IdpPush
from rolecall.plan.inputs import PlanInput


async def with_idp_side(idp: IdpSideReader | None, desired: Desired, live: Live) -> Live:
    """Return the read with the sections of the IdP that the configuration manages; nothing is requested for others."""
    sections = [name for name in IDP_SECTIONS if _manages(desired, name)]
    if not sections:
        return live
    if idp is None:
        unread = Coverage("unread", problem="there is no connection to the IdP here")
        return replace(live, coverage={**live.coverage, **dict.fromkeys(sections, unread)})
    entries = list(idp_entries(desired))
    side = await idp.read_side(
        IdpQuestion(
            {name: frozenset(e.name for e in entries if e.section == name and e.id is None) for name in sections},
            {name: frozenset(e.id for e in entries if e.section == name and e.id) for name in sections},
        )
    )
    return replace(
        live,
        settings=replace(live.settings, **{name: getattr(side.settings, name) for name in sections}),
        coverage={**live.coverage, **side.coverage},
        facts=replace(live.facts, idp=side.facts.idp),
        requests=live.requests + side.requests,
    )


def _manages(desired: Desired, section: str) -> bool:
    return getattr(desired.settings, section) is not UNSET and desired.policy.managing(section) != "unmanaged"


async def with_members(idp: IdpSideReader | None, plan_input: PlanInput, changes: Iterable[Change]) -> PlanInput:
    """Return the input with the members of the groups whose assignment or push changes."""
    side = plan_input.live.facts.idp
    values = (change.after or change.before for change in changes)
    ids = {str(value.id) for value in values if isinstance(value, IdpAssignment | IdpPush) and value.id is not UNSET}
    if idp is None or side is None or not ids:
        return plan_input
    members = await idp.read_members(ids)
    groups = {
        known: group._replace(members=listed)
        for known, group in side.groups.items()
        if group is not None and isinstance(listed := members.get(known), frozenset)
    }
    facts = replace(plan_input.live.facts, idp=side._replace(groups={**side.groups, **groups}))
    return replace(plan_input, live=replace(plan_input.live, facts=facts))
