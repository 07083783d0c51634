"""Leave guards unevaluated that depend on a section which was changed in the console after it was read."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.model.kinds import DECIDING_SIGN_IN, KEYED, SECTIONS, split_address
from rolecall.model.live import ChangedSince
from rolecall.plan.commands import reread_fix
from rolecall.plan.coverage import USERS, changed_sentence
from rolecall.plan.guards.guard import Finding, GuardInput

_USERS = frozenset({USERS})
_ENTRIES = frozenset(kind.section for kind in KEYED)

RELIED: Mapping[str, frozenset[str]] = {
    "min_org_admins": _USERS,
    "required_org_admins": _USERS,
    "require_self": _USERS,
    "max_people_losing_access": _USERS,
    "escalations": _USERS,
    "max_removals": _ENTRIES,
    "possible_rename": _ENTRIES,
    "protect": _ENTRIES,
    "sign_in": DECIDING_SIGN_IN | _USERS,
    "preconditions": DECIDING_SIGN_IN,
}
"""The sections that a guard reads of the org, besides those whose changes are never logged."""


def evaluated_as_read(name: str, finding: Finding, guard_input: GuardInput) -> Finding:
    """Return the finding of a guard, or that it could not be evaluated: the plan touches a section that the guard
    depends on and that was changed after it was read. A block is certain enough to remain."""
    changed = outdated(guard_input)
    relied = [section for section in changed if section in RELIED.get(name, ())]
    if finding.verdict in ("block", "not judged") or not relied:
        return finding
    message = " ".join(changed_sentence(section, changed[section]) for section in relied)
    fixes = tuple(reread_fix(guard_input.plan_input.org, section) for section in relied)
    return Finding("not judged", message, finding.limit, source=finding.source, fixes=fixes, unread_settings=True)


def outdated(guard_input: GuardInput) -> dict[str, ChangedSince]:
    """Return the sections that this plan touches and that were changed after they were read, with the last change."""
    live = guard_input.plan_input.live
    since = ((name, live.covered(name).changed_since) for name in (*SECTIONS, USERS))
    changes = {name: change for name, change in since if change is not None}
    if not changes:
        return changes
    touched = {split_address(change.address)[0] for change in guard_input.effective}
    if guard_input.impact_result.forecast.moves:
        touched.add(USERS)
    return {name: change for name, change in changes.items() if name in touched}
