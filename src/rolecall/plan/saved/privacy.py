"""What a plan may show of people, applied to the plan itself: names, masks made with a secret key, or counts."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from rolecall.model import normalise
from rolecall.plan.value import GuardResult, Impact, Move, Plan, UpgradeImpact, Who

Shown = Literal["names", "masked", "counts"]

_LOCAL = r"[^\s@,;:()<>\[\]`'\"]+"
_EMAIL = rf"{_LOCAL}(?:'{_LOCAL})*@[^\s@,;:()<>\[\]`'\"]*[^\s@,;:()<>\[\]`'\".!?]"
_NAMES = re.compile(rf"(: )?({_EMAIL}(?:, {_EMAIL})*)(?: and ([\d,]+) more)?")
_ONE = re.compile(_EMAIL)
_BREAKS = re.compile(r"[\s,;:()]+")
_DIGITS = 12
"""Of a mask: with a million people, two in two hundred reports share one."""


def redact(plan: Plan, mode: Shown, key: bytes = b"") -> Plan:
    """The plan as it may be shown: people by ``names`` (as it is), ``masked`` under a key, or as ``counts``.

    The org's ids of escalated and at-risk people stay, so the digest does too; every other id goes. Sentences lose
    their e-mails as well. The config's own text (owners, required people, access tests) is the repo's and stays.
    Equal people under equal keys get equal masks; without the key nobody can tell who is who: people stand in the order
    of their masks, and where a sentence names but the first few, it names nobody, for those are first in the alphabet.
    """
    if mode == "names":
        return plan
    veil = _Veil(mode, key, frozenset(_addressed(plan)), _odd(plan.impact))
    return replace(
        plan,
        scope=plan.scope._replace(emails=frozenset(map(veil.label, plan.scope.emails) if mode == "masked" else ())),
        impact=_impact(plan.impact, veil),
        guards=tuple(
            row._replace(message=veil.text(row.message), ways=tuple(map(veil.text, row.ways)), actual=_said(row, veil))
            for row in plan.guards
        ),
        access_tests=tuple(row._replace(message=veil.text(row.message)) for row in plan.access_tests),
        warnings=tuple(
            row._replace(message=veil.text(row.message), hint=row.hint and veil.text(row.hint)) for row in plan.warnings
        ),
    )


def veiled(text: str, mode: Shown, key: bytes = b"") -> str:
    """A sentence without its e-mails, or with masks in their place."""
    return text if mode == "names" else _Veil(mode, key).text(text)


def mask(key: bytes, email: str) -> str:
    """``person-3fa91c02d4e6``: the same for one person under one key, and nothing without the key (HMAC-SHA256)."""
    digest = hmac.new(key, normalise.email(email).encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"person-{digest.hexdigest()[:_DIGITS]}"


@dataclass(frozen=True, slots=True)
class _Veil:
    """``kept`` are addresses whose own words stay, ``odd`` names of people that do not look like an e-mail."""

    mode: Shown
    key: bytes
    kept: frozenset[str] = frozenset()
    odd: frozenset[str] = frozenset()

    def who(self, who: Who) -> Who:
        """Somebody whose id a plan needs."""
        return Who(who.id, None if self.mode == "counts" else self.label(who.email or who.id))

    def other(self, who: Who) -> Who:
        """Anybody else; only where masks are shown."""
        label = self.label(who.email or who.id)
        return Who(label, label)

    def label(self, email: str) -> str:
        return mask(self.key, email)

    def text(self, text: str) -> str:
        """A sentence without e-mails; words of the plan's own addresses stay, for a group may be called like one."""
        stands_for: dict[str, str] = {}
        for number, odd in enumerate(self._odd_in(text)):
            stands_for[f"{number}@odd"] = odd
            text = re.sub(rf"(?<!\w){re.escape(odd)}(?!\w)", f"{number}@odd", text)
        return _NAMES.sub(lambda found: self._hidden(found, stands_for), text) if "@" in text else text

    def _odd_in(self, text: str) -> list[str]:
        """The odd names that a text has, the longest first."""
        if not self.odd:
            return []
        words = self.odd.intersection(_BREAKS.split(text), text.split())
        return sorted({*words, *(odd for odd in self.odd if _BREAKS.search(odd) and odd in text)}, key=_longest)

    def _hidden(self, found: re.Match[str], stands_for: Mapping[str, str]) -> str:
        """A list of names as it may be shown; ``: `` before it goes with it."""
        names = found[2].split(", ")
        if any(map(self._keeps, names)):
            return _ONE.sub(lambda one: one[0] if self._keeps(one[0]) else self._one(one[0], stands_for), found[0])
        if self.mode == "masked" and not found[3]:
            masks = sorted(self._one(name, stands_for) for name in names)
            return f"{found[1] or ''}{', '.join(masks)}"
        if found[1]:
            return ""
        number = len(names) + int((found[3] or "0").replace(",", ""))
        return "1 person" if number == 1 else f"{number:,} people"

    def _one(self, said: str, stands_for: Mapping[str, str]) -> str:
        return "1 person" if self.mode == "counts" else self.label(stands_for.get(said, said))

    def _keeps(self, said: str) -> bool:
        return any(said in address for address in self.kept)


