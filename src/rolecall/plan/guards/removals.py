"""Limit how many entries are deleted or unmapped, and find unmapped groups that may have been renamed."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.model.change import Change
from rolecall.model.kinds import KINDS, split_address
from rolecall.model.settings import BLANK, UNSET
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, bounds
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import Detail

NAME = "max_removals"
_GONE = {"delete": "deleted", "unmap": "unmapped"}
_KEEP = {
    "deleted": "To keep them, add them to the config. To remove them in smaller steps, use several plans.",
    "unmapped": "To keep their mappings, add them to the config with a role and teams; `GROUP: blank` unmaps a group, "
    "too. To unmap them in smaller steps, use several plans.",
}
"""The action, by what happens to the entries."""


def max_removals(guard_input: GuardInput) -> Finding:
    """Compare the entries that a plan deletes or unmaps with the limits, section by section. Renames do not count."""
    settings = guard_input.plan_input.desired.settings
    sections = [
        _section(guard_input, kind.section, _GONE[kind.removal])
        for kind in KINDS
        if kind.removal and (kind.side == "org" or getattr(settings, kind.section) is not UNSET)
    ]
    tripped = [finding for finding in sections if finding.verdict != "pass"]
    if not tripped:
        total = sum(finding.total for finding in sections)
        return PASS._replace(limit="; ".join(_unique(finding.limit for finding in sections)), actual=total)
    worst = max(tripped, key=lambda finding: finding.verdict == "block")
    return worst._replace(
        message=tripped[0].message,
        details=tuple(detail for finding in tripped for detail in (Detail(finding.message), *finding.details))[1:],
        limit="; ".join(_unique(finding.limit for finding in tripped)),
        actual=sum(finding.total for finding in tripped),
        items=tuple(item for finding in tripped for item in finding.items),
        verdict_for=worst.verdict_for if len(tripped) == 1 else None,
        target=None,
    )


def possible_rename(guard_input: GuardInput) -> Finding:
    """Require approval where a group is unmapped while one of the config is missing: it may have been renamed."""
    unmapped = [change for change in guard_input.effective if _unmapped(change) and change.reason == "not_listed"]
    missing = [
        change for change in guard_input.changes if change.via == "waiting" and change.via_reason == "not_pushed"
    ]
    missing = [change for change in missing if split_address(change.address)[0] == "idp_groups" and not change.moved]
    if not unmapped or not missing:
        return PASS
    went, came = (enumerate_words([f"`{_key(change)}`" for change in changes]) for changes in (unmapped, missing))
    return Finding(
        "review",
        f"{went} would be unmapped, and the IdP has not pushed {came}; the group may have been renamed",
        actual=len(unmapped),
        items=tuple(Item(1, (change.address,)) for change in unmapped),
        source=missing[0].intent.source,
        fixes=("If it is the same group, add `previously: [OLD NAME]` to the new entry, or its `id`.",),
    )


def _section(guard_input: GuardInput, section: str, verb: str) -> Finding:
    removed = [
        c
        for c in guard_input.effective
        if split_address(c.address)[0] == section and c.action == "delete" and not c.moved
    ]
    managed = _managed(guard_input, section, len(removed))
    limits = bounds(guard_input.policies, NAME, managed, f"managed {section}")
    verdict = limits.verdict_for(len(removed))
    names = enumerate_words([f"`{_key(change)}`" for change in removed], 5)
    entries = f"{len(removed):,} {'entry' if len(removed) == 1 else 'entries'} of {section}"
    source = next((change.intent.source for change in removed if change.intent.source), None)
    return Finding(
        verdict,
        f"{entries} would be {verb}; {limits.exceeded(len(removed))}" if verdict != "pass" else "",
        limits.text,
        len(removed),
        tuple(Item(1, (change.address,)) for change in removed),
        source,
        removed[0].address if removed else None,
        verdict_for=limits.verdict_for,
        fixes=(_KEEP[verb],),
        details=(Detail(f"Cause: {names}", source),),
    )


def _managed(guard_input: GuardInput, section: str, removed: int) -> int:
    """Return how many entries of the config exist in the org, including those that the plan removes."""
    desired, live = (
        getattr(s, section) for s in (guard_input.plan_input.desired.settings, guard_input.plan_input.live.settings)
    )
    if desired is UNSET or live is UNSET:
        return removed
    leaving = {split_address(change.address)[1] for change in guard_input.effective if change.action == "delete"}
    return len({key for key, value in live.items() if value != BLANK and (key in desired or key in leaving)})


def _unmapped(change: Change) -> bool:
    return change.action == "delete" and split_address(change.address)[0] == "idp_groups"


def _key(change: Change) -> str:
    return split_address(change.address)[1] or change.address


def _unique(limits: Iterable[str | int | None]) -> list[str]:
    return list(dict.fromkeys(str(limit) for limit in limits))
