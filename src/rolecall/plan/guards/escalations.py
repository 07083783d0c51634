"""Find users who gain a role above member: team admin, org admin, or a custom role."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.access.entitlements import ORG
from rolecall.access.shift import escalates
from rolecall.model.policy import Guards, Stance, TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN, TEAM_ADMIN
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, unjudged
from rolecall.plan.guards.responsible import ResponsibleChanges, blame, causes, placed, undo_words
from rolecall.plan.headline import escalation_words
from rolecall.plan.value import Detail, Escalation, Verdict

NAME = "escalations"
_VERDICTS: dict[Stance, Verdict] = {"allow": "pass", "review": "review", "deny": "block"}
_STRICT: tuple[Stance, ...] = ("allow", "review", "deny")
_FREE: Stance = "allow"
_MOST = 4
_KINDS = {TEAM_ADMIN: TEAM_ADMIN, ORG_ADMIN: ORG_ADMIN}


def escalations(guard_input: GuardInput) -> Finding:
    """Require approval for escalations, or block them; `deny` cannot be overridden."""
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
    named = _blame(guard_input, worst)
    message, *more = _gains(counted)
    denied = (Detail("The config denies this escalation."),) if worst == "deny" else ()
    finding = Finding(
        _VERDICTS[worst],
        message,
        limit,
        len(counted),
        tuple(Item(1, escalation.because) for escalation in counted),
        firm=worst == "deny",
        fixes=(*undo_words(guard_input, named, "To reject it"), *_fix(worst)),
        details=(*map(Detail, more), *denied, *causes(guard_input, named)),
    )
    return placed(guard_input, finding, named)


def stance(policies: Iterable[Guards], gains: Iterable[TeamRole]) -> Stance:
    """Return the strictest stance on any of the team roles gained."""
    kinds = {_KINDS.get(role, "custom") for _, role in gains if role != MEMBER}
    return max((_strictest(policies, kind) for kind in kinds), key=_STRICT.index, default=_FREE)


def _strictest(policies: Iterable[Guards], kind: str) -> Stance:
    return max((guards.escalations.get(kind, "review") for guards in policies), key=_STRICT.index)


def _gains(gained: Iterable[Escalation]) -> list[str]:
    """Return ``2 users gain IT org admin: ann@acme.com, bo@acme.com`` for each set of team roles gained; new org admins
    first, then the most users."""
    alike: dict[tuple[bool, tuple[TeamRole, ...]], list[Escalation]] = {}
    for escalation in gained:
        alike.setdefault((escalation.was_org_admin, escalation.gains), []).append(escalation)
    lines = []
    for _, users in sorted(alike.items(), key=_by_severity):
        emails = sorted(escalation.who.email or escalation.who.id for escalation in users)
        shown = ", ".join(emails[:3]) + (f" and {len(emails) - 3:,} more" if len(emails) > 3 else "")
        lines.append(f"{escalation_words(users[0], len(users))}: {shown}")
    return [*lines[:_MOST], *([f"{len(lines) - _MOST:,} more kinds of escalations"] if len(lines) > _MOST else [])]


def _by_severity(
    item: tuple[tuple[bool, tuple[TeamRole, ...]], list[Escalation]],
) -> tuple[bool, int, tuple[bool, tuple[TeamRole, ...]]]:
    key, users = item
    return not users[0].new_org_admin, -len(users), key


def _blame(guard_input: GuardInput, worst: Stance) -> list[ResponsibleChanges]:
    """Return the causes of the gains with the strictest stance, new org admins first."""
    entitlements = guard_input.impact_result.forecast.before.entitlements
    cohorts = [
        cohort
        for cohort in guard_input.impact_result.cohorts
        if (gains := escalates(entitlements, cohort.before, cohort.after))
        and stance(guard_input.policies, gains) == worst
    ]
    return blame(cohorts, lambda cohort: entitlements.above_member(cohort.after) & ~cohort.before, ORG)


def _fix(worst: Stance) -> tuple[str, ...]:
    return ("Or remove the user from the group in the IdP.",) if worst == "deny" else ()
