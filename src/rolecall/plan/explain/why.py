"""Explain why a user has each team role, and what would have to change for one that the user does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from rolecall.access.entitlements import rank
from rolecall.access.person import ORG_LEVEL, Granted, Silent, effective
from rolecall.access.rules import Rules, scim_on
from rolecall.codec.settings import encode_value
from rolecall.errors import Where
from rolecall.model.desired import Desired
from rolecall.model.directory import Person
from rolecall.model.kinds import address, agrees, split_address, value_at
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.roles import MEMBER, ORG_ADMIN, TEAM_ADMIN
from rolecall.model.settings import UNSET, Address, Settings


class Cause(NamedTuple):
    """One source of a team role, or of none: the rule, the setting behind it, its place in the config, its value.

    ``address`` is None where no setting is behind it: for a manual edit, an invitation, an attribute. ``value`` is the
    JSON of the setting under the rules in question. ``role`` is what the source gives by itself, None for nothing.
    ``applied`` says whether the config has this value too, None where it has no line; ``asked`` is the JSON of what
    the config has where that differs.
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
    """A team role that a user has: the source that decides it, and the others (R9)."""

    team_role: TeamRole
    winner: Cause
    others: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """All access of a user with its causes; ``silent`` are sources without effect, each with its rule.

    ``org_role`` is the role at org level, which no setting gives (R36).

    ``missing`` names settings that were not read; the answer is unreliable where there are any.
    """

    person: Person
    granted: tuple[Because, ...]
    silent: tuple[Cause, ...]
    missing: tuple[str, ...] = ()
    org_role: OrgRole | None = None

    @property
    def org_admin(self) -> bool:
        at_org_level = self.org_role is not None and self.org_role.role == ORG_ADMIN
        return at_org_level or any(because.team_role.role == ORG_ADMIN for because in self.granted)


def why(rules: Rules, person: Person, desired: Desired | None = None) -> Why:
    """Return each team role of a user with its causes. ``desired`` has the lines of the config, at live addresses."""
    access = effective(rules, person)
    settings = _Settings(rules.settings, desired)
    because = tuple(_because(settings, granted) for granted in access.team_roles)
    silent = tuple(_silent_cause(settings, silent_grant) for silent_grant in access.silent)
    return Why(person, because, silent, tuple(sorted(rules.missing)), access.org_role)


def at_org_level(org_role: OrgRole) -> Because:
    """Return a role at org level as a role without a team, with its cause."""
    cause = Cause(ORG_LEVEL, "R36", None, None, None, None, org_role.role)
    return Because(TeamRole("", org_role.role), cause, ())


