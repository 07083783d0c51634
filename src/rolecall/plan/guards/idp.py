"""Check changes in the IdP: that the app is WRITER's, users who lose it, groups that are both assigned and pushed, and
groups that are no longer pushed although they are mapped.

These guards are evaluated only for a configuration that manages something in the IdP.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolecall.errors import Where
from rolecall.model.change import Change
from rolecall.model.idp_app import WRITER_HOST
from rolecall.model.kinds import IDP_SECTIONS, address, split_address, value_at
from rolecall.model.live import base_name
from rolecall.model.settings import BLANK, UNSET, Address, IdpAssignment, IdpPush, Settings
from rolecall.plan.guards.guard import PASS, READ_IDP, Finding, GuardInput, Item, bounds, read_settings, unjudged
from rolecall.plan.guards.losing import active_users
from rolecall.plan.headline import count_users, enumerate_words
from rolecall.plan.idp_users import both_of
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail

OF_IDP = frozenset({"unpush_mapped", "deprovisions", "assigned_and_pushed", "idp_target"})
"""The guards of this module."""
DEPROVISIONS = "deprovisions"


def unpush_mapped(guard_input: GuardInput) -> Finding:
    """Block where a group is no longer pushed and stays mapped: its members keep the access, and the IdP no longer
    changes who they are."""
    after = guard_input.impact_result.forecast.last.settings
    ended = [change for change in _in_idp(guard_input, IdpPush) if change.after is None]
    whole = guard_input.plan_input.live.covered("idp_groups").state == "complete"
    if ended and (after.idp_groups is UNSET or not whole):
        message = "Whether the groups are mapped is unknown: idp_groups could not be read."
        return Finding("not judged", message, fixes=read_settings(guard_input, ["idp_groups"]), unread_settings=True)
    ended_as = [(change, _org_name(guard_input, change)) for change in ended]
    if unread := [f"`{_name(change)}`" for change, name in ended_as if name is None]:
        message = f"Whether {enumerate_words(unread)} stays mapped is unknown: the name in WRITER could not be read."
        return Finding("not judged", message, fixes=(READ_IDP,), unread_settings=True)
    mapped = [(change, at) for change, name in ended_as for at in _mappings(after, name)]
    late = [(change, at) for change, name in ended_as for at in _unmapped_later(guard_input, change, name)]
    if not mapped and not late:
        return PASS
    named = enumerate_words([f"`{_name(change)}`" for change, _ in mapped or late])
    verb = "stays" if len(mapped) == 1 else "stay"
    ending = f"and {verb} mapped" if mapped else "before a manual step that unmaps"
    return Finding(
        "block",
        f"{named} would no longer be pushed {ending}, so the members keep the access whatever the IdP says",
        actual=len(mapped) + len(late),
        items=tuple(Item(1, (change.address,)) for change, _ in (*mapped, *late)),
        source=next((change.intent.source for change, _ in (*mapped, *late) if change.intent.source), None),
        target=(mapped or late)[0][0].address,
        fixes=(_UNMAP if mapped else _UNMAP_BY_HAND,),
        details=(
            *(Detail(f"{at} stays mapped", _place(guard_input, at)) for _, at in mapped),
            *(Detail(f"{at} is unmapped by a manual step, after this one", _place(guard_input, at)) for _, at in late),
        ),
    )


_UNMAP = "Unmap the group first: set it to `blank` in the config. Or keep it in `idp.pushes`."
_UNMAP_BY_HAND = "Keep it in `idp.pushes` until the manual step is done."


def _unmapped_later(guard_input: GuardInput, ended: Change, name: str | None) -> Iterator[Address]:
    """Yield the mappings of a group that a manual step ends, if the end of its push is written, which comes before."""
    if ended.via == "api":
        for change in guard_input.effective:
            section, key = split_address(change.address)
            if section == "idp_groups" and (change.via, change.after) == ("human", None):
                yield from (change.address,) if base_name(key or "") == name else ()


def deprovisions(guard_input: GuardInput) -> Finding:
    """Compare the users who lose the app with the limits: the IdP deactivates them, and their documents are transferred
    (R23, R24), which cannot be undone."""
    limits = bounds(guard_input.policies, DEPROVISIONS, active_users(guard_input), "active users")
    ended = [change for change in _in_idp(guard_input, IdpAssignment) if change.after is None]
    if not ended:
        return PASS._replace(limit=limits.text, actual=0)
    placed = guard_input.impact_result.forecast.placed
    if placed is None or not guard_input.impact_result.judged:
        return unjudged(guard_input, limits.text)
    causes = placed.causes
    lost = {number: causes[number] for number, traits in placed.later.items() if not traits.active}
    items = dict.fromkeys(lost.values(), 0)
    for because in lost.values():
        items[because] += 1
    verdict = limits.verdict_for(len(lost))
    exceeded = f"{count_users(len(lost), 'loses', 'lose')} the app; {limits.exceeded(len(lost))}"
    return Finding(
        verdict,
        exceeded if verdict != "pass" else "",
        limits.text,
        len(lost),
        tuple(Item(size, because) for because, size in sorted(items.items())),
        verdict_for=limits.verdict_for,
        target=ended[0].address,
        addressed=True,
        fixes=("To keep them, keep the group in `idp.assignments`, or add them to another assigned group first.",),
        details=(
            Detail(f"They are {name_some(placed.directory, lost)}.") if lost else Detail("They are none."),
            Detail("The IdP deactivates them in WRITER and their documents are transferred, which cannot be undone."),
        ),
    )


def assigned_and_pushed(guard_input: GuardInput) -> Finding:
    """Block where the plan causes a group to be both assigned and pushed, which Okta does not support."""
    forecast, side = guard_input.impact_result.forecast, guard_input.plan_input.live.facts.idp
    if not any(isinstance(change.after, IdpAssignment | IdpPush) for change in guard_input.effective):
        return PASS
    was, both = both_of(forecast.first.settings, side), both_of(forecast.last.settings, side)
    if was is None or both is None:
        message = "Whether a group is both assigned and pushed is unknown: one of the two lists could not be read."
        return Finding("not judged", message, fixes=(READ_IDP,), unread_settings=True)
    caused = sorted(both.keys() - was.keys())
    if not caused:
        return PASS
    names = enumerate_words([f"`{both[group]}`" for group in caused])
    verb = "is" if len(caused) == 1 else "are"
    listed = [(group, _causes(guard_input, group)) for group in caused]
    return Finding(
        "block",
        f"{names} would be both assigned and pushed, which {verb} not supported by Okta",
        actual=len(caused),
        items=tuple(Item(1, tuple(change.address for change in changes)) for _, changes in listed),
        source=next((c.intent.source for _, changes in listed for c in changes if c.intent.source), None),
        target=listed[0][1][0].address if listed[0][1] else None,
        fixes=("Use a second group with the same users for the assignment, and push this one.",),
    )


def idp_target(guard_input: GuardInput) -> Finding:
    """Block changes in another app than at the last apply, and in one that is not recognizable as WRITER's: none of its
    URLs is on WRITER's host, or they could not be read."""
    facts = guard_input.plan_input.live.facts
    changes = [change for change in guard_input.effective if split_address(change.address)[0] in IDP_SECTIONS]
    if not changes or facts.idp is None:
        return PASS
    last, hosts = guard_input.plan_input.applied.idp_app, facts.idp.hosts
    if last and last != facts.idp.where:
        message = f"the app is {facts.idp.where}, and the last apply was about {last}"
        fix = "To move to another app, first apply a config without `idp.assignments` and `idp.pushes`."
        return _refused(message, fix, changes)
    if facts.local:
        return PASS
    if hosts is None:
        message = f"whether the app is WRITER's is unknown: {facts.idp.where} could not be read"
        return _refused(message, READ_IDP, changes)
    if WRITER_HOST in hosts:
        return PASS._replace(actual=WRITER_HOST)
    shown = f"its URLs are on {enumerate_words(sorted(hosts))}" if hosts else "it has no URL"
    message = f"the app is not recognizable as WRITER's: {shown}, and none on {WRITER_HOST}"
    return _refused(message, "Correct `app` in `idp`, or the single sign-on URL of the app in the IdP.", changes)


