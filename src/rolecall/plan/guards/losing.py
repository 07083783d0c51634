"""How many people lose something they have."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.access.atoms import Atoms
from rolecall.plan.guards.blame import blame, cause_words, placed, undo_words
from rolecall.plan.guards.case import Case, Finding, Item, at, bounds, unjudged
from rolecall.plan.headline import people
from rolecall.plan.impact.moves import Class
from rolecall.plan.moves import name_some
from rolecall.plan.value import Move

NAME = "max_people_losing_access"
_NAMED = 3


def max_people_losing_access(case: Case) -> Finding:
    """People with something before that they do not have after, against all active people."""
    limits = bounds(case.policies, NAME, _active(case), "active people")
    rows = case.reckoning.losing()
    number = sum(move.size for _, move in rows)
    verdict = limits.judge(number)
    if not case.reckoning.judged and verdict != "block":
        return unjudged(case, limits.words)
    atoms = case.reckoning.outlook.before.atoms
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
    message = f"{_who(case, number)}{_ends(rows)}; {limits.words}{at(case.place(NAME))}.{cause_words(case, named)}"
    finding = finding._replace(message=message, fixes=undo_words(case, named, "To keep their access"))
    return placed(case, finding, named)


def lost(atoms: Atoms, row: Class) -> int:
    """The bits of access that the users of a class had and no longer have."""
    return atoms.atoms(row.before) & ~row.after


def _active(case: Case) -> int:
    facts, directory = case.question.live.facts, case.reckoning.outlook.directory
    if facts.active_people is not None:
        return facts.active_people
    return 0 if directory is None else directory.active_people


def _who(case: Case, number: int) -> str:
    directory = case.reckoning.outlook.directory
    said = people(number, "loses access", "lose access")
    if directory is None:
        return said
    numbers = [number for row, _ in case.reckoning.losing() for number in row.numbers]
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
