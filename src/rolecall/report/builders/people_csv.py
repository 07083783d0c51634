"""The people of a plan as CSV: a line for each person who moves, or for each way to move where people are not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.model.policy import Combo
from rolecall.plan.coverage import USERS
from rolecall.plan.value import Move, Plan
from rolecall.report.renderers.csv import table

COLUMNS = ("email", "people", "kind", "before", "after", "left_with_default", "because")


def people_csv(plan: Plan) -> str:
    """A table. ``people`` is 1 but where a line stands for several whom the plan does not name.

    Where users were not read completely the last lines are of kind ``unknown``: one for each change of a mapping, with
    the members that the org counts, or one without a number.
    """
    rows = (row for move in plan.impact.moves for row in _rows(move))
    return table(COLUMNS, (*rows, *(_unknown(plan) if USERS in plan.unread else ())))


def _unknown(plan: Plan) -> Iterator[tuple[str, ...]]:
    for at, number in sorted(plan.impact.members.items()):
        yield ("", str(number), "unknown", "", "", "", at)
    if not plan.impact.members:
        yield ("", "", "unknown", "", "", "", "")


def _rows(move: Move) -> Iterator[tuple[str, ...]]:
    rest = (
        move.kind,
        _combos(move.before),
        _combos(move.after),
        "yes" if move.on_default else "no",
        "; ".join(move.because),
    )
    named = [who for who in move.people if who.email]
    yield from ((str(who.email), "1", *rest) for who in named)
    if len(named) < move.size:
        yield ("", str(move.size - len(named)), *rest)


def _combos(held: Iterable[Combo]) -> str:
    return "; ".join(f"{combo.team} {combo.role}" for combo in held)
