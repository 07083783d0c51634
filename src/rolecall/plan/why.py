"""Why somebody has what they have, and what would have to change for a role they have not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rolecall.access.atoms import rank
from rolecall.access.person import Granted, Reason, Silent, effective
from rolecall.access.rules import Rules
from rolecall.codec.settings import encode_value
from rolecall.errors import Where
from rolecall.model.desired import Desired
from rolecall.model.directory import Person, Traits
from rolecall.model.kinds import address, split_address, value_at
from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import UNSET, Address, Settings

Way = Literal["join_group", "map_group", "edit_by_hand", "change_default", "role_attribute", "activate"]


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


class Option(NamedTuple):
    """One thing that would give a role: what to do, with which address, and the combo it would give."""

    way: Way
    address: Address | None
    where: Where | None
    gives: Combo | None
    sentence: str


@dataclass(frozen=True, slots=True)
class WhyNot:
    """Why a role is not held, and each thing by itself that would give it. ``has`` are the combos that give it."""

    role: str
    has: tuple[Because, ...]
    options: tuple[Option, ...]


def why(rules: Rules, person: Person, desired: Desired | None = None) -> Why:
    """Each combo of a person with its causes. ``desired`` tells the places in the config."""
    access = effective(rules, person)
    held = tuple(_because(rules, granted, desired) for granted in access.combos)
    silent = tuple(_unheard(rules, row, desired) for row in access.silent)
    return Why(person, held, silent, tuple(sorted(rules.missing)))


def persona(groups: Iterable[str]) -> Person:
    """Somebody who need not exist: an active SCIM person in these groups."""
    return Person("", groups=tuple(groups))


def why_not(rules: Rules, person: Person, role: str, desired: Desired | None = None) -> WhyNot:
    """What would have to change for a person to have a role somewhere; empty ways when they have it already."""
    told = why(rules, person, desired)
    has = tuple(row for row in told.held if row.combo.role == role or 0 < rank(role) < rank(row.combo.role))
    return WhyNot(role, has, () if has else tuple(_options(rules, person, role, desired)))


def _because(rules: Rules, granted: Granted, desired: Desired | None) -> Because:
    causes = [_cause(rules, reason, granted.team, desired) for reason in granted.reasons]
    return Because(granted.combo, causes[0], tuple(causes[1:]))


def _cause(rules: Rules, reason: Reason, team: str, desired: Desired | None) -> Cause:
    at = _setting(reason.source, reason.rule)
    return Cause(reason.source, reason.rule, at, _place(desired, at), _value(rules.settings, at), team, reason.role)


def _unheard(rules: Rules, row: Silent, desired: Desired | None) -> Cause:
    at = _setting(row.source, row.rule)
    team, role = row.combo or (None, None)
    return Cause(row.source, row.rule, at, _place(desired, at), _value(rules.settings, at), team, role)


def _setting(source: str, rule: str) -> Address | None:
    """The setting that decides about a source: a group's mapping, the default, or SCIM's toggle and endpoint."""
    kind, _, name = source.partition(":")
    if kind == "group":
        return address("idp_groups", name)
    if kind in ("default", "saml"):
        return address("defaults")
    return address("scim") if rule in ("R14", "R15", "R16", "R18", "R19") else None


def _place(desired: Desired | None, at: Address | None) -> Where | None:
    return None if desired is None or at is None else desired.intent(at).source


def _value(settings: Settings, at: Address | None) -> Any:
    return None if at is None else encode_value(split_address(at)[0], value_at(settings, at))


def _options(rules: Rules, person: Person, role: str, desired: Desired | None) -> Iterator[Option]:
    traits = person.traits
    if not traits.present:
        yield Option("activate", None, None, None, "They are not active in the org; nothing gives them anything (R23).")
        return
    if traits.origin == "scim":
        yield from _by_groups(rules, person, role, desired)
        if rules.scim.endpoint == "legacy" and role == ORG_ADMIN:
            sentence = "Give them the role attribute `admin` in the IdP (R18)."
            yield Option("role_attribute", address("scim"), _place(desired, address("scim")), None, sentence)
    yield from _by_default(rules, role, desired)
    yield from _by_hand(rules, traits, role, desired)


def _by_groups(rules: Rules, person: Person, role: str, desired: Desired | None) -> Iterator[Option]:
    for name, given in sorted(rules.scim.groups.items()):
        combo = next((combo for combo in given if combo.role == role), None)
        if combo is not None:
            at = address("idp_groups", name)
            sentence = f"Put them into `{name}` in the IdP: it gives {role} on {combo.team} (R8)."
            yield Option("join_group", at, _place(desired, at), combo, sentence)
    if rules.scim.endpoint == "legacy":
        return
    for name in sorted(set(person.groups)):
        at = address("idp_groups", name)
        given = rules.scim.groups.get(name, ())
        now = f"gives {', '.join(f'{combo.role} on {combo.team}' for combo in given)}" if given else "is blank"
        sentence = f"Map `{name}` to {role}; it {now}. Everybody in the group would get it."
        yield Option("map_group", at, _place(desired, at), None, sentence)


def _by_default(rules: Rules, role: str, desired: Desired | None) -> Iterator[Option]:
    if role == ORG_ADMIN:
        return
    at = address("defaults")
    if rules.settings.defaults is not UNSET:
        sentence = f"Make {role} the default role; everybody in no mapped group would get it (R7)."
        yield Option("change_default", at, _place(desired, at), None, sentence)


def _by_hand(rules: Rules, traits: Traits, role: str, desired: Desired | None) -> Iterator[Option]:
    at = address("scim")
    if traits.origin != "scim":
        verb = "Promote them" if role == ORG_ADMIN else f"Make them {role}"
        sentence = f"{verb} in the console; the manual-editing toggle covers SCIM people only (R17)."
        yield Option("edit_by_hand", None, None, None, sentence)
    elif rules.scim.editing:
        yield Option(
            "edit_by_hand",
            at,
            _place(desired, at),
            None,
            f"Make them {role} in the console, on a team that no group of theirs gives (R15).",
        )
    else:
        yield Option(
            "edit_by_hand",
            at,
            _place(desired, at),
            None,
            "Manual editing is off: an edit by hand would not count (R14).",
        )
