"""What would have to change for a role that somebody has not: each thing that by itself would give it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from rolecall.access.atoms import rank
from rolecall.access.person import effective
from rolecall.access.rules import Rules, scim_on
from rolecall.errors import Where
from rolecall.model.desired import Desired
from rolecall.model.directory import Person
from rolecall.model.kinds import address
from rolecall.model.policy import Combo
from rolecall.model.roles import MEMBER, ORG_ADMIN, TEAM_ADMIN
from rolecall.model.settings import UNSET, Address
from rolecall.plan.explain.why import Because, place_of, why

Way = Literal["join_group", "map_group", "edit_by_hand", "change_default", "role_attribute", "activate", "scim_on"]


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


def why_not(rules: Rules, person: Person, role: str, desired: Desired | None = None) -> WhyNot:
    """What would have to change for a person to have a role somewhere; empty ways when they have it already.

    Nothing else can move who is not in the org (R23, R26), and no SCIM person while SCIM is off (R33).
    """
    has = tuple(row for row in why(rules, person, desired).held if reaches(row.combo.role, role))
    return WhyNot(role, has, () if has else tuple(_Asked(rules, person, role, desired).options()))


def reaches(held: str, wanted: str) -> bool:
    """Whether a role is the one wanted, or ranked above it (R9)."""
    return held == wanted or 0 < rank(wanted) < rank(held)


class _Asked(NamedTuple):
    rules: Rules
    person: Person
    role: str
    desired: Desired | None

    def options(self) -> Iterator[Option]:
        scim = self.person.traits.origin == "scim"
        if not self.person.traits.present:
            yield self._option("activate", None, "They are not active in the org; nothing gives them anything (R23).")
        elif scim and not scim_on(self.rules.settings):
            yield self._option(
                "scim_on", "scim", "Switch SCIM on again; until then they keep what they last had (R33)."
            )
        else:
            yield from self._by_groups() if scim else ()
            yield from self._by_attribute() if scim else ()
            yield from self._by_default()
            yield from self._by_hand()

    def _by_groups(self) -> Iterator[Option]:
        role = self.role
        for name, given in sorted(self.rules.scim.groups.items()):
            combo = next((combo for combo in given if reaches(combo.role, role)), None)
            if combo is not None:
                sentence = f"Put them into `{name}` in the IdP: it gives {combo.role} on {combo.team} (R8)."
                yield self._option("join_group", _group(name), sentence, combo)
        if self.rules.scim.endpoint == "legacy" or self.rules.teams == frozenset():
            return
        for name in sorted(set(self.person.groups)):
            given = self.rules.scim.groups.get(name, ())
            now = f"gives {', '.join(f'{combo.role} on {combo.team}' for combo in given)}" if given else "is blank"
            sentence = f"Map `{name}` to {role}; it {now}. Everybody in the group would get it."
            yield self._option("map_group", _group(name), sentence)

    def _by_attribute(self) -> Iterator[Option]:
        held = self.rules.scim.default or effective(self.rules, self.person).combos
        if self.rules.scim.endpoint == "legacy" and held and reaches(ORG_ADMIN, self.role):
            yield self._option("role_attribute", "scim", "Give them the role attribute `admin` in the IdP (R18).")

    def _by_default(self) -> Iterator[Option]:
        """The default may be member or team admin (R3); on the legacy endpoint it gives SCIM people member (R18)."""
        legacy = self.person.traits.origin == "scim" and self.rules.scim.endpoint == "legacy"
        if self.role in (MEMBER, TEAM_ADMIN) and not legacy and self._follows_default():
            sentence = f"Make {self.role} the default role; everybody who has the default would get it (R7)."
            yield self._option("change_default", "defaults", sentence)

    def _follows_default(self) -> bool:
        """Whether they have the default, or a group of theirs is mapped without a role of its own (R31)."""
        groups = self.rules.settings.idp_groups
        mapped = {} if groups is UNSET else groups
        sources = {row.source for granted in effective(self.rules, self.person).combos for row in granted.reasons}
        roleless = {f"group:{name}" for name, mapping in mapped.items() if mapping.role is None}
        return not sources.isdisjoint({"default", "saml"} | roleless)

    def _by_hand(self) -> Iterator[Option]:
        role, on = self.role, self.rules.scim.editing
        admin = role == ORG_ADMIN
        if self.rules.teams == frozenset():
            return
        if self.person.traits.origin != "scim":
            verb = "Promote them" if admin else f"Make them {role}"
            sentence = f"{verb} in the console; the manual-editing toggle covers SCIM people only (R17)."
            yield self._option("edit_by_hand", None, sentence)
        elif admin or self._free_team():
            first = "Make them" if on else "Switch manual editing on (R14), and make them"
            where = ", beside what their groups give" if admin else ", on a team that no group of theirs gives"
            yield self._option("edit_by_hand", "scim", f"{first} {role} in the console{where} (R15).")

    def _free_team(self) -> bool:
        """Whether the org has a team that no group of theirs gives."""
        given = {combo.team for name in self.person.groups for combo in self.rules.scim.groups.get(name, ())}
        return self.rules.teams is None or bool(self.rules.teams - given)

    def _option(self, way: Way, section: str | None, sentence: str, gives: Combo | None = None) -> Option:
        at = None if section is None else Address(section)
        return Option(way, at, place_of(self.desired, at), gives, sentence)


def _group(name: str) -> Address:
    return address("idp_groups", name)
