"""Why somebody has what they have: each combo with what gives it, and what gave nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from rolecall.access.person import Granted, Silent, effective
from rolecall.access.rules import Rules
from rolecall.codec.settings import encode_value
from rolecall.errors import Where
from rolecall.model.comparison import agrees
from rolecall.model.desired import Desired
from rolecall.model.directory import Person
from rolecall.model.kinds import address, split_address, value_at
from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address, Settings


class Cause(NamedTuple):
    """One source of a combo, or of nothing: the rule, the setting behind it, where the config says so, its value.

    ``address`` is None for what no setting holds: a manual edit, an invite, an attribute. ``value`` is the setting's
    JSON under the rules that were asked. ``role`` is what the source gives by itself, None for nothing. ``applied``
    says whether the configuration's line asks for what ``value`` is, None where it has no line; ``asked`` is the JSON
    of what it asks for where that is something else.
    """

    source: str
    rule: str
    address: Address | None
    where: Where | None
    value: Any
    team: str | None = None
    role: str | None = None
    applied: bool | None = None
    asked: Any = None


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
    """Each combo of a person with its causes. ``desired`` has the lines of the config, at live addresses, with what
    they ask for on the day."""
    access = effective(rules, person)
    settings = _Settings(rules.settings, desired)
    held = tuple(_because(settings, granted) for granted in access.combos)
    silent = tuple(_unheard(settings, row) for row in access.silent)
    return Why(person, held, silent, tuple(sorted(rules.missing)))


def persona(groups: Iterable[str]) -> Person:
    """Somebody who need not exist: an active SCIM person in these groups."""
    return Person("", groups=tuple(groups))


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings that were asked, next to what the config asks for."""

    held: Settings
    desired: Desired | None

    def cause(self, source: str, rule: str, team: str | None, role: str | None) -> Cause:
        at = _setting(source, rule)
        if at is None:
            return Cause(source, rule, None, None, None, team, role)
        section, _ = split_address(at)
        where, value = place_of(self.desired, at), value_at(self.held, at)
        cause = Cause(source, rule, at, where, encode_value(section, value), team, role)
        if where is None or self.desired is None:
            return cause
        asked = value_at(self.desired.settings, at)
        if asked is None:
            return cause
        applied = value is not None and agrees(value, asked)
        return cause._replace(applied=applied, asked=None if applied else encode_value(section, asked) or _UNMAPPED)


_UNMAPPED = "blank"
"""What a config writes for a group without a mapping."""


def _because(settings: _Settings, granted: Granted) -> Because:
    causes = [settings.cause(reason.source, reason.rule, granted.team, reason.role) for reason in granted.reasons]
    return Because(granted.combo, causes[0], tuple(causes[1:]))


def _unheard(settings: _Settings, row: Silent) -> Cause:
    team, role = row.combo or (None, None)
    return settings.cause(row.source, row.rule, team, role)


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
