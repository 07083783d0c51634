"""The org of the examples, written so that a test reads like a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.access import Access, compile_access, effective, person_mask
from rolecall.model.directory import Person, Traits
from rolecall.model.live import Facts
from rolecall.model.policy import TeamRole
from rolecall.model.settings import Defaults, Endpoint, GroupMapping, Scim, Settings

TEAMS = frozenset({"Everyone", "Marketing", "Legal", "IT", "Sales"})
FACTS = Facts(teams=TEAMS)


def mapping(text: str) -> GroupMapping:
    """``team_admin Marketing Legal``; ``- Legal`` has no role; nothing is blank."""
    role, *teams = text.split() or ["-"]
    return GroupMapping(None if role == "-" else role, frozenset(teams))


def settings(
    groups: Mapping[str, str] | None = None,
    *,
    default: str = "member Everyone",
    editing: bool = False,
    endpoint: Endpoint = "new",
    enabled: bool = True,
) -> Settings:
    """An org with SCIM; ``groups`` maps names to what ``mapping`` reads."""
    role, *teams = default.split()
    return Settings(
        defaults=Defaults(role, frozenset(teams)),
        scim=Scim(enabled=enabled, endpoint=endpoint, manual_editing=editing),
        idp_groups={name: mapping(text) for name, text in (groups or {}).items()},
    )


def team_roles(text: str) -> tuple[TeamRole, ...]:
    """``Legal member, IT org_admin`` as team roles."""
    return tuple(TeamRole(*pair.split()) for pair in text.split(",") if pair.strip())


def person(groups: str = "", manual: str = "", **traits: object) -> Person:
    """Somebody in these groups, with these manual edits; SCIM and active unless told."""
    held = Traits(**{"manual": team_roles(manual), **traits})
    return Person("p@acme.com", "u-1", tuple(groups.split()), held)


def access(org: Settings, who: Person, facts: Facts = FACTS) -> Access:
    """The person's access, with reasons; worked out in bits it must be the same."""
    rules = compile_access(org, facts)
    found = effective(rules, who)
    assert frozenset(rules.entitlements.team_roles(person_mask(rules, who))) == found.pairs
    return found


def has(org: Settings, who: Person, facts: Facts = FACTS) -> str:
    """What the person has, as ``team_roles`` reads it."""
    return ", ".join(f"{team} {role}" for team, role in sorted(access(org, who, facts).pairs))


def reasons(found: Access) -> dict[str, list[str]]:
    """``Legal member`` -> its sources, the winner first."""
    return {f"{held.team} {held.role}": [reason.source for reason in held.reasons] for held in found.team_roles}


def silent(found: Access) -> list[tuple[str, str]]:
    """(source, rule) of what gave nothing."""
    return [(source.source, source.rule) for source in found.silent]
