"""Checks rules on the settings that the schema cannot express: R1 to R4, R18, R31 and R33."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rolecall.desired.load.merge import KEYED, removes
from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem
from rolecall.model.kinds import BY_SECTION
from rolecall.model.roles import ORG_ADMIN, role_id

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_MAPPING = tuple(field.name for field in BY_SECTION["idp_groups"].fields)
_MAPPING_ALONE = frozenset(_MAPPING)
_DOMAIN = frozenset(field.name for field in BY_SECTION["domains"].fields)


def check_sections(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with the settings; ``sound`` is the part of the configuration that fits the schema."""
    yield from _order(sound, sources)
    yield from _defaults(sound.get("defaults", {}), sources)
    yield from _names(sound, sources)
    yield from _domains(sound.get("domains", {}), sources)
    yield from _groups(sound.get("idp_groups", {}), sources)
    yield from _legacy(sound, sources)


def _order(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Check the order: SSO needs a domain, and SCIM needs SSO (R1, R33)."""
    sso, scim = sound.get("sso", {}).get("enabled"), sound.get("scim", {}).get("enabled")
    if scim is True and sso is False:
        message = "SCIM requires SSO, which is off (R1)"
        yield Problem(
            "order", message, sources.where(("scim", "enabled")), "set `sso.enabled: true` or `scim.enabled: false`"
        )
    whole = "domains" in sound and sound.get("manage", {}).get("domains") == "authoritative"
    if sso is True and whole and all(map(removes, sound["domains"].values())):
        message = "SSO requires a claimed domain, and this configuration removes all of them (R1)"
        yield Problem("order", message, sources.where(("sso", "enabled")), "add a domain, or set `sso.enabled: false`")


def _defaults(defaults: Any, sources: Sources) -> Iterator[Problem]:
    if "role" in defaults and role_id(defaults["role"]) == ORG_ADMIN:
        hint = "use `member` or `team_admin`, and map a group to make users org admins"
        where = sources.where(("defaults", "role"))
        yield Problem("default_role", "the default role cannot be org admin (R3)", where, hint)


def _names(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    for section in KEYED:
        for name in sound.get(section, ()):
            if not name.isprintable() and _CONTROL.search(name):
                message = "this name contains a control character, such as a line break"
                yield Problem(
                    "name", message, sources.where((section, name), key=True), "use the group's name in the IdP"
                )


def _domains(domains: Any, sources: Sources) -> Iterator[Problem]:
    for name, entry in domains.items():
        if removes(entry) and not _DOMAIN.isdisjoint(entry):
            yield _contradiction("domains", name, "remove", "a setting", sources)


def _groups(groups: Any, sources: Sources) -> Iterator[Problem]:
    for name, entry in groups.items():
        if isinstance(entry, dict) and entry.keys() != _MAPPING_ALONE:
            yield from _group(name, entry, sources)


def _group(name: str, entry: dict[str, Any], sources: Sources) -> Iterator[Problem]:
    flags = [key for key in ("blank", "remove") if key in entry]
    mapped = [key for key in (*_MAPPING, "expires") if key in entry]
    where = sources.where(("idp_groups", name), key=True)
    if len(flags) == 2:
        yield _contradiction("idp_groups", name, "blank", "`remove`", sources)
    elif flags and mapped:
        yield _contradiction("idp_groups", name, flags[0], f"`{mapped[0]}`", sources)
    elif not flags and _MAPPING_ALONE.isdisjoint(entry):
        hint = "add `role` and `teams`, or set `blank: true`"
        yield Problem("no_mapping", f"`{name}` has neither a role nor teams", where, hint)
    elif not flags and "teams" not in entry:
        hint = "add `teams`; org admins need a team as well (R21)"
        message = f"`{name}` has a role but no team (R4)"
        yield Problem("role_without_team", message, sources.where(("idp_groups", name, "role"), key=True), hint)
    elif not flags and "role" not in entry:
        hint = "to give them another role, add `role`"
        message = f"`{name}` has teams but no role, so its users get the default role in these teams (R31)"
        yield Problem("no_role", message, sources.where(("idp_groups", name, "teams"), key=True), hint, "warning")


def _contradiction(section: str, name: str, key: str, second: str, sources: Sources) -> Problem:
    where = sources.where((section, name, key), key=True)
    return Problem("contradiction", f"`{name}` has both `{key}` and {second}", where, "keep one of the two")


def _legacy(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield a problem for mappings on the legacy endpoint, which has none (R18)."""
    groups = sound.get("idp_groups", {})
    if sound.get("scim", {}).get("endpoint") != "legacy":
        return
    mapped = [
        name for name, entry in groups.items() if isinstance(entry, dict) and not {"blank", "remove"} & entry.keys()
    ]
    if mapped:
        number = "1 group is" if len(mapped) == 1 else f"{len(mapped)} groups are"
        message = f"{number} mapped, but the legacy endpoint does not support mappings (R18)"
        hint = "set `endpoint: new`, or remove the mappings"
        yield Problem("legacy_mapping", message, sources.where(("scim", "endpoint")), hint)
