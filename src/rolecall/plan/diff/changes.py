"""What differs between desired and live: by identity, then by field. No order, no people, no verdicts yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from rolecall.errors import Problem
from rolecall.model.change import Action, Change, Reason
from rolecall.model.comparison import agrees, overlay, restrict, unread_fields, without
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import KINDS, address
from rolecall.model.live import Live
from rolecall.model.settings import BLANK, UNSET, Address, Domain, Endpoint, GroupMapping, Scim, Value
from rolecall.plan.diff import groups
from rolecall.plan.diff.identity import Identity, identify
from rolecall.plan.diff.released import Release, releases
from rolecall.plan.resolve import ignored, on_day


@dataclass(frozen=True, slots=True)
class Difference:
    """What was found. ``identity`` says which group each label means.

    ``released`` was applied once and is no longer asked for; ``unmanaged`` are live mappings the config does not
    manage; ``ignored`` are patterns; ``problems`` are warnings, and errors that make a plan unfit to apply.
    """

    identity: Identity

    changes: tuple[Change, ...] = ()
    released: tuple[Release, ...] = ()
    unmanaged: tuple[Address, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def diff(desired: Desired, live: Live, as_of: date, applied: Applied = NOTHING_APPLIED) -> Difference:
    """Compare desired with live on a day (UTC).

    A section the config does not speak of, does not manage, or that was not read whole gives no change. The result
    does not depend on the order of anything that goes in.
    """
    return difference(identify(desired, live, applied), live, as_of)


def difference(identity: Identity, live: Live, as_of: date) -> Difference:
    """Compare what an identity says of both sides, as ``diff`` does."""
    wanted = on_day(identity.desired, as_of)
    skip = ignored(wanted.policy.ignore, as_of)
    found = [change for kind in KINDS if manages(wanted, live, kind) for change in _section(kind, wanted, live)]
    found += groups.changes(wanted, live, identity, as_of) if manages(wanted, live, _KIND_OF_GROUPS) else []
    found += endpoint_changes(wanted, live, found)
    left = _Left(identity, wanted, live, skip)
    kept = sorted((c for c in found if not left.ignores(c.address)), key=lambda c: (c.address, c.action))
    keyed = ((_at(identity.names[key]), problem) for key, problem in identity.problems.items())
    return Difference(
        identity,
        changes=tuple(kept),
        released=tuple(sorted(releases(wanted, live, identity, skip), key=lambda row: row.live)),
        unmanaged=tuple(sorted(left.unmanaged({c.address for c in found}))),
        ignored=skip,
        problems=tuple(problem for at, problem in keyed if not left.ignores(at)),
    )


_KIND_OF_GROUPS = KINDS[-1]


def manages(desired: Desired, live: Live, kind: Kind) -> bool:
    """Whether a plan may write this section: asked for, managed, and read whole."""
    return (
        getattr(desired.settings, kind.section) is not UNSET
        and desired.policy.managing(kind.section) != "unmanaged"
        and live.covered(kind.section).state == "complete"
    )


def _section(kind: Kind, desired: Desired, live: Live) -> Iterator[Change]:
    if kind.section == "domains":
        yield from _domains(desired, live)
    elif not kind.keyed:
        yield from _singleton(kind, desired, live)


def _singleton(kind: Kind, desired: Desired, live: Live) -> Iterator[Change]:
    wanted, held = getattr(desired.settings, kind.section), getattr(live.settings, kind.section)
    if isinstance(wanted, Scim):
        wanted = writable_scim(wanted)
    if not agrees(held, wanted):
        yield _change(desired, live, address(kind.section), "update", *_span(held, wanted))


def _domains(desired: Desired, live: Live) -> Iterator[Change]:
    wanted, held = _entries(desired, "domains"), _entries(live, "domains")
    for key, domain in wanted.items():
        if key not in held:
            yield _change(desired, live, address("domains", key), "create", None, domain)
        elif not agrees(held[key], domain):
            yield _change(desired, live, address("domains", key), "update", *_span(held[key], domain))
    authoritative = desired.policy.managing("domains") == "authoritative"
    for key in held.keys() - wanted.keys():
        at = address("domains", key)
        if authoritative or desired.intent(at).remove:
            reason: Reason = "removed" if desired.intent(at).remove else "not_listed"
            yield _change(desired, live, at, "delete", held[key], None, reason)


def _span(held: Any, wanted: Any) -> tuple[Value, Value]:
    """Before and after of an update, both cut to the fields that are managed and read."""
    known = without(wanted, unread_fields(held, wanted))
    before = restrict(held, known)
    return before, overlay(before, known)


def _change(
    desired: Desired,
    live: Live,
    at: Address,
    action: Action,
    before: Value | None,
    after: Value | None,
    reason: Reason = "config",
) -> Change:
    via, via_reason = groups.way(live.facts, at, action)
    return Change(at, action, before, after, reason, via, via_reason, intent=desired.intent(at))


class _Left(NamedTuple):
    """What a plan does not change: what is ignored, and what nobody manages."""

    identity: Identity
    desired: Desired
    live: Live
    skip: tuple[str, ...]

    def ignores(self, at: Address) -> bool:
        """Return whether the configuration ignores the entry at an address, by any of its labels."""
        return self.identity.covers(self.skip, at)

    def unmanaged(self, changed: set[Address]) -> Iterator[Address]:
        """Yield live mappings that the configuration does not manage."""
        if self.live.settings.scim is not UNSET and self.live.settings.scim.endpoint == "legacy":
            return
        managed = self.desired.policy.managing("idp_groups") != "unmanaged"
        listed = _entries(self.desired, "idp_groups")
        for key, mapping in _entries(self.live, "idp_groups").items():
            if (managed and key in listed) or mapping == BLANK:
                continue
            at = _at(key)
            if at not in changed and not self.ignores(at):
                yield at


def _at(key: str) -> Address:
    return address("idp_groups", key)


def _entries(side: Desired | Live, section: str) -> Mapping[str, Any]:
    held: Mapping[str, Domain | GroupMapping] | Any = getattr(side.settings, section)
    return {} if held is UNSET else held


def writable_scim(scim: Scim) -> Scim:
    """Return the SCIM settings without the endpoint, which no write sets, and without what the org cannot store."""
    return replace(scim, endpoint=UNSET, role_attribute=UNSET)


def endpoint_changes(desired: Desired, live: Live, others: Sequence[Change]) -> list[Change]:
    """Return the endpoint upgrade (R20): start it on a legacy org; complete it on one that is upgrading, once no
    managed group is pending."""
    wanted, held = desired.settings.scim, live.settings.scim
    if wanted is UNSET or held is UNSET or wanted.endpoint != "new" or desired.policy.managing("scim") == "unmanaged":
        return []
    if held.endpoint == "legacy":
        return [_endpoint_change(desired, live, "legacy", "upgrading")]
    if held.endpoint != "upgrading":
        return []
    complete = _endpoint_change(desired, live, "upgrading", "new")
    waits = any(change.via == "waiting" for change in others)
    return [replace(complete, via="waiting", via_reason="not_pushed") if waits else complete]


def _endpoint_change(desired: Desired, live: Live, before: Endpoint, after: Endpoint) -> Change:
    at = address("scim")
    via, why = groups.way(live.facts, at, "upgrade")
    return Change(
        at,
        "upgrade",
        Scim(endpoint=before),
        Scim(endpoint=after),
        "upgrade",
        via,
        why,
        intent=desired.intent(at),
    )
