"""How many people lose something they have."""

from __future__ import annotations

from rolecall.model.settings import Address
from rolecall.plan.guards.case import Case, Finding, Item, at, unjudged
from rolecall.plan.guards.limits import bounds
from rolecall.plan.headline import people
from rolecall.plan.people import name_some

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
    finding = Finding(
        verdict,
        limit=limits.words,
        actual=number,
        items=tuple(Item(move.size, move.because) for _, move in rows),
        again=limits.judge,
    )
    if verdict == "pass":
        return finding
    largest = _largest(case)
    found = case.cause(largest)
    cause = f" {_how_many(case, largest[0], number)} of {found[0]}{at(found[1])}." if found else ""
    return finding._replace(
        message=f"{_who(case, number)}{_ends(case)}; {limits.words}{at(case.place(NAME))}.{cause}",
        source=found[1] if found else None,
        target=largest[0] if len(largest) == 1 else None,
        fixes=(_fix(largest),),
    )


def _active(case: Case) -> int:
    facts, directory = case.question.live.facts, case.reckoning.outlook.directory
    if facts.active_people is not None:
        return facts.active_people
    return 0 if directory is None else directory.active_people


def _who(case: Case, number: int) -> str:
    directory = case.reckoning.outlook.directory
    said = people(number, "loses something they have", "lose something they have")
    if directory is None:
        return said
    numbers = [number for row, _ in case.reckoning.losing() for number in row.numbers]
    return f"{said}: {name_some(directory, numbers, _NAMED)}"


def _ends(case: Case) -> str:
    impact = case.reckoning.impact
    default = f"; {people(impact.to_default, 'keeps', 'keep')} only the default" if impact.to_default else ""
    nothing = f"; {people(impact.to_nothing, 'is', 'are')} left with nothing" if impact.to_nothing else ""
    return f"{default}{nothing}"


def _how_many(case: Case, cause: Address, number: int) -> str:
    """Whether all lose by the first cause, or most, or only more of them than by any other."""
    own = sum(move.size for _, move in case.reckoning.losing() if cause in move.because)
    if own == number:
        return "Because"
    return "Most of them because" if 2 * own > number else f"{own:,} of them, the largest part, because"


def _fix(causes: tuple[Address, ...]) -> str:
    if not causes or causes[0].startswith("idp_groups/"):
        return "If they shall keep it, keep the role and the teams that the mapping gives today."
    return f"If they shall keep it, leave `{causes[0]}` as it is."


def _largest(case: Case) -> tuple[Address, ...]:
    """The changes that people lose by, the one of most people first."""
    sizes: dict[Address, int] = {}
    for _, move in case.reckoning.losing():
        for address in move.because:
            sizes[address] = sizes.get(address, 0) + move.size
    return tuple(sorted(sizes, key=lambda address: (-sizes[address], address)))
