"""The access rules once more, slowly and in the order in which they are numbered: the evaluator is held against this.

Sets of combos, no bits, no reasons, nothing shared with the `access` room.
"""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.model.directory import Person
from rolecall.model.live import Facts
from rolecall.model.policy import Combo
from rolecall.model.settings import Defaults, Scim, Settings

Combos = frozenset[Combo]
RANKED = ["member", "team_admin", "org_admin"]


def naive_access(settings: Settings, facts: Facts, person: Person) -> Combos:
    """Every combo that the person has."""
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
    given = highest(combo for name in person.groups for combo in mapped(settings, facts, name))  # R8, R9
    if not scim(settings).manual_editing:
        return given or default(settings, facts)  # R14, R7, R10
    if given:
        return extras(given, manual)  # R15
    by_hand = {combo.team for combo in manual}
    kept = {combo for combo in default(settings, facts) if combo.team not in by_hand}
    return highest({*kept, *manual})  # R16


def legacy(
    settings: Settings, facts: Facts, person: Person, manual: Combos, links: dict[str, frozenset[str]]
) -> Combos:
    """R18."""
    linked = there((Combo(team, "member") for name in person.groups for team in links.get(name, ())), facts)
    default_teams = {combo.team for combo in default(settings, facts)}
    teams = default_teams | {combo.team for combo in linked}
    admin = person.traits.role_attribute == "admin"
    if not scim(settings).manual_editing:
        return frozenset(Combo(team, "org_admin" if admin else "member") for team in teams)  # R14
    if admin:
        return extras(frozenset(Combo(team, "org_admin") for team in teams), manual)  # R15
    by_hand = {combo.team for combo in manual} | {combo.team for combo in linked}
    kept = {Combo(team, "member") for team in default_teams if team not in by_hand}
    return highest({*extras(linked, manual), *kept})  # R15, R16


def extras(given: Combos, manual: Combos) -> Combos:
    """R15: manual teams are added, the group wins in its own, and a manual org admin is an extra."""
    taken = {combo.team for combo in given}
    added = {combo for combo in manual if combo.team not in taken or combo.role == "org_admin"}
    return highest({*given, *added})


def mapped(settings: Settings, facts: Facts, name: str) -> Combos:
    """What a group gives (R8, R10, R25, R31)."""
    if name not in groups(settings):
        return frozenset()
    mapping = groups(settings)[name]
    role = mapping.role if mapping.role is not None else default_role(settings)
    return there((Combo(team, role) for team in mapping.teams), facts)


def default(settings: Settings, facts: Facts) -> Combos:
    """R2."""
    defaults = settings.defaults
    if not isinstance(defaults, Defaults) or not isinstance(defaults.teams, frozenset):
        return frozenset()
    return there((Combo(team, default_role(settings)) for team in defaults.teams), facts)


def default_role(settings: Settings) -> str:
    defaults = settings.defaults
    return defaults.role if isinstance(defaults, Defaults) and isinstance(defaults.role, str) else "member"


def there(combos: Iterable[Combo], facts: Facts) -> Combos:
    """R25."""
    return frozenset(combo for combo in combos if facts.teams is None or combo.team in facts.teams)


def highest(combos: Iterable[Combo]) -> Combos:
    """R9, and R32 for roles that have no rank."""
    found = set(combos)
    beaten = {
        low
        for low in found
        for high in found
        if low.team == high.team
        if low.role in RANKED and high.role in RANKED
        if RANKED.index(low.role) < RANKED.index(high.role)
    }
    return frozenset(found - beaten)


def naive_atoms(combos: Combos) -> frozenset[tuple[str, str]]:
    """Access as a set that is closed downward; org admin of the org is one atom."""
    atoms: set[tuple[str, str]] = set()
    for team, role in combos:
        if role not in RANKED:
            atoms.add((team, role))
        else:
            atoms.add((team, "member"))
            if role != "member":
                atoms.add((team, "team_admin"))
            if role == "org_admin":
                atoms.add(("*", "org_admin"))
    return frozenset(atoms)


def scim(settings: Settings) -> Scim:
    return settings.scim if isinstance(settings.scim, Scim) else Scim()


def groups(settings: Settings) -> dict[str, object]:
    return dict(settings.idp_groups) if settings.idp_groups else {}
