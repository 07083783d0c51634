"""Redact records of users: to names, masks made with a secret key, or counts.

A walk over a record by its type hints: it masks every user, and every text that is not marked otherwise is searched for
addresses (see ``model.record``). So a field that is added to a record is masked unless it is marked otherwise.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from rolecall.errors import Problem, Where
from rolecall.model import normalise
from rolecall.model.record import IDENTIFIED, PUBLIC, USER, Normal
from rolecall.plan.value import Impact, Move, Plan, Who

Shown = Literal["names", "masked", "counts"]
T = TypeVar("T")

_LOCAL = r"[^\s@,;:()<>\[\]`'\"]+"
_EMAIL = rf"{_LOCAL}(?:'{_LOCAL})*@[^\s@,;:()<>\[\]`'\"]*[^\s@,;:()<>\[\]`'\".!?]"
_NAMES = re.compile(rf"(: )?({_EMAIL}(?:, {_EMAIL})*)(?: and ([\d,]+) more)?")
_ONE = re.compile(_EMAIL)
_BREAKS = re.compile(r"[\s,;:()]+")
_DIGITS = 12
"""Digits of a mask: with a million users, two share one in one of two hundred reports."""


def redact(plan: Plan, mode: Shown, key: bytes = b"") -> Plan:
    """Return the plan as it may be shown: users by ``names`` (unchanged), ``masked`` under a key, or as ``counts``.

    The org's ids of escalated and at-risk users remain, and with them the digest; all other ids are removed. Email
    addresses are also removed from sentences. Text of the config (owners, required users, access tests) remains.
    A user has the same mask under the same key. Without the key, users cannot be identified: they are in the order of
    their masks, and sentences that name only the first few, in alphabetical order, name none.
    """
    if mode == "names":
        return plan
    addresses = (record.address for records in (plan.changes, plan.released, plan.unmanaged) for record in records)
    veil = Veil(mode, key, frozenset(addresses), _odd(plan.impact), {Move: _move}, {Move: _in_order})
    return veil.redacted(plan)


def mask(key: bytes, email: str, digits: int = _DIGITS) -> str:
    """Return ``person-3fa91c02d4e6``: the same for one user under one key (HMAC-SHA256)."""
    digest = hmac.new(key, normalise.email(email).encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"person-{digest.hexdigest()[:digits]}"


@dataclass(frozen=True, slots=True)
class Veil:
    """The way in which users are hidden.

    ``kept`` are addresses whose own words stay, ``odd`` names of users that are not email addresses. ``special``
    are records that are changed in another way than by their hints, and ``orders`` how records that name users are
    sorted where not by their fields; None leaves their order.
    """

    mode: Shown
    key: bytes
    kept: frozenset[str] = frozenset()
    odd: frozenset[str] = frozenset()
    special: Mapping[type, Callable[[Any, Veil], Any]] = field(default_factory=dict)
    orders: Mapping[type, Callable[[Any], Any] | None] = field(default_factory=dict)

    def redacted(self, record: T) -> T:
        """Return a record as it may be shown."""
        kind = type(record)
        if kind in self.special:
            return cast(T, self.special[kind](record, self))
        return cast(T, _by_hints(record, self))

    def identified(self, who: Who) -> Who:
        """Return a user whose id a plan needs."""
        return Who(who.id, None if self.mode == "counts" else self.label(who.email or who.id))

    def anonymous(self, who: Who) -> Who:
        """Return any other user."""
        if self.mode == "counts":
            return Who("", None)
        label = self.label(who.email or who.id)
        return Who(label, label)

    def label(self, email: str) -> str:
        """Return what replaces a user's name."""
        return "1 user" if self.mode == "counts" else mask(self.key, email)

    def text(self, text: str) -> str:
        """Return a sentence without email addresses; those in names of groups of the plan remain."""
        stands_for: dict[str, str] = {}
        for number, odd in enumerate(self._odd_in(text)):
            stands_for[f"{number}@odd"] = odd
            text = re.sub(rf"(?<!\w){re.escape(odd)}(?!\w)", f"{number}@odd", text)
        return _NAMES.sub(lambda names: self._hidden(names, stands_for), text) if "@" in text else text

    def ordered(self, records: Iterable[Any]) -> Iterable[Any]:
        """Return records that name users in an order that does not identify them."""
        listed = list(records)
        if listed and type(listed[0]) in self.orders:
            order = self.orders[type(listed[0])]
            return listed if order is None else sorted(listed, key=order)
        try:
            return sorted(listed)
        except TypeError:
            return sorted(listed, key=_comparable)

    def _odd_in(self, text: str) -> list[str]:
        """Return the odd names that a text has, the longest first."""
        if not self.odd:
            return []
        names = self.odd.intersection(_BREAKS.split(text), text.split())
        return sorted({*names, *(odd for odd in self.odd if _BREAKS.search(odd) and odd in text)}, key=_longest)

    def _hidden(self, match: re.Match[str], stands_for: Mapping[str, str]) -> str:
        """Return a list of names as it may be shown; ``: `` before it goes with it."""
        names = match[2].split(", ")
        if any(map(self._keeps, names)):
            return _ONE.sub(lambda name: self._kept_or_hidden(name[0], stands_for), match[0])
        if self.mode == "masked" and not match[3]:
            masks = sorted(self._stand_in(name, stands_for) for name in names)
            return f"{match[1] or ''}{', '.join(masks)}"
        if match[1]:
            return ""
        number = len(names) + int((match[3] or "0").replace(",", ""))
        return "1 user" if number == 1 else f"{number:,} users"

    def _kept_or_hidden(self, name: str, stands_for: Mapping[str, str]) -> str:
        return name if self._keeps(name) else self._stand_in(name, stands_for)

    def _stand_in(self, name: str, stands_for: Mapping[str, str]) -> str:
        return self.label(stands_for.get(name, name))

    def _keeps(self, name: str) -> bool:
        return any(name in address for address in self.kept)


