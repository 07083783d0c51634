"""How many people lose something they have."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.access.entitlements import Entitlements
from rolecall.plan.guards.guard import Finding, GuardInput, Item, at, bounds, unjudged
from rolecall.plan.guards.responsible import blame, cause_words, placed, undo_words
from rolecall.plan.headline import people
from rolecall.plan.impact.moves import Cohort
from rolecall.plan.moves import name_some
from rolecall.plan.value import Move

NAME = "max_people_losing_access"
_NAMED = 3


def max_people_losing_access(guard_input: GuardInput) -> Finding:
    """People with something before that they do not have after, against all active people."""
    limits = bounds(guard_input.policies, NAME, _active(guard_input), "active people")
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
    message = f"{_who(guard_input, number)}{_ends(losing)}; {limits.text}{at(guard_input.place(NAME))}."
    message += cause_words(guard_input, named)
    finding = finding._replace(message=message, fixes=undo_words(guard_input, named, "To keep their access"))
    return placed(guard_input, finding, named)


def lost(entitlements: Entitlements, cohort: Cohort) -> int:
    """The bits of access that the users of a class had and no longer have."""
    return entitlements.access_bits(cohort.before) & ~cohort.after


def _active(guard_input: GuardInput) -> int:
    facts, directory = guard_input.plan_input.live.facts, guard_input.impact_result.forecast.directory
    if facts.active_people is not None:
        return facts.active_people
    return 0 if directory is None else directory.active_people


def _who(guard_input: GuardInput, number: int) -> str:
    directory = guard_input.impact_result.forecast.directory
    text = people(number, "loses access", "lose access")
    if directory is None:
        return text
    numbers = [number for cohort, _ in guard_input.impact_result.losing() for number in cohort.numbers]
    return f"{text}: {name_some(directory, numbers, _NAMED)}"


def _ends(losing: Sequence[tuple[Cohort, Move]]) -> str:
    default = sum(move.size for _, move in losing if move.to_default)
    nothing = sum(move.size for _, move in losing if not move.after)
    return "".join(
        (
            f"; {people(default, 'falls', 'fall')} back to default access" if default else "",
            f"; {people(nothing, 'has', 'have')} no access left" if nothing else "",
        )
    )
