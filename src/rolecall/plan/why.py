"""Why somebody has what they have: each combo with what gives it, and what gave nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from rolecall.access.person import Granted, Reason, Silent, effective
from rolecall.access.rules import Rules
from rolecall.codec.settings import encode_value
from rolecall.errors import Where
from rolecall.model.desired import Desired
from rolecall.model.directory import Person
from rolecall.model.kinds import address, split_address, value_at
from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address, Settings


class Cause(NamedTuple):
    """One source of a combo, or of nothing: the rule, the setting behind it, where the config says so, its value.

    ``address`` is None for what no setting holds: a manual edit, an invite, an attribute. ``value`` is the setting's
    JSON under the rules that were asked. ``role`` is what the source gives by itself, None for nothing.
    """

    source: str
    rule: str
    address: Address | None
    where: Where | None
    value: Any
    team: str | None = None
    role: str | None = None


class Because(NamedTuple):
    """A combo that is held: what gives it, the winner first, and what it beat (R9)."""

    combo: Combo
    winner: Cause
    others: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """Everything a person has and why; ``silent`` is what could have given something and did not, and by which rule.

    ``missing`` names settings that were not read: with anything in it nobody can rely on the answer.
    """

    person: Person
    held: tuple[Because, ...]
    silent: tuple[Cause, ...]
    missing: tuple[str, ...] = ()

    @property
    def org_admin(self) -> bool:
        return any(row.combo.role == ORG_ADMIN for row in self.held)


def why(rules: Rules, person: Person, desired: Desired | None = None) -> Why:
    """Each combo of a person with its causes. ``desired`` tells the places in the config."""
    access = effective(rules, person)
    held = tuple(_because(rules, granted, desired) for granted in access.combos)
    silent = tuple(_unheard(rules, row, desired) for row in access.silent)
    return Why(person, held, silent, tuple(sorted(rules.missing)))


def persona(groups: Iterable[str]) -> Person:
    """Somebody who need not exist: an active SCIM person in these groups."""
    return Person("", groups=tuple(groups))


def _because(rules: Rules, granted: Granted, desired: Desired | None) -> Because:
    causes = [_cause(rules, reason, granted.team, desired) for reason in granted.reasons]
    return Because(granted.combo, causes[0], tuple(causes[1:]))


def _cause(rules: Rules, reason: Reason, team: str, desired: Desired | None) -> Cause:
    at = _setting(reason.source, reason.rule)
    return Cause(reason.source, reason.rule, at, place_of(desired, at), _value(rules.settings, at), team, reason.role)


def _unheard(rules: Rules, row: Silent, desired: Desired | None) -> Cause:
    at = _setting(row.source, row.rule)
    team, role = row.combo or (None, None)
    return Cause(row.source, row.rule, at, place_of(desired, at), _value(rules.settings, at), team, role)


def _setting(source: str, rule: str) -> Address | None:
    """The setting that decides about a source: a group's mapping, the default, or SCIM's toggle and endpoint."""
    kind, _, name = source.partition(":")
    if kind == "group":
        return address("idp_groups", name)
    if kind in ("default", "saml"):
        return address("defaults")
    return address("scim") if rule in ("R14", "R15", "R16", "R18", "R19") else None


def place_of(desired: Desired | None, at: Address | None) -> Where | None:
    return None if desired is None or at is None else desired.intent(at).source


def _value(settings: Settings, at: Address | None) -> Any:
    return None if at is None else encode_value(split_address(at)[0], value_at(settings, at))
