"""The picture of users whose access changes: what they lose on the left, what they gain on the right, as thick as their
number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import NamedTuple

from rolecall.report.document import Flow

MOST = 12
"""Flows drawn one by one, at the most; the others are one flow for each kind."""

SEVERITY = ("admin", "more", "lose", "change", "gain")
"""The kinds of flows, the most severe first."""

_LEAST = MOST // len(SEVERITY)
"""Flows of each kind that are drawn one by one before larger flows of other kinds."""

_OTHERS = {
    "admin": "to gain org admin",
    "more": "to gain a role above member",
    "lose": "to lose access",
    "change": "to change access",
    "gain": "to gain access",
}

WIDTH, ROW, GAP, BAR, SIDE = 1000, 15, 14, 10, 310
_TALL, _EACH = 400, 80
_THIN = 4.0
"""The minimum thickness of a ribbon, so that one user among thousands is visible."""
_LONGEST = 34
"""Characters in a row of a label, which has at most two: as many as fit next to the bands in a wide font."""


class Ribbon(NamedTuple):
    """Return a flow as a path with its tooltip."""

    path: str
    kind: str
    title: str


class Bar(NamedTuple):
    """The bar at one end of flows, with its label; ``x`` and ``y`` in the picture's own units. ``severe``: users gain
    roles above member."""

    x: float
    y: float
    height: float
    lines: tuple[str, ...]
    title: str
    text_x: float
    anchor: str
    severe: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything to draw."""

    height: int
    ribbons: tuple[Ribbon, ...]
    bars: tuple[Bar, ...]


def by_severity(flows: Sequence[Flow]) -> list[Flow]:
    """Return the flows, the most severe first, and of these the largest first."""
    return sorted(flows, key=lambda flow: (SEVERITY.index(flow.kind), -flow.size))


def drawn_flows(flows: Sequence[Flow]) -> list[Flow]:
    """Return the flows of the picture, the most severe first: the largest of each kind, then the largest of all; the
    others of a kind are one flow at its end."""
    ordered = by_severity(flows)
    kinds = {kind: [flow for flow in ordered if flow.kind == kind] for kind in SEVERITY}
    first = [flow for listed in kinds.values() for flow in listed[:_LEAST]]
    further = sorted((flow for listed in kinds.values() for flow in listed[_LEAST:]), key=lambda flow: -flow.size)
    single = set(map(id, (*first, *further[: MOST - len(first)])))
    drawn = []
    for kind, listed in kinds.items():
        smaller = [flow for flow in listed if id(flow) not in single]
        if len(smaller) == 1:
            drawn += listed
            continue
        drawn += [flow for flow in listed if id(flow) in single]
        if smaller:
            ways = f"{len(smaller):,} other ways {_OTHERS[kind]}"
            drawn.append(Flow(ways, ways, sum(flow.size for flow in smaller), kind))
    return drawn


def picture(flows: Sequence[Flow]) -> Picture | None:
    """Return the picture, or None where there are not at least two flows to compare."""
    drawn = drawn_flows(flows)
    if len(drawn) < 2:
        return None
    scale = min(_TALL, _EACH * len(drawn)) / sum(flow.size for flow in drawn)
    thick = {flow: max(flow.size * scale, _THIN) for flow in drawn}
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
        flows = [flow for flow in drawn if (flow.left if left else flow.right) == name]
        size = sum(flow.size for flow in flows)
        lines, title = _label(name, size), f"{size:,}: {name}"
        text_x, anchor = (x - 8, "end") if left else (x + BAR + 8, "start")
        severe = not left and all(flow.kind in ("admin", "more") for flow in flows)
        bars.append(Bar(x, top, bottom - top, lines, title, text_x, anchor, severe))
    return bars


def _ribbons(drawn: Sequence[Flow], thick: Mapping[Flow, float], left: Stack, right: Stack) -> list[Ribbon]:
    """Return the ribbons in the order of drawing: no thick one hides a thin one."""
    used_left, used_right = dict.fromkeys(left, 0.0), dict.fromkeys(right, 0.0)
    ribbons = []
    for flow in drawn:
        y1, y2 = left[flow.left][0] + used_left[flow.left], right[flow.right][0] + used_right[flow.right]
        size = thick[flow]
        used_left[flow.left] += size
        used_right[flow.right] += size
        title = f"{flow.size:,}: {flow.left} → {flow.right}"
        ribbons.append((size, Ribbon(_path(y1, y2, size), flow.kind, title)))
    return [ribbon for _, ribbon in sorted(ribbons, key=lambda sized: -sized[0])]


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
