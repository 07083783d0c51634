"""The picture of users whose access changes: what they lose on the left, what they gain on the right, as thick as they
are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple

from rolecall.report.document import Flow

MOST = 12
"""Flows drawn one by one; the rest is one flow, for a picture is to be read."""

WIDTH, ROW, GAP, BAR, SIDE = 1000, 15, 14, 10, 310
_TALL, _EACH = 400, 80
_LONGEST = 34
"""Characters of a label's row, of which there are two at most: as many as fit beside the bands in a wide font."""


class Ribbon(NamedTuple):
    """A flow as a path, with what it says when pointed at."""

    path: str
    kind: str
    title: str


class Bar(NamedTuple):
    """The bar at one end of flows, with its label; ``x`` and ``y`` in the picture's own units."""

    x: float
    y: float
    height: float
    lines: tuple[str, ...]
    title: str
    text_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to draw."""

    height: int
    ribbons: tuple[Ribbon, ...]
    bars: tuple[Bar, ...]


def joint_flow(flows: Sequence[Flow]) -> Flow | None:
    """Return one flow for all past the dozen that are drawn one by one, or None."""
    joint = flows[MOST:]
    ways = f"{len(joint):,} other way{'s' if len(joint) > 1 else ''}"
    return Flow(ways, ways, sum(flow.size for flow in joint), "rest") if joint else None


def picture(flows: Sequence[Flow]) -> Picture | None:
    """Return the picture, or None when no one's access changes."""
    joint = joint_flow(flows)
    drawn = [*flows[:MOST], *([joint] if joint else [])]
    if not drawn:
        return None
    scale = min(_TALL, _EACH * len(drawn)) / sum(flow.size for flow in drawn)
    thick = {flow: max(flow.size * scale, 3.0) for flow in drawn}
    left = _stack([flow.left for flow in drawn], {flow: flow.left for flow in drawn}, thick)
    right = _stack([flow.right for flow in drawn], {flow: flow.right for flow in drawn}, thick)
    bars = [*_bars(left, drawn, SIDE, left=True), *_bars(right, drawn, WIDTH - SIDE - BAR, left=False)]
    height = max(bar.y + max(bar.height, ROW * len(bar.lines)) for bar in bars)
    return Picture(int(height) + GAP, tuple(_ribbons(drawn, thick, left, right)), tuple(bars))


Stack = Mapping[str, tuple[float, float]]


def _stack(names: Sequence[str], of: Mapping[Flow, str], thick: Mapping[Flow, float]) -> dict[str, tuple[float, float]]:
    """Return each name's span from top to bottom: as thick as its flows, and at least a line of text."""
    spans: dict[str, tuple[float, float]] = {}
    top = float(GAP)
    for name in dict.fromkeys(names):
        size = sum(thick[flow] for flow, end in of.items() if end == name)
        spans[name] = (top, top + size)
        top += max(size, ROW * len(_label(name, 10**6))) + GAP
    return spans


def _bars(stack: Stack, drawn: Sequence[Flow], x: float, *, left: bool) -> list[Bar]:
    bars = []
    for name, (top, bottom) in stack.items():
        size = sum(flow.size for flow in drawn if (flow.left if left else flow.right) == name)
        lines, title = _label(name, size), f"{size:,}: {name}"
        bars.append(Bar(x, top, bottom - top, lines, title, x - 8 if left else x + BAR + 8, "end" if left else "start"))
    return bars


def _ribbons(drawn: Sequence[Flow], thick: Mapping[Flow, float], left: Stack, right: Stack) -> list[Ribbon]:
    used_left, used_right = dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0)
    ribbons = []
    for flow in drawn:
        y1, y2 = left[flow.left][0] + used_left[flow.left], right[flow.right][0] + used_right[flow.right]
        size = thick[flow]
        used_left[flow.left] += size
        used_right[flow.right] += size
        title = f"{flow.size:,}: {flow.left} → {flow.right}"
        ribbons.append(Ribbon(_path(y1, y2, size), flow.kind, title))
    return ribbons


def _path(y1: float, y2: float, size: float) -> str:
    x1, x2 = SIDE + BAR, WIDTH - SIDE - BAR
    mid = (x1 + x2) / 2
    return (
        f"M{x1} {y1:.1f}C{mid} {y1:.1f} {mid} {y2:.1f} {x2} {y2:.1f}V{y2 + size:.1f}"
        f"C{mid} {y2 + size:.1f} {mid} {y1 + size:.1f} {x1} {y1 + size:.1f}Z"
    )


def _label(name: str, size: int) -> tuple[str, ...]:
    """Return a name and a number in one row or two, cut where that is not enough."""
    return tuple(wrap(f"{size:,} · {name}", _LONGEST, max_lines=2, placeholder="…"))
