"""How many people lose something they have."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.access.atoms import Atoms
from rolecall.plan.guards.guard import Finding, GuardInput, Item, at, bounds, unjudged
from rolecall.plan.guards.responsible import blame, cause_words, placed, undo_words
from rolecall.plan.headline import people
from rolecall.plan.impact.moves import Class
from rolecall.plan.moves import name_some
from rolecall.plan.value import Move

NAME = "max_people_losing_access"
_NAMED = 3


def max_people_losing_access(guard_input: GuardInput) -> Finding:
    """People with something before that they do not have after, against all active people."""
    limits = bounds(guard_input.policies, NAME, _active(guard_input), "active people")
    rows = guard_input.impact_result.losing()
    number = sum(move.size for _, move in rows)
    verdict = limits.judge(number)
    if not guard_input.impact_result.judged and verdict != "block":
        return unjudged(guard_input, limits.words)
    atoms = guard_input.impact_result.forecast.before.atoms
    finding = Finding(
        verdict,
        limit=limits.words,
        actual=number,
        items=tuple(Item(move.size, row.causing(lost(atoms, row))) for row, move in rows),
        again=limits.judge,
    )
    if verdict == "pass":
        return finding
    named = blame((row for row, _ in rows), lambda row: lost(atoms, row))
    message = f"{_who(guard_input, number)}{_ends(rows)}; {limits.words}{at(guard_input.place(NAME))}."
    message += cause_words(guard_input, named)
    finding = finding._replace(message=message, fixes=undo_words(guard_input, named, "To keep their access"))
    return placed(guard_input, finding, named)


def lost(atoms: Atoms, row: Class) -> int:
    """The bits of access that the users of a class had and no longer have."""
    return atoms.atoms(row.before) & ~row.after


def _active(guard_input: GuardInput) -> int:
    facts, directory = guard_input.plan_input.live.facts, guard_input.impact_result.forecast.directory
    if facts.active_people is not None:
        return facts.active_people
    return 0 if directory is None else directory.active_people


def _who(guard_input: GuardInput, number: int) -> str:
    directory = guard_input.impact_result.forecast.directory
    said = people(number, "loses access", "lose access")
    if directory is None:
        return said
    numbers = [number for row, _ in guard_input.impact_result.losing() for number in row.numbers]
    return f"{said}: {name_some(directory, numbers, _NAMED)}"


def _ends(rows: Sequence[tuple[Class, Move]]) -> str:
    default = sum(move.size for _, move in rows if move.to_default)
    nothing = sum(move.size for _, move in rows if not move.after)
    return "".join(
        (
            f"; {people(default, 'falls', 'fall')} back to default access" if default else "",
            f"; {people(nothing, 'has', 'have')} no access left" if nothing else "",
        )
    )
