"""Find changes that are not drift: groups and users that joined, left or changed since the last check."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from datetime import datetime
from hashlib import blake2b
from itertools import pairwise

from rolecall.access.person import ORG_LEVEL
from rolecall.drift.value import GroupMovements, NewAdmin, Renamed, UserMovements
from rolecall.model import normalise
from rolecall.model.directory import PLAIN, Directory, Traits
from rolecall.model.live import Facts, Live
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import BLANK, UNSET
from rolecall.model.sighting import Holding, Roster, RosterGroup, RosterUsers, Sighting
from rolecall.plan.diff.identity import Identity
from rolecall.plan.saved.digest import fingerprint
from rolecall.plan.value import Who


def take_roster(live: Live, directory: Directory | None, waiting: Iterable[str], at: datetime) -> Roster:
    """Return the groups and users to remember; users only if all of them were read."""
    groups = {group.id: RosterGroup(name, group.members) for name, group in live.facts.groups.items()}
    people = None
    if directory is not None and directory.coverage.state == "complete":
        people = _roster_users(directory, live.facts)
    return Roster(at, groups, people, frozenset(waiting))


def group_movements(last: Roster | None, now: Roster, live: Live, identity: Identity) -> GroupMovements:
    """Return what changed of the groups since the check that this one is compared with."""
    if last is None or live.covered("idp_groups").state != "complete":
        return GroupMovements()
    names, keys = _present(identity), identity.keys
    renamed = [
        Renamed(last.groups[id_].name, group.name, keys.get(group.name))
        for id_, group in now.groups.items()
        if id_ in last.groups and last.groups[id_].name != group.name
    ]
    ready = [key for key in last.waiting if key in names and _blank(live, names[key])]
    return GroupMovements(
        tuple(sorted(group.name for id_, group in now.groups.items() if id_ not in last.groups)),
        tuple(sorted(group.name for id_, group in last.groups.items() if id_ not in now.groups)),
        tuple(sorted(renamed, key=lambda renaming: renaming.was)),
        tuple(sorted(ready)),
    )


def user_movements(
    last: Roster | None, now: Roster, before: Sighting | None, sighting: Sighting
) -> UserMovements | None:
    """Return what changed of the users since the check that this one is compared with; None unless both read all users.

    New org admins are found by the earlier access record; without one there are none.
    """
    if last is None or last.people is None or now.people is None:
        return None
    came, went, moved = _moves(last.people, now.people)
    new, former = _admins(before, sighting)
    return UserMovements(last.at, came, went, moved, new, former)


def _moves(last: RosterUsers, now: RosterUsers) -> tuple[int, int, int]:
    """Return how many users joined, left, and changed groups."""
    if last == now:
        return 0, 0, 0
    before = dict(zip(*last, strict=True))
    came = moved = 0
    for user, groups in zip(*now, strict=True):
        known = before.pop(user, None)
        came += known is None
        moved += known is not None and known != groups
    return came, len(before), moved


def key_of(holding: Holding) -> str:
    """Return the identifier of a user with a role: the org's id, or else the email address."""
    return holding.id or normalise.email(holding.email)


def holders(sighting: Sighting, role: str) -> dict[str, Holding]:
    """Return the users who have a role in any team, by ``key_of``."""
    return {key_of(holding): holding for holding in sighting.holdings if holding.role == role}


def source_words(holding: Holding) -> str:
    """Return ``by Writer-Admins``, or what else gave it."""
    reason = holding.reasons[0] if holding.reasons else ""
    kind, _, name = reason.partition(":")
    if kind == "group":
        return f"by {name}"
    return {"manual": "by hand", "attribute": "by role attribute", ORG_LEVEL: "at org level"}.get(reason, reason)


def _admins(before: Sighting | None, sighting: Sighting) -> tuple[tuple[NewAdmin, ...], tuple[Who, ...]]:
    if before is None or not before.complete:
        return (), ()
    was, now = holders(before, ORG_ADMIN), holders(sighting, ORG_ADMIN)
    came = [(key, now[key]) for key in sorted(now.keys() - was.keys())]
    former = tuple(_who(was[key]) for key in sorted(was.keys() - now.keys()))
    return tuple(
        NewAdmin(_who(holding), source_words(holding), holding.address, fingerprint("new_admin", key))
        for key, holding in came
    ), former


def _who(holding: Holding) -> Who:
    return Who(holding.id, holding.email)


def _blank(live: Live, name: str) -> bool:
    mappings = live.settings.idp_groups
    return mappings is not UNSET and mappings.get(name, BLANK) == BLANK


def _roster_users(directory: Directory, facts: Facts) -> RosterUsers:
    """Return a hash of each active user and one of their groups, by id: a rename is no change of groups."""
    tokens = [_hash(facts.groups[name].id if name in facts.groups else name) for name in directory.groups]
    keys, hashes = array("Q"), array("I")
    members, special_traits, ids = directory.members, directory.others, directory.ids
    for number, (start, end) in enumerate(pairwise(directory.offsets)):
        groups = 0
        for group in members[start:end]:
            groups += tokens[group]
        if number in special_traits:
            traits = special_traits[number]
            if not traits.present:
                continue
            groups ^= _hash(_traits_text(traits)) if traits != PLAIN else 0
        keys.append(_hash(ids[number] or normalise.email(directory.emails[number])))
        hashes.append(groups & _SHORT)
    return RosterUsers(keys, hashes)


def _traits_text(traits: Traits) -> str:
    """Return the text that rosters have hashed since 0.1.0, where the type of a team role was ``Combo``, and a user had
    no role at org level."""
    return repr(traits).replace("TeamRole(", "Combo(").replace(", org_role=None)", ")")


_SHORT = 2**32 - 1


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def waiting(identity: Identity) -> frozenset[str]:
    """Return the config's groups that the org does not have, by their keys."""
    return frozenset(identity.names.keys() - _present(identity).keys())


def _present(identity: Identity) -> dict[str, str]:
    """Return the live name of each key whose group the org has."""
    return {key: name for key, name in identity.names.items() if name in identity.present}
