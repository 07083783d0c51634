"""Settings compiled for the question of who has what: R2, R8, R18, R20, R25, R31 and R33 are settled here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Literal, NamedTuple

from rolecall.access.entitlements import Entitlements
from rolecall.model.kinds import BY_SECTION, DECIDING_ACCESS
from rolecall.model.live import Facts
from rolecall.model.policy import TeamRole
from rolecall.model.roles import MEMBER
from rolecall.model.settings import UNSET, Defaults, GroupMapping, Scim, Settings, Unset

Endpoint = Literal["legacy", "new"]


class Baseline(NamedTuple):
    """The access of SCIM users before manual edits.

    ``endpoint`` is whose rules hold: while upgrading those of ``legacy`` do (R20). ``default`` are the team roles of
    R7, or the default's share of R18. ``groups`` has the groups that give at least one team role, and those team roles
    (R8, R25, R31; on a legacy endpoint the linked teams of R18). ``editing`` is the toggle of R14 to R16.
    ``masks`` and ``default_mask`` say the same in bits.
    """

    endpoint: Endpoint
    editing: bool
    default: tuple[TeamRole, ...]
    groups: Mapping[str, tuple[TeamRole, ...]]
    masks: Mapping[str, int]
    default_mask: int


class Rules(NamedTuple):
    """The rules of one state of an org, ready to be asked.

    ``settings`` are those it was compiled from. ``scim`` applies to SCIM users, ``default`` (R2) to all others.
    ``teams`` is None when the org's teams could not be read. ``gone`` names, by group, the teams of its mapping
    that the org does not have; the key ``""`` is the default (R25). ``missing`` names what was needed and not read:
    with anything in it the answers are not to be relied on. ``entitlements`` numbers the bits of all masks.
    """

    settings: Settings
    scim: Baseline
    default: tuple[TeamRole, ...]
    default_mask: int
    teams: frozenset[str] | None
    gone: Mapping[str, frozenset[str]]
    missing: frozenset[str]
    entitlements: Entitlements

    def exists(self, team_role: TeamRole) -> bool:
        """Return whether the org has the team role's team, as far as is known (R25)."""
        return self.teams is None or team_role.team in self.teams


def compile_access(
    settings: Settings, facts: Facts, *, pushed: Set[str] | None = None, entitlements: Entitlements | None = None
) -> Rules:
    """Return the rules under these settings: live ones, or live ones with the changes of a plan.

    ``pushed`` are the groups that there are; a mapping of any other gives nothing (R25). None: every group that
    the settings name is there, as after a read or in a forecast. ``entitlements`` numbers the bits; hand in the same
    for rules that will be compared. While SCIM is off, SCIM users keep what ``facts.kept`` gave them (R33).
    """
    numbering = Entitlements() if entitlements is None else entitlements
    in_force = settings if scim_on(settings) or facts.kept is None else facts.kept
    default, missing_teams = default_team_roles(settings.defaults), _missing_teams(settings, facts.teams)
    standing = _standing(default, facts.teams)
    return Rules(
        settings,
        _baseline(in_force, facts, pushed, numbering),
        standing,
        numbering.union(standing),
        facts.teams,
        missing_teams,
        _missing(settings, facts) | _missing(in_force, facts),
        numbering,
    )


def default_team_roles(defaults: Defaults | Unset) -> tuple[TeamRole, ...]:
    """Return the team roles of default access (R2), sorted; without a role it gives member."""
    if defaults is UNSET or defaults.teams is UNSET:
        return ()
    return _pairs(_default_role(defaults), defaults.teams)


def mapping_team_roles(mapping: GroupMapping, defaults: Defaults | Unset) -> tuple[TeamRole, ...]:
    """Return the team roles of a mapping on the new endpoint; without a role, that of default access (R31)."""
    return _pairs(mapping.role or _default_role(defaults), mapping.teams)


def scim_on(settings: Settings) -> bool:
    """Return whether SCIM provisions users; without a setting it is on."""
    return settings.scim is UNSET or settings.scim.enabled is not False