class _Step(NamedTuple):
    """The treatment of the values of one type hint: ``change`` returns the value as it may be shown, None for
    the value itself; ``names_users``: several of them must not be in the order of the users."""

    change: Callable[[Any, Veil], Any] | None = None
    names_users: bool = False


_AS_IT_IS = _Step()
_TEXT = _Step(lambda text, veil: veil.text(text))
_UNMARKED: Mapping[type, frozenset[str]] = {Problem: frozenset({"code", "where"})}
"""Fields to be shown as they are of records that have no marks, since they are below the model."""


@cache
def _step(hint: Any) -> _Step:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _marked(args[0], args[1:])
    if hint is str:
        return _TEXT
    if hint is Who:
        return _Step(lambda who, veil: veil.anonymous(who), True)
    if origin in (Union, UnionType):
        return _union([_step(arg) for arg in args])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_step(args[1]))
    if isinstance(origin, type) and issubclass(origin, Iterable):
        return _several(args[0], frozenset if origin is frozenset else tuple)
    if hint is not Where and (is_dataclass(hint) or hasattr(hint, "_fields")):
        names_users = any(step.names_users for step in _steps(hint).values())
        return _Step(lambda record, veil: veil.redacted(record), names_users)
    return _AS_IT_IS


def _marked(hint: Any, marks: Iterable[Any]) -> _Step:
    if USER in marks:
        return _Step(lambda name, veil: None if name is None else veil.label(name), True)
    if PUBLIC in marks or any(isinstance(mark, Normal) for mark in marks):
        return _AS_IT_IS
    if IDENTIFIED in marks:
        return _Step(lambda who, veil: veil.identified(who), True)
    return _step(hint)


def _union(steps: Iterable[_Step]) -> _Step:
    """Return the change for a union of types, of which at most one has any."""
    changed = next((step for step in steps if step.change is not None), None)
    if changed is None or (change := changed.change) is None:
        return _AS_IT_IS
    return _Step(
        lambda value, veil: change(value, veil) if isinstance(value, str | tuple) or is_dataclass(value) else value,
        changed.names_users,
    )


def _mapping(step: _Step) -> _Step:
    if (change := step.change) is None:
        return _AS_IT_IS
    return _Step(lambda values, veil: {key: change(value, veil) for key, value in values.items()}, step.names_users)


def _several(hint: Any, kind: type[tuple[Any, ...]] | type[frozenset[Any]]) -> _Step:
    """Return how several values are changed: in counts, a set has no names; users are in an order that does not
    identify them."""
    step = _step(hint)
    if (change := step.change) is None:
        return _AS_IT_IS
    named = get_origin(hint) is Annotated and USER in get_args(hint)

    def several(values: Iterable[Any], veil: Veil) -> Any:
        if named and veil.mode == "counts":
            return kind()
        changed = (change(value, veil) for value in values)
        return kind(veil.ordered(changed) if step.names_users and kind is tuple else changed)

    return _Step(several, step.names_users)


@cache
def _steps(kind: Any) -> Mapping[str, _Step]:
    """Return what is changed of a record, by field."""
    names = kind._fields if hasattr(kind, "_fields") else kind.__dataclass_fields__
    hints = get_type_hints(kind, include_extras=True)
    steps = {name: _step(hints[name]) for name in names if name not in _UNMARKED.get(kind, ())}
    return {name: step for name, step in steps.items() if step.change is not None}


def _by_hints(record: Any, veil: Veil) -> Any:
    steps = _steps(cast(Any, type(record))).items()
    changes = {name: step.change(getattr(record, name), veil) for name, step in steps if step.change}
    return record._replace(**changes) if hasattr(record, "_replace") else replace(record, **changes)


def _comparable(value: Any) -> Any:
    """Return a key that sorts records of which a field may be None."""
    if isinstance(value, tuple):
        return True, tuple(map(_comparable, value))
    return value is not None, value


def _longest(name: str) -> tuple[int, str]:
    return -len(name), name


def _odd(impact: Impact) -> frozenset[str]:
    """Return the email addresses of users that the pattern of an address does not match completely."""
    people = (who.email or who.id for who in users_of(impact))
    return frozenset(email for email in people if not _ONE.fullmatch(email))


def users_of(impact: Impact) -> Iterator[Who]:
    """Yield the users of an impact, a user once for each place that has the user."""
    for move in (*impact.moves, *(impact.upgrade.moves if impact.upgrade else ())):
        yield from move.people
    yield from (record.who for record in impact.escalations)
    yield from (record.who for record in impact.transients)
    yield from impact.at_risk
    yield from impact.remaining_admins
    yield from impact.upgrade.org_admins_lost if impact.upgrade else ()


def _move(move: Move, veil: Veil) -> Move:
    """Return a move as it may be shown; in counts without names, with its size."""
    return move._replace(people=(), members_hash="") if veil.mode == "counts" else cast(Move, _by_hints(move, veil))


def _in_order(move: Move) -> tuple[Any, ...]:
    """Sort the largest first, as before; among equals nothing tells any more who came first."""
    return -move.size, move.because, move.people, move.before, move.after, move.kind, move.causes
