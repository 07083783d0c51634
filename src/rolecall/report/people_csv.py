"""The people of a plan as CSV: a line for each person who moves, or for each way to move where people are not shown."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from rolecall.model.policy import Combo
from rolecall.plan.value import Move, Plan
from rolecall.report.visible import visible

COLUMNS = ("email", "people", "kind", "before", "after", "left_with_default", "because")

_FORMULA = ("=", "+", "-", "@")


def people_csv(plan: Plan) -> str:
    """RFC 4180 with a header. ``people`` is 1 but where a line stands for several whom the plan does not name.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for move in plan.impact.moves:
        writer.writerows([*map(_cell, row)] for row in _rows(move))
    return out.getvalue()


def _rows(move: Move) -> Iterator[tuple[str, ...]]:
    rest = (
        move.kind,
        _combos(move.before),
        _combos(move.after),
        "yes" if move.to_default else "no",
        "; ".join(move.because),
    )
    named = [who for who in move.people if who.email]
    yield from ((str(who.email), "1", *rest) for who in named)
    if len(named) < move.size:
        yield ("", str(move.size - len(named)), *rest)


def _combos(held: Iterable[Combo]) -> str:
    return "; ".join(f"{combo.team} {combo.role}" for combo in held)


def _cell(text: str) -> str:
    shown = visible(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
