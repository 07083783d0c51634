"""Measurements beside their aims, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Result(NamedTuple):
    """One measured number. ``most`` and ``least`` are its aim; one of them, or none for what is only told."""

    what: str
    value: float
    unit: str = ""
    most: float | None = None
    least: float | None = None
    beside: str = ""

    @property
    def met(self) -> bool:
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def cells(self) -> tuple[str, ...]:
        aim = f"≤ {self.most:g}" if self.most is not None else f"≥ {self.least:g}" if self.least is not None else ""
        verdict = "" if not aim else "met" if self.met else f"**missed by {self._gap:.0%}**"
        unit = f" {self.unit}" if self.unit else ""
        return (
            self.what,
            f"{self.value:,.3g}{unit}" if self.value < 1000 else f"{self.value:,.0f}{unit}",
            (aim + (unit if aim else "")),
            verdict,
            self.beside,
        )

    @property
    def _gap(self) -> float:
        return self.value / self.most - 1 if self.most else 1 - self.value / (self.least or 1)


HEAD = ("what", "measured", "aim", "", "beside it")


def markdown(title: str, results: Iterable[Result], *remarks: str) -> str:
    """A section: a heading, a table, and remarks below it."""
    return section(title, HEAD, (result.cells for result in results), *remarks)


def section(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], *remarks: str) -> str:
    lines = [f"## {title}", "", _row(head), _row("---" for _ in head), *map(_row, rows)]
    return "\n".join([*lines, *(f"\n{remark}" for remark in remarks), ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
