"""Compare the mappings of IdP groups: create, update, unmap, pending, and renames by ``previously``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from rolecall.model.change import Action, Change, Reason, Rename, Via, ViaReason
from rolecall.model.desired import Desired
from rolecall.model.kinds import BY_SECTION, address
from rolecall.model.live import Facts, Live
from rolecall.model.normalise import domain_of
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping
from rolecall.plan.diff.identity import Identity
from rolecall.plan.resolve import expired


def changes(desired: Desired, live: Live, identity: Identity, as_of: date) -> list[Change]:
    """Return the changes of mappings. A group that the org does not have, or not yet on its endpoint, is pending."""
    desired_groups, live_groups = desired.settings.idp_groups, live.settings.idp_groups
    if desired_groups is UNSET or live_groups is UNSET:
        return []
    legacy = live.settings.scim is not UNSET and live.settings.scim.endpoint == "legacy"
    sides = _Sides(desired, live, identity, {} if legacy else live_groups)
    moves = _moves(sides, desired_groups)
    differ = (name for name, mapping in desired_groups.items() if sides.mappings.get(name, BLANK) != mapping)
    listed = [_entry(sides, name, desired_groups[name], moves, as_of) for name in differ]
    listed += _left_behind(sides, moves)
    return listed if legacy else listed + list(_unlisted(sides, desired_groups, moves))


class _Sides(NamedTuple):
    """Both sides, keyed by names. An entry whose name is not among the live ``mappings`` is pending."""

    desired: Desired
    live: Live
    identity: Identity
    mappings: Mapping[str, GroupMapping]

    def way(self, at: Address, action: Action) -> tuple[Via, ViaReason | None]:
        return way(self.live.facts, at, action)


def way(facts: Facts, at: Address, action: Action) -> tuple[Via, ViaReason | None]:
    """Return whether the org, or the IdP, accepts this action, and if not, why it is a manual step."""
    section, _, key = at.partition("/")
    if BY_SECTION[section].side == "idp":
        able = facts.idp is not None and f"{section}.{action}" in facts.idp.can
        return ("api", None) if able else ("human", "idp_read_only")
    needed = "idp_groups.update" if section == "idp_groups" else f"{section}.{action}"
    if not facts.can:
        return "human", "no_api" if "scim" in facts.features or section not in ("scim", "idp_groups") else "not_in_plan"
    if needed not in facts.can:
        if facts.caller.role:
            return "human", "role"
        if needed == "domains.create":
            return "human", "not_claimable"
        return "human", "no_api" if "scim" in facts.features else "not_in_plan"
    if needed == "domains.create" and not _claimable(facts, key):
        return "human", "not_claimable"
    return "api", None


def _claimable(facts: Facts, domain: str) -> bool:
    """Return whether the caller can claim a domain: users only that of their own address, services none."""
    email = facts.caller.email
    return email is not None and domain_of(email) == domain


def _entry(sides: _Sides, name: str, after: GroupMapping, moves: Mapping[str, Rename], as_of: date) -> Change:
    at, before = address("idp_groups", name), sides.mappings.get(name, BLANK)
    action: Action = "create" if before == BLANK else "delete" if after == BLANK else "update"
    via, via_reason = sides.way(at, action) if name in sides.mappings else ("waiting", "not_pushed")
    intent = sides.desired.intent(at)
    lapsed: Reason = "expired" if expired(intent, as_of) else "blank"
    reason: Reason = "previously" if at in moves else "config" if after != BLANK else lapsed
    return Change(
        at,
        action,
        None if before == BLANK else before,
        None if after == BLANK else after,
        reason,
        via,  # type-narrowed above
        via_reason,
        intent=intent,
        moved=moves.get(at),
        id=sides.identity.id_at(at),
    )


def _moves(sides: _Sides, desired_groups: Mapping[str, GroupMapping]) -> dict[str, Rename]:
    """Return the rename of each entry whose former name is another group that is still mapped, by new address."""
    desired = sides.desired
    if not any(intent.previously for intent in desired.intents.values()):
        return {}
    moves: dict[str, Rename] = {}
    for name in desired_groups:
        at = address("idp_groups", name)
        for label in desired.intent(at).previously:
            former = sides.identity.find(label)
            if former not in desired_groups and sides.mappings.get(former, BLANK) != BLANK:
                moves[at] = Rename(address("idp_groups", former), at)
    return moves


def _left_behind(sides: _Sides, moves: Mapping[str, Rename]) -> Iterator[Change]:
    for at, move in moves.items():
        old = move.before
        pending = at.partition("/")[2] not in sides.mappings
        via, why = ("waiting", "not_pushed") if pending else sides.way(old, "delete")
        intent = sides.desired.intent(move.after)
        before = sides.mappings[old.partition("/")[2]]
        known = sides.identity.id_at(old)
        yield Change(old, "delete", before, None, "previously", via, why, intent=intent, moved=move, id=known)


def _unlisted(
    sides: _Sides, desired_groups: Mapping[str, GroupMapping], moves: Mapping[str, Rename]
) -> Iterator[Change]:
    """Yield the mappings that the config does not list: all in an authoritative section, and those with `remove`."""
    authoritative = sides.desired.policy.managing("idp_groups") == "authoritative"
    removed = {at for at, intent in sides.desired.intents.items() if intent.remove}
    if not authoritative and not removed:
        return
    listed = desired_groups.keys() | {move.before.partition("/")[2] for move in moves.values()}
    for name in sides.mappings.keys() - listed:
        at = address("idp_groups", name)
        before = sides.mappings[name]
        if before != BLANK and (authoritative or at in removed):
            reason: Reason = "removed" if at in removed else "not_listed"
            via, why = sides.way(at, "delete")
            intent, known = sides.desired.intent(at), sides.identity.id_at(at)
            yield Change(at, "delete", before, None, reason, via, why, intent=intent, id=known)
