"""The access rules once more, slowly and in the order in which they are numbered: the evaluator is held against this.

Sets of team roles, no bits, no reasons, nothing shared with the `access` room.
"""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.model.directory import Person
from rolecall.model.live import Facts
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Defaults, Scim, Settings

Combos = frozenset[TeamRole]
RANKED = ["member", "team_admin", "org_admin"]


def naive_access(settings: Settings, facts: Facts, person: Person) -> Combos:
    """Every team role that the person has."""
    me = person.traits
    if not me.active:
        return frozenset()  # R23
    if me.pending:
        return frozenset()  # R26
    manual = there(me.manual, facts)
    if me.origin in ("saml", "discovery"):
        return highest(manual) or default(settings, facts)  # R5, R26; R17: whatever the toggle says
    if me.origin == "invite":
        return highest(manual) or default(settings, facts)  # R6, R4
    if scim(settings).enabled is False and facts.kept is not None:
        settings = facts.kept  # R33
    if scim(settings).endpoint == "legacy":
        links = {name: mapping.teams for name, mapping in groups(settings).items()}
        return legacy(settings, facts, person, manual, links)
    if scim(settings).endpoint == "upgrading":
        return legacy(settings, facts, person, manual, dict(facts.legacy_links or {}))  # R20
    return new(settings, facts, person, manual)


def new(settings: Settings, facts: Facts, person: Person, manual: Combos) -> Combos:
    given = highest(team_role for name in person.groups for team_role in mapped(settings, facts, name))  # R8, R9
    if not scim(settings).manual_editing:
        return given or default(settings, facts)  # R14, R7, R10
    if given:
        return extras(given, manual)  # R15
    by_hand = {team_role.team for team_role in manual}
    kept = {team_role for team_role in default(settings, facts) if team_role.team not in by_hand}
    return highest({*kept, *manual})  # R16


def legacy(
    settings: Settings, facts: Facts, person: Person, manual: Combos, links: dict[str, frozenset[str]]
) -> Combos:
    """R18."""
    linked = there((TeamRole(team, "member") for name in person.groups for team in links.get(name, ())), facts)
    default_teams = {team_role.team for team_role in default(settings, facts)}
    teams = default_teams | {team_role.team for team_role in linked}
    admin = person.traits.role_attribute == "admin"
    if not scim(settings).manual_editing:
        return frozenset(TeamRole(team, "org_admin" if admin else "member") for team in teams)  # R14
    if admin:
        return extras(frozenset(TeamRole(team, "org_admin") for team in teams), manual)  # R15
    by_hand = {team_role.team for team_role in manual} | {team_role.team for team_role in linked}
    kept = {TeamRole(team, "member") for team in default_teams if team not in by_hand}
    return highest({*extras(linked, manual), *kept})  # R15, R16


def extras(given: Combos, manual: Combos) -> Combos:
    """R15: manual teams are added, the group wins in its own, and a manual org admin is an extra."""
    taken = {team_role.team for team_role in given}
    added = {team_role for team_role in manual if team_role.team not in taken or team_role.role == "org_admin"}
    return highest({*given, *added})


def mapped(settings: Settings, facts: Facts, name: str) -> Combos:
    """What a group gives (R8, R10, R25, R31)."""
    if name not in groups(settings):
        return frozenset()
    mapping = groups(settings)[name]
    role = mapping.role if mapping.role is not None else default_role(settings)
    return there((TeamRole(team, role) for team in mapping.teams), facts)


def default(settings: Settings, facts: Facts) -> Combos:
    """R2."""
    defaults = settings.defaults
    if not isinstance(defaults, Defaults) or not isinstance(defaults.teams, frozenset):
        return frozenset()
    return there((TeamRole(team, default_role(settings)) for team in defaults.teams), facts)


def default_role(settings: Settings) -> str:
    defaults = settings.defaults
    return defaults.role if isinstance(defaults, Defaults) and isinstance(defaults.role, str) else "member"


def there(team_roles: Iterable[TeamRole], facts: Facts) -> Combos:
    """R25."""
    return frozenset(team_role for team_role in team_roles if facts.teams is None or team_role.team in facts.teams)


def highest(team_roles: Iterable[TeamRole]) -> Combos:
    """R9, and R32 for roles that have no rank."""
    found = set(team_roles)
    beaten = {
        low
        for low in found
        for high in found
        if low.team == high.team
        if low.role in RANKED and high.role in RANKED
        if RANKED.index(low.role) < RANKED.index(high.role)
    }
    return frozenset(found - beaten)


def naive_org_role(person: Person) -> str | None:
    """The role at org level, which no setting gives or takes (R36)."""
    me = person.traits
    return me.org_role.role if me.org_role and me.active and not me.pending else None


def naive_entitlements(team_roles: Combos, org_role: str | None = None) -> frozenset[tuple[str, str]]:
    """Access as a set that is closed downward; org admin of the org is one entitlement, by a team role or at org
    level."""
    entitlements: set[tuple[str, str]] = {("*", "org_admin")} if org_role == "org_admin" else set()
    for team, role in team_roles:
        if role not in RANKED:
            entitlements.add((team, role))
        else:
            entitlements.add((team, "member"))
            if role != "member":
                entitlements.add((team, "team_admin"))
            if role == "org_admin":
                entitlements.add(("*", "org_admin"))
    return frozenset(entitlements)


def scim(settings: Settings) -> Scim:
    return settings.scim if isinstance(settings.scim, Scim) else Scim()


def groups(settings: Settings) -> dict[str, object]:
    return dict(settings.idp_groups) if settings.idp_groups else {}