def persona(groups: Iterable[str]) -> Person:
    """Return a user who need not exist: an active SCIM user in these groups."""
    return Person("", groups=tuple(groups))


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings in question, and the config."""

    settings: Settings
    desired: Desired | None

    def cause(self, source: str, rule: str, team: str | None, role: str | None) -> Cause:
        """Return a source with the setting behind it, its place and value, and whether the configuration is applied."""
        at = _setting(source, rule)
        if at is None:
            return Cause(source, rule, None, None, None, team, role)
        section, _ = split_address(at)
        where, value = place_of(self.desired, at), value_at(self.settings, at)
        cause = Cause(source, rule, at, where, encode_value(section, value), team, role)
        if where is None or self.desired is None:
            return cause
        desired_value = value_at(self.desired.settings, at)
        if desired_value is None:
            return cause
        applied = value is not None and agrees(value, desired_value)
        return cause._replace(
            applied=applied, asked=None if applied else encode_value(section, desired_value) or _UNMAPPED
        )


_UNMAPPED = "blank"
"""The value in a config for a group without a mapping."""


def _because(settings: _Settings, granted: Granted) -> Because:
    causes = [settings.cause(reason.source, reason.rule, granted.team, reason.role) for reason in granted.reasons]
    return Because(granted.team_role, causes[0], tuple(causes[1:]))


def _silent_cause(settings: _Settings, silent: Silent) -> Cause:
    team, role = silent.team_role or (None, None)
    return settings.cause(silent.source, silent.rule, team, role)


def _setting(source: str, rule: str) -> Address | None:
    """Return the setting behind a source: the mapping of a group, default access, or the SCIM settings."""
    kind, _, name = source.partition(":")
    if kind == "group":
        return address("idp_groups", name)
    if kind in ("default", "saml"):
        return address("defaults")
    return address("scim") if rule in ("R14", "R15", "R16", "R18", "R19") else None


def place_of(desired: Desired | None, at: Address | None) -> Where | None:
    """Return the place of a setting in the configuration; None if it is not there."""
    return None if desired is None or at is None else desired.intent(at).source


Way = Literal["join_group", "map_group", "edit_by_hand", "change_default", "role_attribute", "activate", "scim_on"]


class Option(NamedTuple):
    """One change that would give a role: what to do, its address, and the team role that it would give."""

    way: Way
    address: Address | None
    where: Where | None
    gives: TeamRole | None
    sentence: str


@dataclass(frozen=True, slots=True)
class WhyNot:
    """The changes that would give a user a role. ``has`` are team roles that include it."""

    role: str
    has: tuple[Because, ...]
    options: tuple[Option, ...]


def why_not(rules: Rules, person: Person, role: str, desired: Desired | None = None) -> WhyNot:
    """Return what would give a user a role in some team; no options where they have it.

    Only activation helps a user who is not in the org (R23, R26), and only SCIM a SCIM user while it is off (R33).
    """
    answer = why(rules, person, desired)
    has = tuple(because for because in answer.granted if reaches(because.team_role.role, role))
    if answer.org_role is not None and reaches(answer.org_role.role, role):
        has = (*has, at_org_level(answer.org_role))
    return WhyNot(role, has, () if has else tuple(_Alternatives(rules, person, role, desired).options()))


def reaches(role: str, minimum: str) -> bool:
    """Return whether a role is the minimum, or ranked above it (R9)."""
    return role == minimum or 0 < rank(minimum) < rank(role)


class _Alternatives(NamedTuple):
    rules: Rules
    person: Person
    role: str
    desired: Desired | None

    def options(self) -> Iterator[Option]:
        """Yield what would give the role; only the first step where the user gets nothing before it."""
        scim = self.person.traits.origin == "scim"
        if not self.person.traits.present:
            yield self._option(
                "activate",
                None,
                "Activate the user: inactive users have no access, and their documents go to an org admin (R23).",
            )
        elif scim and not scim_on(self.rules.settings):
            yield self._option(
                "scim_on", "scim", "Turn SCIM on; while it is off, the user keeps their last access (R33)."
            )
        else:
            yield from self._by_groups() if scim else ()
            yield from self._by_attribute() if scim else ()
            yield from self._by_default()
            yield from self._by_hand()

    def _by_groups(self) -> Iterator[Option]:
        role = self.role
        for name, granted in sorted(self.rules.scim.groups.items()):
            team_role = next((team_role for team_role in granted if reaches(team_role.role, role)), None)
            if team_role is not None:
                sentence = f"Add the user to `{name}` in the IdP: it gives {team_role.role} on {team_role.team} (R8)."
                yield self._option("join_group", _group(name), sentence, team_role)
        if self.rules.scim.endpoint == "legacy" or self.rules.teams == frozenset():
            return
        for name in sorted(set(self.person.groups)):
            granted = self.rules.scim.groups.get(name, ())
            now = (
                f"gives {', '.join(f'{team_role.role} on {team_role.team}' for team_role in granted)}"
                if granted
                else "is unmapped"
            )
            sentence = f"Map `{name}` to {role}; it now {now}. All users in the group would get it."
            yield self._option("map_group", _group(name), sentence)

    def _by_attribute(self) -> Iterator[Option]:
        access = self.rules.scim.default or effective(self.rules, self.person).team_roles
        if self.rules.scim.endpoint == "legacy" and access and reaches(ORG_ADMIN, self.role):
            yield self._option(
                "role_attribute", "scim", "Set the role attribute of the user to `admin` in the IdP (R18)."
            )

    def _by_default(self) -> Iterator[Option]:
        """Yield the change of the default role, which is member or team admin (R3); legacy ones ignore it (R18)."""
        legacy = self.person.traits.origin == "scim" and self.rules.scim.endpoint == "legacy"
        if self.role in (MEMBER, TEAM_ADMIN) and not legacy and self._follows_default():
            sentence = f"Set the default role to {self.role}; all users with default access would get it (R7)."
            yield self._option("change_default", "defaults", sentence)

    def _follows_default(self) -> bool:
        """Return whether the user has default access, or a group that is mapped without a role (R31)."""
        groups = self.rules.settings.idp_groups
        mapped = {} if groups is UNSET else groups
        sources = {
            reason.source for granted in effective(self.rules, self.person).team_roles for reason in granted.reasons
        }
        roleless = {f"group:{name}" for name, mapping in mapped.items() if mapping.role is None}
        return not sources.isdisjoint({"default", "saml"} | roleless)

    def _by_hand(self) -> Iterator[Option]:
        role, on = self.role, self.rules.scim.editing
        admin = role == ORG_ADMIN
        if self.rules.teams == frozenset():
            return
        if self.person.traits.origin != "scim":
            verb = f"Make the user {role}"
            sentence = f"{verb} in the console; the manual-editing toggle applies to SCIM users only (R17)."
            yield self._option("edit_by_hand", None, sentence)
        elif admin or self._free_team():
            first = "Make the user" if on else "Turn on manual editing (R14), then make the user"
            where = ", in addition to access from groups" if admin else ", on a team that none of their groups gives"
            yield self._option("edit_by_hand", "scim", f"{first} {role} in the console{where} (R15).")

    def _free_team(self) -> bool:
        """Return whether the org has a team that none of the user's groups gives."""
        granted = {team_role.team for name in self.person.groups for team_role in self.rules.scim.groups.get(name, ())}
        return self.rules.teams is None or bool(self.rules.teams - granted)

    def _option(self, way: Way, section: str | None, sentence: str, gives: TeamRole | None = None) -> Option:
        at = None if section is None else Address(section)
        return Option(way, at, place_of(self.desired, at), gives, sentence)


def _group(name: str) -> Address:
    return address("idp_groups", name)
