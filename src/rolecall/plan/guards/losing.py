"""Limit how many users lose access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolecall.access.entitlements import Entitlements
from rolecall.plan.guards.guard import Finding, GuardInput, Item, bounds, unjudged
from rolecall.plan.guards.responsible import blame, causes, placed, undo_words
from rolecall.plan.headline import count_users
from rolecall.plan.impact.cohorts import Cohort
from rolecall.plan.value import Detail, Move

NAME = "max_people_losing_access"


def max_people_losing_access(guard_input: GuardInput) -> Finding:
    """Compare the users who lose a team role with the limits, which may be a share of all active users."""
    limits = bounds(guard_input.policies, NAME, active_users(guard_input), "active users")
    losing = guard_input.impact_result.losing()
    number = sum(move.size for _, move in losing)
    verdict = limits.verdict_for(number)
    if not guard_input.impact_result.judged and verdict != "block":
        return unjudged(guard_input, limits.text)
    entitlements = guard_input.impact_result.forecast.before.entitlements
    finding = Finding(
        verdict,
        limit=limits.text,
        actual=number,
        items=tuple(Item(move.size, cohort.causing(lost(entitlements, cohort))) for cohort, move in losing),
        verdict_for=limits.verdict_for,
    )
    if verdict == "pass":
        return finding
    named = blame((cohort for cohort, _ in losing), lambda cohort: lost(entitlements, cohort))
    text = f"{count_users(number, 'loses access', 'lose access')}{_also(losing, number)}; {limits.exceeded(number)}"
    details = (*causes(guard_input, named, users=True), *_ends(losing))
    fixes = undo_words(guard_input, named, "To keep their access")
    finding = finding._replace(message=text, details=details, fixes=fixes)
    return placed(guard_input, finding, named)


def lost(entitlements: Entitlements, cohort: Cohort) -> int:
    """Return the bits of access that the users of a class had and no longer have."""
    return entitlements.access_bits(cohort.before) & ~cohort.after


def active_users(guard_input: GuardInput) -> int:
    """Return the number of active users, the base of limits in percent."""
    facts, directory = guard_input.plan_input.live.facts, guard_input.impact_result.forecast.directory
    if facts.active_people is not None:
        return facts.active_people
    return 0 if directory is None else directory.active_people


def _also(losing: Sequence[tuple[Cohort, Move]], number: int) -> str:
    """Return how many of the users gain other access; a report counts them as users who change access."""
    changing = sum(move.size for _, move in losing if move.kind == "change" and not move.to_default)
    if not changing:
        return ""
    some = f"{changing:,} of them" if changing < number else "all of them" if number > 1 else "the user"
    return f" ({some} also gain{'s' if changing == 1 else ''} access)"


def _ends(losing: Sequence[tuple[Cohort, Move]]) -> Iterator[Detail]:
    default = sum(move.size for _, move in losing if move.to_default)
    nothing = sum(move.size for _, move in losing if not move.after)
    if default:
        yield Detail(f"{count_users(default, 'falls', 'fall')} back to default access.")
    if nothing:
        yield Detail(f"{count_users(nothing, 'has', 'have')} no access left.")
