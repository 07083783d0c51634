"""Checks team, role and group names against an org, and replaces role names with ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rolecall.desired.build import Config
from rolecall.desired.idp_groups import idp_references
from rolecall.desired.load.read import load
from rolecall.desired.load.sources import Sources
from rolecall.errors import Problem, Where, did_you_mean
from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.kinds import address
from rolecall.model.live import Facts
from rolecall.model.policy import AccessTest, Policy, TeamRole
from rolecall.model.roles import BUILT_IN, Role, role_id
from rolecall.model.settings import UNSET, GroupMapping
from rolecall.source.document import Step

MOST_NEAR = 20
"""At most this many group names are checked for near matches, because an org may have thousands of groups."""


class _Use(NamedTuple):
    """A name, and the part of the configuration that uses it."""

    name: str
    path: tuple[Step, ...]


def references(config: Config, facts: Facts) -> list[Problem]:
    """Return errors for unknown teams and roles, and warnings for groups that look misspelled, with places.

    A missing group may be pending in the IdP, so it is reported only when a similar name exists. The files are read
    again for the places, only when something is wrong.
    """
    problems = [
        *_unknown_teams(config.desired, facts),
        *_unknown_roles(config.desired, facts),
        *_near_groups(config.desired, facts),
    ]
    in_idp = list(idp_references(config.desired, facts.idp))
    if not problems:
        return sorted(in_idp, key=_by_place)
    sources = load(config.root, config.env, config.main)
    placed = (problem._replace(where=_place(sources, use)) for use, problem in problems)
    return sorted((*placed, *in_idp), key=_by_place)


def _unknown_teams(desired: Desired, facts: Facts) -> Iterator[tuple[_Use, Problem]]:
    if facts.teams is None:
        return
    hints: dict[str, str] = {}
    for use in _uses_of_others(desired, facts.teams):
        hint = hints.get(use.name) or did_you_mean(use.name, facts.teams) or _known("teams", facts.teams)
        hints[use.name] = hint
        yield use, Problem("unknown_team", f"the org has no team `{use.name}`", None, hint)


def _uses_of_others(desired: Desired, known: frozenset[str]) -> Iterator[_Use]:
    """Yield each use of a team that is not among the known ones."""
    settings = desired.settings
    if settings.defaults is not UNSET and settings.defaults.teams is not UNSET:
        yield from (_Use(team, ("defaults", "teams")) for team in sorted(settings.defaults.teams - known))
    for name, mapping in _mappings(desired).items():
        if not mapping.teams <= known:
            yield from (_Use(team, ("idp_groups", name, "teams")) for team in mapping.teams - known)
    for at, test in enumerate(desired.policy.access_tests):
        yield from (
            _Use(team_role.team, ("access_tests", at)) for team_role in _team_roles(test) if team_role.team not in known
        )


def _unknown_roles(desired: Desired, facts: Facts) -> Iterator[tuple[_Use, Problem]]:
    known = {*facts.roles, *BUILT_IN}
    for use in _role_uses(desired):
        if role_id(use.name, facts.roles) not in known:
            hint = did_you_mean(use.name, known) or _known("roles", known)
            yield use, Problem("unknown_role", f"the org has no role `{use.name}`", None, hint)


def _role_uses(desired: Desired) -> Iterator[_Use]:
    settings = desired.settings
    if settings.defaults is not UNSET and isinstance(settings.defaults.role, str):
        yield _Use(settings.defaults.role, ("defaults", "role"))
    for name, mapping in _mappings(desired).items():
        if mapping.role is not None and mapping.role not in BUILT_IN:
            yield _Use(mapping.role, ("idp_groups", name, "role"))
    yield from (_Use(role, ("watch", "roles")) for role in sorted(desired.policy.watch_roles))
    for at, test in enumerate(desired.policy.access_tests):
        roles = [role for role in test.has if isinstance(role, str)]
        named = [test.role, *roles, *test.never, *(team_role.role for team_role in _team_roles(test))]
        yield from (_Use(role, ("access_tests", at)) for role in named if role is not None)


def _mappings(desired: Desired) -> Mapping[str, GroupMapping]:
    groups = desired.settings.idp_groups
    return {} if groups is UNSET else groups


def _team_roles(test: AccessTest) -> list[TeamRole]:
    has = (expected for expected in test.has if isinstance(expected, TeamRole))
    return [*sorted(test.expect or ()), *has, *(test.never_together or ())]


def _near_groups(desired: Desired, facts: Facts) -> Iterator[tuple[_Use, Problem]]:
    mappings = _mappings(desired)
    ids = {group.id for group in facts.groups.values()}
    missing = [
        name
        for name, mapping in mappings.items()
        if name not in facts.groups and not mapping.blank and desired.intent(address("idp_groups", name)).id not in ids
    ]
    spare = [name for name in facts.groups if name not in mappings]
    for name in missing[:MOST_NEAR]:
        if hint := did_you_mean(name, spare):
            message = f"the org has no IdP group `{name}` yet"
            yield _Use(name, ("idp_groups", name)), Problem("near_group", message, None, hint, "warning")


def _known(what: str, names: Any) -> str:
    listed = sorted(names)
    return f"choose one of the org's {what}: {', '.join(listed[:12])}{', ...' if len(listed) > 12 else ''}"


def _place(sources: Sources, use: _Use) -> Where:
    """Return the place of a name: of the item in a list, or of the key of an entry."""
    if use.path[-1] == use.name:
        return sources.where(use.path, key=True)
    value: Any = sources.effective
    for step in use.path:
        value = value[step]
    if isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, str) and use.name in (normalise.name(item), role_id(item)):
                return sources.where((*use.path, at))
    return sources.where(use.path)


def _by_place(problem: Problem) -> tuple[str, int, int]:
    where = problem.where or Where("")
    return where.file, where.line, where.column


Roles = Mapping[str, Role]


def with_role_ids(desired: Desired, roles: Roles) -> Desired:
    """Return the desired state with the console's role names replaced by role ids."""
    settings = desired.settings
    groups, defaults = settings.idp_groups, settings.defaults
    if groups is not UNSET and not {mapping.role for mapping in groups.values()} <= {None, *BUILT_IN}:
        groups = {name: _mapping(mapping, roles) for name, mapping in groups.items()}
    if defaults is not UNSET and isinstance(defaults.role, str):
        defaults = replace(defaults, role=role_id(defaults.role, roles))
    settings = replace(settings, idp_groups=groups, defaults=defaults)
    return desired._replace(settings=settings, policy=_policy(desired.policy, roles))


def _mapping(mapping: GroupMapping, roles: Roles) -> GroupMapping:
    return mapping if mapping.role is None else mapping._replace(role=role_id(mapping.role, roles))


def _policy(policy: Policy, roles: Roles) -> Policy:
    return policy._replace(
        watch_roles=frozenset(_ids(policy.watch_roles, roles)),
        access_tests=tuple(_test(test, roles) for test in policy.access_tests),
    )


def _test(test: AccessTest, roles: Roles) -> AccessTest:
    return test._replace(
        role=None if test.role is None else role_id(test.role, roles),
        expect=None if test.expect is None else frozenset(_team_role(team_role, roles) for team_role in test.expect),
        has=tuple(role_id(role, roles) if isinstance(role, str) else _team_role(role, roles) for role in test.has),
        never=_ids(test.never, roles),
        never_together=None
        if test.never_together is None
        else tuple(_team_role(team_role, roles) for team_role in test.never_together),
    )


def _team_role(team_role: TeamRole, roles: Roles) -> TeamRole:
    return TeamRole(team_role.team, role_id(team_role.role, roles))


def _ids(names: Iterable[str], roles: Roles) -> tuple[str, ...]:
    return tuple(role_id(role, roles) for role in names)
