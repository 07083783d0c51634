"""The difference of IdP-group mappings: create, update, unmap, wait, and renames by ``previously``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from rolecall.model.change import Action, Change, Reason, Rename, Via, ViaReason
from rolecall.model.desired import Desired
from rolecall.model.kinds import address
from rolecall.model.live import Facts, Live
from rolecall.model.normalise import domain_of
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping
from rolecall.plan.resolve import Names, expired


def changes(desired: Desired, live: Live, names: Names, as_of: date) -> list[Change]:
    """The changes of mappings. A group that the org does not have, or not yet on its endpoint, waits."""
    wanted, held = desired.settings.idp_groups, live.settings.idp_groups
    if wanted is UNSET or held is UNSET:
        return []
    legacy = live.settings.scim is not UNSET and live.settings.scim.endpoint == "legacy"
    if legacy:
        names, held = Names(dict.fromkeys(names.live), {}), {}
    moves = _moves(desired, names, held)
    differ = (key for key, name in names.live.items() if held.get(name or "", BLANK) != wanted[key])
    found = [_entry(desired, live, key, names, moves, as_of) for key in differ]
    found += _left_behind(desired, live, names, held, moves)
    return found if legacy else found + list(_unlisted(desired, live, names, held, moves))


def way(facts: Facts, at: Address, action: Action) -> tuple[Via, ViaReason | None]:
    """Whether the org takes this action from this caller, and if not, why a person must do it."""
    section, _, key = at.partition("/")
    needed = "idp_groups.update" if section == "idp_groups" else f"{section}.{action}"
    if not facts.can:
        return "human", "no_api"
    if needed not in facts.can:
        if needed == "domains.create":
            return "human", "not_claimable"
        return "human", "no_api" if "scim" in facts.features else "not_in_plan"
    if needed == "domains.create" and not _claimable(facts, key):
        return "human", "not_claimable"
    return "api", None


def _claimable(facts: Facts, domain: str) -> bool:
    """A person can claim only the domain of their own address; a service can claim none."""
    email = facts.caller.email
    return email is not None and domain_of(email) == domain


def _entry(
    desired: Desired,
    live: Live,
    key: str,
    names: Names,
    moves: Mapping[str, Rename],
    as_of: date,
) -> Change:
    at, after, before = names.address(key), _mappings(desired)[key], BLANK
    if (name := names.live[key]) is not None:
        before = _mappings(live).get(name, BLANK)
    action: Action = "create" if before == BLANK else "delete" if after == BLANK else "update"
    via, via_reason = ("waiting", "not_pushed") if name is None else way(live.facts, at, action)
    intent = desired.intent(address("idp_groups", key))
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
    )


def _mappings(side: Desired | Live) -> Mapping[str, GroupMapping]:
    held = side.settings.idp_groups
    return {} if held is UNSET else held


def _moves(desired: Desired, names: Names, held: Mapping[str, GroupMapping]) -> dict[str, Rename]:
    """New address -> rename, for each entry whose former name is another group that is still mapped."""
    if not any(intent.previously for intent in desired.intents.values()):
        return {}
    taken = {*names.live, *names.live.values()}
    moves: dict[str, Rename] = {}
    for key in names.live:
        for former in desired.intent(address("idp_groups", key)).previously:
            if former not in taken and held.get(former, BLANK) != BLANK:
                at = names.address(key)
                moves[at] = Rename(address("idp_groups", former), at)
    return moves


def _left_behind(
    desired: Desired,
    live: Live,
    names: Names,
    held: Mapping[str, GroupMapping],
    moves: Mapping[str, Rename],
) -> Iterator[Change]:
    waits = {names.address(key) for key, name in names.live.items() if name is None}
    for at, move in moves.items():
        old = move.before
        via, why = ("waiting", "not_pushed") if at in waits else way(live.facts, old, "delete")
        intent = desired.intent(move.after)
        before = held[old.partition("/")[2]]
        yield Change(old, "delete", before, None, "previously", via, why, intent=intent, moved=move)


def _unlisted(
    desired: Desired,
    live: Live,
    names: Names,
    held: Mapping[str, GroupMapping],
    moves: Mapping[str, Rename],
) -> Iterator[Change]:
    if desired.policy.managing("idp_groups") != "authoritative":
        return
    listed = {*names.live.values()} | {move.before.partition("/")[2] for move in moves.values()}
    for key in held.keys() - listed:
        if held[key] != BLANK:
            at = address("idp_groups", key)
            via, why = way(live.facts, at, "delete")
            yield Change(at, "delete", held[key], None, "not_listed", via, why)