def endpoint_of(settings: Settings) -> str:
    """Return ``legacy``, ``upgrading`` or ``new``, which is also that of settings without one."""
    scim = settings.scim
    return "new" if scim is UNSET or scim.endpoint is UNSET else scim.endpoint


def _baseline(settings: Settings, facts: Facts, pushed: Set[str] | None, entitlements: Entitlements) -> Baseline:
    legacy = endpoint_of(settings) != "new"
    default = default_team_roles(settings.defaults)
    if legacy:
        default = _pairs(MEMBER, {team_role.team for team_role in default})
    default = _standing(default, facts.teams)
    groups: dict[str, tuple[TeamRole, ...]] = {}
    masks: dict[str, int] = {}
    known = entitlements.grants.setdefault((legacy, _default_role(settings.defaults), facts.teams), {})
    for name, mapping in _mappings(settings, facts).items():
        if (grant := known.get(mapping)) is None:
            team_roles = _standing(_granted(mapping, settings, legacy), facts.teams)
            grant = known[mapping] = team_roles, entitlements.union(team_roles)
        if grant[0] and (pushed is None or name in pushed):
            groups[name], masks[name] = grant
    return Baseline(
        "legacy" if legacy else "new",
        settings.scim is not UNSET and settings.scim.manual_editing is True,
        default,
        groups,
        masks,
        entitlements.union(default),
    )


def _granted(mapping: GroupMapping, settings: Settings, legacy: bool) -> tuple[TeamRole, ...]:
    return _pairs(MEMBER, mapping.teams) if legacy else mapping_team_roles(mapping, settings.defaults)


def _mappings(settings: Settings, facts: Facts) -> Mapping[str, GroupMapping]:
    if endpoint_of(settings) == "upgrading":
        return {name: GroupMapping(teams=teams) for name, teams in (facts.legacy_links or {}).items()}
    return {} if settings.idp_groups is UNSET else settings.idp_groups


def _default_role(defaults: Defaults | Unset) -> str:
    return MEMBER if defaults is UNSET or defaults.role is UNSET else defaults.role


def _pairs(role: str, teams: Iterable[str]) -> tuple[TeamRole, ...]:
    return tuple(TeamRole(team, role) for team in sorted(teams))


def _standing(team_roles: tuple[TeamRole, ...], teams: frozenset[str] | None) -> tuple[TeamRole, ...]:
    """Return the team roles whose team exists (R25)."""
    return team_roles if teams is None else tuple(team_role for team_role in team_roles if team_role.team in teams)


def _missing_teams(settings: Settings, teams: frozenset[str] | None) -> dict[str, frozenset[str]]:
    if teams is None:
        return {}
    mapped = {} if settings.idp_groups is UNSET else settings.idp_groups
    lost = {name: mapping.teams - teams for name, mapping in mapped.items() if not mapping.teams <= teams}
    if settings.defaults is not UNSET and settings.defaults.teams is not UNSET and settings.defaults.teams - teams:
        lost[""] = settings.defaults.teams - teams
    return lost


def _missing(settings: Settings, facts: Facts) -> frozenset[str]:
    missing = {name for name in DECIDING_ACCESS if getattr(settings, name) is UNSET or name in facts.partial}
    defaults = settings.defaults
    if defaults is not UNSET and (defaults.role is UNSET or defaults.teams is UNSET):
        missing.add("defaults")
    missing.update(_unread_switches(settings.scim))
    if endpoint_of(settings) == "upgrading" and facts.legacy_links is None:
        missing.add("legacy_links")
    return frozenset(missing)


def _unread_switches(scim: Scim | Unset) -> Iterator[str]:
    """Yield the SCIM settings that access depends on and that were not read. While SCIM is off only that counts."""
    if scim is UNSET:
        return
    for field in BY_SECTION["scim"].fields:
        counts = field.decides_access and (field.name == "enabled" or scim.enabled is not False)
        if counts and getattr(scim, field.name) is UNSET:
            yield f"scim.{field.name}"
