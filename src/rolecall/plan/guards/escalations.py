"""People who gain something above member: team admin, org admin, or a role outside the ranks."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.access.atoms import ORG
from rolecall.access.shift import escalates
from rolecall.model.policy import Combo, Guards, Stance
from rolecall.model.roles import MEMBER, ORG_ADMIN, TEAM_ADMIN
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at, unjudged
from rolecall.plan.guards.responsible import Blame, blame, cause_words, placed, undo_words
from rolecall.plan.headline import combos, people
from rolecall.plan.value import Escalation, Verdict

NAME = "escalations"
_VERDICTS: dict[Stance, Verdict] = {"allow": "pass", "review": "review", "deny": "block"}
_STRICT: tuple[Stance, ...] = ("allow", "review", "deny")
_FREE: Stance = "allow"
_KINDS = {TEAM_ADMIN: TEAM_ADMIN, ORG_ADMIN: ORG_ADMIN}


def escalations(guard_input: GuardInput) -> Finding:
    """Each person by what they gain; `deny` is never lifted."""
    found = guard_input.impact_result.impact.escalations
    said = [(row, stance(guard_input.policies, row.gains)) for row in found]
    worst = max((stance for _, stance in said), key=_STRICT.index, default=_FREE)
    limit = ", ".join(f"{kind} {_said(guard_input.policies, kind)}" for kind in (TEAM_ADMIN, ORG_ADMIN, "custom"))
    if worst != "deny" and not guard_input.impact_result.judged:
        return unjudged(guard_input, limit)
    if worst == "allow":
        return PASS._replace(limit=limit, actual=len(found))
    tripped = [row for row, stance in said if stance == worst]
    counted = tripped if worst == "deny" else [row for row, stance in said if stance != "allow"]
    verb = "denies" if worst == "deny" else "asks for a review of"
    named = _blame(guard_input, worst)
    finding = Finding(
        _VERDICTS[worst],
        f"{_who(counted)}; the config {verb} that{at(guard_input.place(NAME))}.{cause_words(guard_input, named)}",
        limit,
        len(counted),
        tuple(Item(1, row.because) for row in counted),
        firm=worst == "deny",
        fixes=(*undo_words(guard_input, named, "To reject it"), *_fix(worst)),
    )
    return placed(guard_input, finding, named)


def stance(policies: Iterable[Guards], gains: Iterable[Combo]) -> Stance:
    """The strictest stance on any of the combos gained."""
    kinds = {_KINDS.get(role, "custom") for _, role in gains if role != MEMBER}
    return max((_said(policies, kind) for kind in kinds), key=_STRICT.index, default=_FREE)


def _said(policies: Iterable[Guards], kind: str) -> Stance:
    return max((guards.escalations.get(kind, "review") for guards in policies), key=_STRICT.index)


def _who(rows: list[Escalation]) -> str:
    """By what they gain: ``ann@acme.com becomes IT org admin``."""
    by: dict[tuple[Combo, ...], list[str]] = {}
    for row in rows:
        by.setdefault(row.gains, []).append(row.who.email or row.who.id)
    said = []
    for gains, emails in sorted(by.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = ", ".join(sorted(emails)[:3]) + (f" and {len(emails) - 3:,} more" if len(emails) > 3 else "")
        said.append(f"{people(len(emails), 'gains', 'gain')} {combos(gains)}: {shown}")
    return "; ".join(said[:4]) + (f"; and {len(said) - 4} more kinds" if len(said) > 4 else "")


def _blame(guard_input: GuardInput, worst: Stance) -> list[Blame]:
    """The causes of the gains that have the strictest stance, new org admins first."""
    atoms = guard_input.impact_result.forecast.before.atoms
    rows = [
        row
        for row in guard_input.impact_result.classes
        if (gains := escalates(atoms, row.before, row.after)) and stance(guard_input.policies, gains) == worst
    ]
    return blame(rows, lambda row: atoms.above_member(row.after) & ~row.before, ORG)


def _fix(worst: Stance) -> tuple[str, ...]:
    return ("Or take the user out of the group in the IdP.",) if worst == "deny" else ()
