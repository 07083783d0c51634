"""Attribute what a plan does to users to the steps at which it happens, in the order of a runbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rolecall.model.change import Change
from rolecall.model.settings import Address
from rolecall.plan.moves import Attribution
from rolecall.plan.value import Move, Plan


def by_step(plan: Plan, steps: Sequence[Sequence[Change]]) -> Plan:
    """Return a plan in which each effect has one cause, the change with which it happens in this order of the steps.

    What needs several changes happens with the last one, what each of several changes causes alone with the first.
    Changes that rolecall writes come before all steps.
    """
    places = {change.address: place for place, changes in enumerate(steps, 1) for change in changes}
    moves = tuple(_at_steps(move, places) for move in plan.impact.moves)
    before, after = ({at for move in listed for at in move.because} for listed in (plan.impact.moves, moves))
    tallies = {at: tally for at, tally in plan.impact.tallies.items() if at in after or at not in before}
    return plan._replace(impact=plan.impact._replace(moves=moves, tallies=tallies))


def _at_steps(move: Move, places: Mapping[Address, int]) -> Move:
    if not move.causes:
        return move
    causes = tuple(_at_step(cause, places) for cause in move.causes)
    because = tuple(sorted({at for cause in causes for at in cause.because}))
    return move._replace(because=because, causes=causes if len(because) > 1 else ())


def _at_step(cause: Attribution, places: Mapping[Address, int]) -> Attribution:
    ordered = sorted(cause.because, key=lambda at: places.get(at, 0))
    return cause._replace(because=(ordered[-1] if cause.each else ordered[0],), each=False)
