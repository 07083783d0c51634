"""People who gain something above member: team admin, org admin, or a role outside the ranks."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.access.entitlements import ORG
from rolecall.access.shift import escalates
from rolecall.model.policy import Guards, Stance, TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN, TEAM_ADMIN
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at, unjudged
from rolecall.plan.guards.responsible import Blame, blame, cause_words, placed, undo_words
from rolecall.plan.headline import access_words, people
from rolecall.plan.value import Escalation, Verdict

NAME = "escalations"
_VERDICTS: dict[Stance, Verdict] = {"allow": "pass", "review": "review", "deny": "block"}
_STRICT: tuple[Stance, ...] = ("allow", "review", "deny")
_FREE: Stance = "allow"
_KINDS = {TEAM_ADMIN: TEAM_ADMIN, ORG_ADMIN: ORG_ADMIN}


def escalations(guard_input: GuardInput) -> Finding:
    """Each person by what they gain; `deny` is never lifted."""
    gained = guard_input.impact_result.impact.escalations
    stances = [(escalation, stance(guard_input.policies, escalation.gains)) for escalation in gained]
    worst = max((stance for _, stance in stances), key=_STRICT.index, default=_FREE)
    limit = ", ".join(f"{kind} {_strictest(guard_input.policies, kind)}" for kind in (TEAM_ADMIN, ORG_ADMIN, "custom"))
    if worst != "deny" and not guard_input.impact_result.judged:
        return unjudged(guard_input, limit)
    if worst == "allow":
        return PASS._replace(limit=limit, actual=len(gained))
    tripped = [escalation for escalation, stance in stances if stance == worst]
    counted = tripped if worst == "deny" else [escalation for escalation, stance in stances if stance != "allow"]
    verb = "denies" if worst == "deny" else "asks for a review of"
    named = _blame(guard_input, worst)
    finding = Finding(
        _VERDICTS[worst],
        f"{_who(counted)}; the config {verb} that{at(guard_input.place(NAME))}.{cause_words(guard_input, named)}",
        limit,
        len(counted),
        tuple(Item(1, escalation.because) for escalation in counted),
        firm=worst == "deny",
        fixes=(*undo_words(guard_input, named, "To reject it"), *_fix(worst)),
    )
    return placed(guard_input, finding, named)


def stance(policies: Iterable[Guards], gains: Iterable[TeamRole]) -> Stance:
    """The strictest stance on any of the team roles gained."""
    kinds = {_KINDS.get(role, "custom") for _, role in gains if role != MEMBER}
    return max((_strictest(policies, kind) for kind in kinds), key=_STRICT.index, default=_FREE)


def _strictest(policies: Iterable[Guards], kind: str) -> Stance:
    return max((guards.escalations.get(kind, "review") for guards in policies), key=_STRICT.index)


def _who(gained: list[Escalation]) -> str:
    """By what they gain: ``ann@acme.com becomes IT org admin``."""
    by: dict[tuple[TeamRole, ...], list[str]] = {}
    for escalation in gained:
        by.setdefault(escalation.gains, []).append(escalation.who.email or escalation.who.id)
    parts = []
    for gains, emails in sorted(by.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = ", ".join(sorted(emails)[:3]) + (f" and {len(emails) - 3:,} more" if len(emails) > 3 else "")
        parts.append(f"{people(len(emails), 'gains', 'gain')} {access_words(gains)}: {shown}")
    return "; ".join(parts[:4]) + (f"; and {len(parts) - 4} more kinds" if len(parts) > 4 else "")


def _blame(guard_input: GuardInput, worst: Stance) -> list[Blame]:
    """The causes of the gains that have the strictest stance, new org admins first."""
    entitlements = guard_input.impact_result.forecast.before.entitlements
    cohorts = [
        cohort
        for cohort in guard_input.impact_result.cohorts
        if (gains := escalates(entitlements, cohort.before, cohort.after))
        and stance(guard_input.policies, gains) == worst
    ]
    return blame(cohorts, lambda cohort: entitlements.above_member(cohort.after) & ~cohort.before, ORG)


def _fix(worst: Stance) -> tuple[str, ...]:
    return ("Or take the user out of the group in the IdP.",) if worst == "deny" else ()