def _longest(name: str) -> tuple[int, str]:
    return -len(name), name


def _odd(impact: Impact) -> frozenset[str]:
    """The e-mails of a plan's people that the pattern of an e-mail does not catch whole."""
    people = (who.email or who.id for who in _everybody(impact))
    return frozenset(email for email in people if not _ONE.fullmatch(email))


def _everybody(impact: Impact) -> Iterator[Who]:
    for move in (*impact.moves, *(impact.upgrade.moves if impact.upgrade else ())):
        yield from move.people
    yield from (row.who for row in impact.escalations)
    yield from (row.who for row in impact.transients)
    yield from impact.at_risk
    yield from impact.upgrade.org_admins_lost if impact.upgrade else ()


def _said(row: GuardResult, veil: _Veil) -> str | int | None:
    return veil.text(row.actual) if isinstance(row.actual, str) else row.actual


def _impact(impact: Impact, veil: _Veil) -> Impact:
    return replace(
        impact,
        headline=veil.text(impact.headline),
        problem=None if impact.problem is None else veil.text(impact.problem),
        notes=tuple(map(veil.text, impact.notes)),
        moves=tuple(sorted((_move(move, veil) for move in impact.moves), key=_in_order)),
        escalations=tuple(sorted(row._replace(who=veil.who(row.who)) for row in impact.escalations)),
        transients=tuple(sorted(row._replace(who=veil.who(row.who)) for row in impact.transients)),
        at_risk=tuple(sorted(map(veil.who, impact.at_risk))),
        apart=tuple(row._replace(sentences=tuple(map(veil.text, row.sentences))) for row in impact.apart),
        upgrade=None if impact.upgrade is None else _upgrade(impact.upgrade, veil),
    )


def _move(move: Move, veil: _Veil) -> Move:
    return move._replace(people=() if veil.mode == "counts" else tuple(sorted(map(veil.other, move.people))))


def _in_order(move: Move) -> tuple[Any, ...]:
    """The largest first, as before; among equals nothing tells any more who came first."""
    return -move.size, move.because, move.people, move.before, move.after, move.kind, move.causes


def _upgrade(row: UpgradeImpact, veil: _Veil) -> UpgradeImpact:
    return row._replace(
        org_admins_lost=tuple(sorted(map(veil.who, row.org_admins_lost))),
        moves=tuple(sorted((_move(move, veil) for move in row.moves), key=_in_order)),
    )


def _addressed(plan: Plan) -> Iterator[str]:
    yield from (change.address for change in plan.changes)
    yield from (row.address for row in plan.released)
    yield from (row.address for row in plan.unmanaged)
