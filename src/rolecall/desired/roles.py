"""Gives roles their ids once it is known which roles the org has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from rolecall.model.desired import Desired
from rolecall.model.policy import AccessTest, Combo, Policy
from rolecall.model.roles import BUILT_IN, Role, role_id
from rolecall.model.settings import UNSET, GroupMapping

Roles = Mapping[str, Role]


def with_role_ids(desired: Desired, roles: Roles) -> Desired:
    """The same desired state with the console's words for an org's own roles replaced by their ids."""
    settings = desired.settings
    groups, defaults = settings.idp_groups, settings.defaults
    if groups is not UNSET and not {mapping.role for mapping in groups.values()} <= {None, *BUILT_IN}:
        groups = {name: _mapping(mapping, roles) for name, mapping in groups.items()}
    if defaults is not UNSET and isinstance(defaults.role, str):
        defaults = replace(defaults, role=role_id(defaults.role, roles))
    settings = replace(settings, idp_groups=groups, defaults=defaults)
    return replace(desired, settings=settings, policy=_policy(desired.policy, roles))


def _mapping(mapping: GroupMapping, roles: Roles) -> GroupMapping:
    return mapping if mapping.role is None else mapping._replace(role=role_id(mapping.role, roles))


def _policy(policy: Policy, roles: Roles) -> Policy:
    return replace(
        policy,
        watch_roles=frozenset(_ids(policy.watch_roles, roles)),
        access_tests=tuple(_test(test, roles) for test in policy.access_tests),
    )


def _test(test: AccessTest, roles: Roles) -> AccessTest:
    return replace(
        test,
        role=None if test.role is None else role_id(test.role, roles),
        expect=None if test.expect is None else frozenset(_combo(combo, roles) for combo in test.expect),
        has=tuple(role_id(one, roles) if isinstance(one, str) else _combo(one, roles) for one in test.has),
        never=_ids(test.never, roles),
    )


def _combo(combo: Combo, roles: Roles) -> Combo:
    return Combo(combo.team, role_id(combo.role, roles))


def _ids(words: Iterable[str], roles: Roles) -> tuple[str, ...]:
    return tuple(role_id(word, roles) for word in words)
