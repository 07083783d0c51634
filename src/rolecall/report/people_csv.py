"""The people of a plan as CSV: a line for each person who moves, or for each way to move where people are not shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rolecall.model.policy import Combo
from rolecall.plan.value import Move, Plan
from rolecall.report.table import table

COLUMNS = ("email", "people", "kind", "before", "after", "left_with_default", "because")


def people_csv(plan: Plan) -> str:
    """A table. ``people`` is 1 but where a line stands for several whom the plan does not name."""
    return table(COLUMNS, (row for move in plan.impact.moves for row in _rows(move)))


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
