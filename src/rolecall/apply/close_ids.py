"""Which ids a closing run leaves in memory, so that a later one knows its groups whatever they are called by then."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from rolecall.model.desired import Applied
from rolecall.model.kinds import address
from rolecall.model.policy import Policy
from rolecall.model.settings import Address
from rolecall.plan.diff.identity import Identity, group_of


def group_ids(identity: Identity, applied: Applied, remembered: Collection[Address]) -> dict[str, str | None]:
    """Return the id of each key; None for a former key that is to be forgotten.

    That is one of whose group nothing is ``remembered`` at its live address. Where all entries are pinned their keys
    need not be known, and they may be none of the config: the plan of a rollback is keyed by live names.
    """
    if all(identity.written.intent(address("idp_groups", key)).id for key in identity.names):
        return {}
    known = identity.group_ids
    live = {group: address("idp_groups", name) for name, group in identity.ids.items()}
    former = {key: group for key, group in applied.group_ids.items() if key not in identity.names}
    forgotten = [key for key, group in former.items() if live.get(group) not in remembered]
    return {**dict.fromkeys(forgotten), **known}


def address_ids(
    identity: Identity, applied: Applied, remembered: Mapping[Address, Address]
) -> dict[Address, str | None]:
    """Return the id of each remembered address and of each group that the policy names; None for one to be forgotten.

    ``remembered`` maps addresses to where they stand now.
    """
    meant = {
        at: Address(identity.meant(at)) for at in _named(identity.written.policy) if group_of(at) not in identity.names
    }
    ids = {at: known for at, now in {**meant, **remembered}.items() if (known := identity.id_at(now))}
    return {**{at: None for at in applied.ids if at not in ids}, **ids}


def _named(policy: Policy) -> Iterator[Address]:
    """Addresses of groups that a policy may name, patterns too."""
    yield from (Address(entry.address) for entry in policy.ignore)
    yield from (Address(entry.target) for entry in policy.allow if entry.target)
    for test in policy.access_tests:
        yield from (address("idp_groups", name) for name in (*(test.groups or ()), *(test.granted_by_only or ())))
