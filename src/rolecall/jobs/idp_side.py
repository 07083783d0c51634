"""Read the IdP's side of a plan: the groups that are assigned and pushed, and the members of those that change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rolecall.desired.build import Config
from rolecall.desired.idp_groups import idp_entries
from rolecall.errors import Problem, RolecallError
from rolecall.live.port import NO_IDP, IdpSideReader, IdpTracer, People
from rolecall.model.change import Change
from rolecall.model.checkup import Check
from rolecall.model.desired import Desired
from rolecall.model.idp_app import WRITER_HOST
from rolecall.model.kinds import IDP_SECTIONS
from rolecall.model.live import AppUsers, Coverage, IdpGroup, IdpQuestion, IdpSide, Live
from rolecall.model.settings import UNSET, IdpAssignment, IdpPush, Unset
from rolecall.plan.inputs import PlanInput


async def with_idp_side(idp: IdpSideReader | None, desired: Desired, live: Live) -> Live:
    """Return the read with the sections of the IdP that the configuration manages; nothing is requested for others."""
    sections = [name for name in IDP_SECTIONS if _manages(desired, name)]
    if not sections:
        return live
    if idp is None:
        return live.with_unread(sections, NO_IDP)
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
        facts=live.facts._replace(idp=side.facts.idp),
        versions={**live.versions, **side.versions},
        requests=live.requests + side.requests,
    )


def _manages(desired: Desired, section: str) -> bool:
    return getattr(desired.settings, section) is not UNSET and desired.policy.managing(section) != "unmanaged"


async def with_members(idp: IdpSideReader | None, plan_input: PlanInput, changes: Iterable[Change]) -> PlanInput:
    """Return the input with the users who are affected by changes of assignments and pushes.

    These are the members of the groups that change; where users get the app, those of pushed groups, and where they
    lose it, those of the other assigned groups and the users who are assigned directly. The users of the app are
    always read: the address of a member may be another one there. So are the names that these pushed groups have in
    the org, which may be linked to groups of other names.
    """
    side = plan_input.live.facts.idp
    values = [(change, change.after or change.before) for change in changes]
    in_idp = [(change, value) for change, value in values if isinstance(value, IdpAssignment | IdpPush)]
    groups = [(change, value) for change, value in in_idp if value.id is not UNSET]
    if idp is None or side is None or not groups:
        return plan_input
    ids = {str(value.id) for _, value in groups}
    assigned = [change for change, value in groups if isinstance(value, IdpAssignment)]
    if any(change.after is not None for change, _ in groups):
        side = await _with_all(idp, side, plan_input.live)
    if any(change.after is not None for change in assigned):
        ids |= side.pushed or frozenset()
    if any(change.after is None for change in assigned):
        ids |= _ids(plan_input.live.settings.idp_assignments)
    linked = {str(value.id) for _, value in groups if isinstance(value, IdpPush)}
    linked |= (side.pushed or frozenset()) if assigned else frozenset()
    unnamed = frozenset(target for group in linked if (target := side.targets.get(group, "")))
    names = await idp.read_target_names(unnamed - side.target_names.keys())
    side = side._replace(target_names={**side.target_names, **names})
    users = await idp.read_app_users()
    app_users = users if isinstance(users, AppUsers) else None
    side = side._replace(direct=None if app_users is None else app_users.direct)
    members = await idp.read_members(ids, {} if app_users is None else app_users.addresses)
    known = {group: side.groups.get(group) or IdpGroup(group, group) for group in members}
    whole = ((group, listed) for group, listed in members.items() if isinstance(listed, frozenset))
    read = {group: known[group]._replace(members=listed) for group, listed in whole}
    facts = plan_input.live.facts._replace(idp=side._replace(groups={**side.groups, **read}))
    return plan_input._replace(live=replace(plan_input.live, facts=facts))


async def _with_all(idp: IdpSideReader, side: IdpSide, live: Live) -> IdpSide:
    """Return the side with the IDs of all groups that are assigned and pushed, also where the configuration does not
    manage them: a group must not be both, and pushed groups decide the access of those who get the app."""
    settings = live.settings
    if unknown := [name for name in IDP_SECTIONS if name not in live.coverage]:
        more = await idp.read_side(IdpQuestion.of_lists(unknown))
        settings = replace(settings, **{name: getattr(more.settings, name) for name in unknown})
        if (whole := more.facts.idp) is not None:
            groups, targets = {**whole.groups, **side.groups}, {**whole.targets, **side.targets}
            side = side._replace(groups=groups, targets=targets, off=side.off | whole.off)
    assigned, pushed = settings.idp_assignments, settings.idp_pushes
    return side._replace(
        assigned=None if assigned is UNSET else _ids(assigned), pushed=None if pushed is UNSET else _ids(pushed)
    )


def _ids(section: Mapping[str, IdpAssignment] | Mapping[str, IdpPush] | Unset) -> frozenset[str]:
    return frozenset() if section is UNSET else frozenset(str(value.id) for value in section.values())


async def examine_idp(config: Config, idp: People | None, coverage: Mapping[str, Coverage]) -> list[Check]:
    """Check, where the section `idp` is configured, that each part of the app can be read and that it is WRITER's.

    ``coverage`` is that of the sections in the IdP, if they were read. A local org has no host of WRITER's.
    """
    if config.idp is None or not isinstance(idp, IdpTracer):
        return []
    try:
        app = await idp.read_app()
    except RolecallError as error:
        return [Check("idp", problems=error.problems)]
    reasons = {why for _, why in app.unread}
    if len(reasons) == 1 and len(app.unread) == len(app.parts):
        (why,) = reasons
        return [Check("idp", problems=(Problem("idp_unread", why.problem, None, why.hint),))]
    problems = [_unread(name, why.problem, why.hint) for name, why in app.unread]
    parts = {f"idp_{name}" for name, _ in app.unread}
    sections = [name for name in IDP_SECTIONS if name in coverage and name not in parts]
    problems += [_unread(name, why, None) for name in sections if (why := coverage[name].problem)]
    if config.org.kind != "local" and isinstance(app.hosts, frozenset) and WRITER_HOST not in app.hosts:
        listed = ", ".join(sorted(app.hosts)) or "none"
        message = f"the app is not recognizably WRITER's: none of its URLs is on {WRITER_HOST} (hosts: {listed})"
        hint = "correct `app` in the section `idp`"
        problems.append(Problem("idp_target", message, config.idp.source, hint, "error" if app.hosts else "warning"))
    states = "; ".join(f"{part.name}: {part.state}" for part in app.parts if isinstance(part.state, str))
    return [Check("idp", f"{app.where}; {states}", tuple(problems))]


def _unread(name: str, why: str, hint: str | None) -> Problem:
    return Problem("idp_unread", f"{name} could not be read: {why}", None, hint, "warning")
