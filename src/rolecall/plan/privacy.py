"""What a plan may show of people, applied to the plan itself: names, masks made with a secret key, or counts."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rolecall.model import normalise
from rolecall.plan.value import GuardResult, Impact, Move, Plan, UpgradeImpact, Who

Shown = Literal["names", "masked", "counts"]

_EMAIL = r"[^\s@,;:()<>\[\]`'\"]+@[^\s@,;:()<>\[\]`'\"]*[^\s@,;:()<>\[\]`'\".!?]"
_NAMES = re.compile(rf"(: )?({_EMAIL}(?:, {_EMAIL})*)(?: and ([\d,]+) more)?")
_ONE = re.compile(_EMAIL)


def redact(plan: Plan, mode: Shown, key: bytes = b"") -> Plan:
    """The plan as it may be shown: people by ``names`` (as it is), ``masked`` under a key, or as ``counts``.

    The org's ids of escalated and at-risk people stay, so the digest does too; every other id goes. Sentences lose
    their e-mails as well. The config's own text (owners, required people, access tests) is the repo's and stays.
    Equal people under equal keys get equal masks; without the key nobody can tell who is who.
    """
    if mode == "names":
        return plan
    veil = _Veil(mode, key, frozenset(_addressed(plan)))
    return replace(
        plan,
        impact=_impact(plan.impact, veil),
        guards=tuple(
            row._replace(message=veil.text(row.message), ways=tuple(map(veil.text, row.ways)), actual=_said(row, veil))
            for row in plan.guards
        ),
        access_tests=tuple(row._replace(message=veil.text(row.message)) for row in plan.access_tests),
        warnings=tuple(row._replace(message=veil.text(row.message)) for row in plan.warnings),
    )


def veiled(text: str, mode: Shown, key: bytes = b"") -> str:
    """A sentence without its e-mails, or with masks in their place."""
    return text if mode == "names" else _Veil(mode, key, frozenset()).text(text)


def mask(key: bytes, email: str) -> str:
    """``person-3fa91c02``: the same for one person under one key, and nothing without the key (HMAC-SHA256)."""
    digest = hmac.new(key, normalise.email(email).encode("utf-8", "surrogatepass"), hashlib.sha256)
    return f"person-{digest.hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class _Veil:
    mode: Shown
    key: bytes
    kept: frozenset[str]

    def who(self, who: Who) -> Who:
        """Somebody whose id a plan needs."""
        return Who(who.id, None if self.mode == "counts" else self._label(who))

    def other(self, who: Who) -> Who:
        """Anybody else; only where masks are shown."""
        return Who(self._label(who), self._label(who))

    def _label(self, who: Who) -> str:
        return mask(self.key, who.email or who.id)

    def text(self, text: str) -> str:
        """A sentence without e-mails; words of the plan's own addresses stay, for a group may be called like one."""
        if "@" not in text:
            return text
        return _NAMES.sub(self._counted, text) if self.mode == "counts" else _ONE.sub(self._masked, text)

    def _masked(self, found: re.Match[str]) -> str:
        said = found[0]
        return said if self._keeps(said) else mask(self.key, said)

    def _counted(self, found: re.Match[str]) -> str:
        names = found[2].split(", ")
        if any(map(self._keeps, names)):
            return _ONE.sub(lambda one: one[0] if self._keeps(one[0]) else "1 person", found[0])
        if found[1]:
            return ""
        number = len(names) + int((found[3] or "0").replace(",", ""))
        return "1 person" if number == 1 else f"{number:,} people"

    def _keeps(self, said: str) -> bool:
        return any(said in address for address in self.kept)


def _said(row: GuardResult, veil: _Veil) -> str | int | None:
    return veil.text(row.actual) if isinstance(row.actual, str) else row.actual


def _impact(impact: Impact, veil: _Veil) -> Impact:
    return replace(
        impact,
        headline=veil.text(impact.headline),
        problem=None if impact.problem is None else veil.text(impact.problem),
        notes=tuple(map(veil.text, impact.notes)),
        moves=tuple(_move(move, veil) for move in impact.moves),
        escalations=tuple(row._replace(who=veil.who(row.who)) for row in impact.escalations),
        transients=tuple(row._replace(who=veil.who(row.who)) for row in impact.transients),
        at_risk=tuple(map(veil.who, impact.at_risk)),
        apart=tuple(row._replace(sentences=tuple(map(veil.text, row.sentences))) for row in impact.apart),
        upgrade=None if impact.upgrade is None else _upgrade(impact.upgrade, veil),
    )


def _move(move: Move, veil: _Veil) -> Move:
    return move._replace(people=() if veil.mode == "counts" else tuple(map(veil.other, move.people)))


def _upgrade(row: UpgradeImpact, veil: _Veil) -> UpgradeImpact:
    return row._replace(org_admins_lost=tuple(map(veil.who, row.org_admins_lost)))


def _addressed(plan: Plan) -> Iterator[str]:
    yield from (change.address for change in plan.changes)
    yield from (row.address for row in plan.released)
    yield from (row.address for row in plan.unmanaged)
