"""Compare desired with live settings, by identity, then by field; before order, users and verdicts are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from rolecall.errors import Problem
from rolecall.model.change import Action, Change, Reason
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, KINDS, address, agrees, overlay, restrict, unread_fields, without
from rolecall.model.live import Live
from rolecall.model.settings import BLANK, UNSET, Address, Endpoint, Scim, Value
from rolecall.plan.diff import groups
from rolecall.plan.diff.identity import Identity, identify
from rolecall.plan.diff.released import Release, releases
from rolecall.plan.resolve import ignored, on_day


class Difference(NamedTuple):
    """The difference between desired and live. ``identity`` says which group each label means.

    ``released`` was applied once and is no longer managed; ``unmanaged`` are live mappings that are not in the config;
    ``ignored`` are patterns; ``problems`` are warnings, and errors that make a plan unfit to apply.
    """

    identity: Identity

    changes: tuple[Change, ...] = ()
    released: tuple[Release, ...] = ()
    unmanaged: tuple[Address, ...] = ()
    ignored: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def diff(desired: Desired, live: Live, as_of: date, applied: Applied = NOTHING_APPLIED) -> Difference:
    """Compare desired with live on a day (UTC).

    A section that is not in the config, is unmanaged, or was not read completely has no changes. The result does not
    depend on the order of the input.
    """
    return difference(identify(desired, live, applied), live, as_of)


def difference(identity: Identity, live: Live, as_of: date) -> Difference:
    """Compare both sides of an identity, as ``diff`` does."""
    desired = on_day(identity.desired, as_of)
    skip = ignored(desired.policy.ignore, as_of)
    changes = [change for kind in KINDS if manages(desired, live, kind) for change in _section(kind, desired, live)]
    changes += groups.changes(desired, live, identity, as_of) if manages(desired, live, _KIND_OF_GROUPS) else []
    changes += endpoint_changes(desired, live, changes)
    left = _Left(identity, desired, live, skip)
    reported = sorted((c for c in changes if not left.ignores(c.address)), key=lambda c: (c.address, c.action))
    keyed = [(_at(identity.names[key]), problem) for key, problem in identity.problems.items()]
    keyed += identity.idp_problems.items()
    return Difference(
        identity,
        changes=tuple(reported),
        released=tuple(sorted(releases(desired, live, identity, skip), key=lambda release: release.live)),
        unmanaged=tuple(sorted(left.unmanaged({c.address for c in changes}))),
        ignored=skip,
        problems=tuple(problem for at, problem in keyed if not left.ignores(at)),
    )


_KIND_OF_GROUPS = BY_SECTION["idp_groups"]


def manages(desired: Desired, live: Live, kind: Kind) -> bool:
    """Return whether a plan may write this section: in the config, managed, and read completely."""
    return (
        getattr(desired.settings, kind.section) is not UNSET
        and desired.policy.managing(kind.section) != "unmanaged"
        and live.covered(kind.section).state == "complete"
    )


def _section(kind: Kind, desired: Desired, live: Live) -> Iterator[Change]:
    if kind.keyed and not kind.whole:
        yield from _listed(kind.section, desired, live)
    elif not kind.keyed:
        yield from _singleton(kind, desired, live)


def _singleton(kind: Kind, desired: Desired, live: Live) -> Iterator[Change]:
    desired_value, live_value = getattr(desired.settings, kind.section), getattr(live.settings, kind.section)
    if isinstance(desired_value, Scim):
        desired_value = writable_scim(desired_value)
    if not agrees(live_value, desired_value):
        yield _change(desired, live, address(kind.section), "update", *_span(live_value, desired_value))


def _listed(section: str, desired: Desired, live: Live) -> Iterator[Change]:
    """Yield the changes of a section whose entries are compared field by field."""
    desired_entries, live_entries = _entries(desired, section), _entries(live, section)
    for key, value in desired_entries.items():
        if key not in live_entries:
            yield _change(desired, live, address(section, key), "create", None, value)
        elif not agrees(live_entries[key], value):
            yield _change(desired, live, address(section, key), "update", *_span(live_entries[key], value))
    authoritative = desired.policy.managing(section) == "authoritative"
    for key in live_entries.keys() - desired_entries.keys():
        at = address(section, key)
        if authoritative or desired.intent(at).remove:
            reason: Reason = "removed" if desired.intent(at).remove else "not_listed"
            yield _change(desired, live, at, "delete", live_entries[key], None, reason)


def _span(live: Any, desired: Any) -> tuple[Value, Value]:
    """Return both sides of an update, with only the fields that are managed and read."""
    known = without(desired, unread_fields(live, desired))
    before = restrict(live, known)
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
    """The entries that a plan does not change: ignored and unmanaged ones."""

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
    entries: Mapping[str, Value] | Any = getattr(side.settings, section)
    return {} if entries is UNSET else entries


def writable_scim(scim: Scim) -> Scim:
    """Return the SCIM settings without the endpoint, which no write sets, and without what the org cannot store."""
    return replace(scim, endpoint=UNSET, role_attribute=UNSET)


def endpoint_changes(desired: Desired, live: Live, changes: Sequence[Change]) -> list[Change]:
    """Return the endpoint upgrade (R20): start it on a legacy org; complete it on one that is upgrading, once no
    managed group is pending."""
    desired_scim, live_scim = desired.settings.scim, live.settings.scim
    if (
        desired_scim is UNSET
        or live_scim is UNSET
        or desired_scim.endpoint != "new"
        or desired.policy.managing("scim") == "unmanaged"
    ):
        return []
    if live_scim.endpoint == "legacy":
        return [_endpoint_change(desired, live, "legacy", "upgrading")]
    if live_scim.endpoint != "upgrading":
        return []
    complete = _endpoint_change(desired, live, "upgrading", "new")
    waits = any(change.via == "waiting" for change in changes)
    return [complete._replace(via="waiting", via_reason="not_pushed") if waits else complete]


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