def _refused(message: str, fix: str, changes: Sequence[Change]) -> Finding:
    items = tuple(Item(1, (change.address,)) for change in changes)
    return Finding("block", message, actual=len(changes), items=items, firm=True, fixes=(fix,))


def _in_idp(guard_input: GuardInput, kind: type[IdpAssignment] | type[IdpPush]) -> list[Change]:
    return [change for change in guard_input.effective if isinstance(change.after or change.before, kind)]


def _causes(guard_input: GuardInput, group: str) -> list[Change]:
    """Return the changes that assign or push a group."""
    added = (change for change in guard_input.effective if isinstance(change.after, IdpAssignment | IdpPush))
    return [change for change in added if getattr(change.after, "id", None) == group]


def _name(change: Change) -> str:
    return base_name(split_address(change.address)[1] or "")


def _org_name(guard_input: GuardInput, ended: Change) -> str | None:
    """Return the name that a pushed group has in the org, which may not be its own; None if it was not read."""
    side, group = guard_input.plan_input.live.facts.idp, getattr(ended.before, "id", None)
    return _name(ended) if side is None or not isinstance(group, str) else side.org_name(group)


def _mappings(settings: Settings, name: str | None) -> Iterator[Address]:
    """Yield the mapped groups of the org with a name."""
    groups = {} if settings.idp_groups is UNSET else settings.idp_groups
    for key in groups:
        at = address("idp_groups", key)
        if base_name(key) == name and value_at(settings, at) != BLANK:
            yield at


def _place(guard_input: GuardInput, at: Address) -> Where | None:
    return guard_input.plan_input.desired.intent(at).source
