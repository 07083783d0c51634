"""How people are named in a report: by name, masked, or only counted; and moves of access as sentences."""

from __future__ import annotations

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rolecall.model.settings import Address
from rolecall.plan.value import Impact, Move, Who
from rolecall.report.visible import visible
from rolecall.report.words import combos, count

PeopleShown = Literal["names", "masked", "counts"]

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Naming:
    """What a report may show of people. ``key`` is the secret that masks are made with; it is never shown."""

    shown: PeopleShown = "names"
    key: bytes = b""

    def name(self, who: Who) -> str:
        """The e-mail, or a mask that is the same for the same person under the same key."""
        plain = who.email or who.id
        if self.shown == "names":
            return visible(plain)
        digest = hmac.new(self.key, plain.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"person-{digest[:8]}"

    def some(self, people: Sequence[Who], most: int = _SHOWN) -> str:
        """The first few and a count of the rest; only the count where people are not to be shown."""
        if self.shown == "counts":
            return count(len(people), "person")
        names = ", ".join(self.name(who) for who in people[:most])
        return names if len(people) <= most else f"{names} and {len(people) - most:,} more"


def moves_by_address(impact: Impact) -> Mapping[Address, tuple[Move, ...]]:
    """The moves that each change takes part in, largest first."""
    by: defaultdict[Address, list[Move]] = defaultdict(list)
    for move in impact.moves:
        for at in move.because:
            by[at].append(move)
    return {at: tuple(moves) for at, moves in by.items()}


def move_sentence(move: Move) -> str:
    """``40 lose Marketing member, gain Brand member``."""
    before, after = frozenset(move.before), frozenset(move.after)
    parts = [
        f"{verb} {combos(sorted(held))}" for verb, held in (("lose", before - after), ("gain", after - before)) if held
    ]
    ends = ""
    if not move.after:
        ends = ", left with nothing"
    elif move.to_default:
        ends = ", left with only the default"
    return f"{move.size:,} {', '.join(parts)}{ends}"


def together(move: Move, at: Address) -> str:
    """Which other changes a move takes, in words, or nothing."""
    others = [visible(other) for other in move.because if other != at]
    if not others:
        return ""
    rest = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
    return f" (with {others[0]}{rest})"


def named(moves: Iterable[Move], naming: Naming) -> str:
    """Who moves, when they are few enough to be read; else nothing."""
    people = [who for move in moves for who in move.people]
    if naming.shown == "counts" or not 0 < len(people) <= _SHOWN:
        return ""
    return ", ".join(map(naming.name, people))
