"""What a schema cannot say about the settings: the rules R1 to R4, R18, R31 and R33, held against one config."""

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
    """Problems of the sections of a config; ``sound`` is the part of it that fits the schema."""
    yield from _order(sound, sources)
    yield from _defaults(sound.get("defaults", {}), sources)
    yield from _names(sound, sources)
    yield from _domains(sound.get("domains", {}), sources)
    yield from _groups(sound.get("idp_groups", {}), sources)
    yield from _legacy(sound, sources)


def _order(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """A domain comes before SSO, SSO before SCIM (R1, R33)."""
    sso, scim = sound.get("sso", {}).get("enabled"), sound.get("scim", {}).get("enabled")
    if scim is True and sso is False:
        message = "SCIM cannot be on while SSO is off (R1)"
        yield Problem("order", message, sources.where(("scim", "enabled")), "Switch SSO on, or SCIM off")
    whole = "domains" in sound and sound.get("manage", {}).get("domains") == "authoritative"
    if sso is True and whole and all(map(removes, sound["domains"].values())):
        message = "SSO cannot be on without a claimed domain (R1), and this config leaves none"
        yield Problem("order", message, sources.where(("sso", "enabled")), "List a domain, or switch SSO off")


def _defaults(defaults: Any, sources: Sources) -> Iterator[Problem]:
    if "role" in defaults and role_id(defaults["role"]) == ORG_ADMIN:
        hint = "Use member or team_admin; make org admins by a mapped group"
        where = sources.where(("defaults", "role"))
        yield Problem("default_role", "the default role cannot be org admin (R3)", where, hint)


def _names(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    for section in KEYED:
        for name in sound.get(section, ()):
            if not name.isprintable() and _CONTROL.search(name):
                message = "a name holds a control character, such as a line end"
                yield Problem(
                    "name", message, sources.where((section, name), key=True), "Write the name as the IdP has it"
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
        hint = "Add `role` and `teams`, or say `blank: true`"
        yield Problem("no_mapping", f"`{name}` says neither role nor teams", where, hint)
    elif not flags and "teams" not in entry:
        hint = "Add `teams`; an org admin needs one too (R21)"
        message = f"`{name}` has a role but no team (R4)"
        yield Problem("role_without_team", message, sources.where(("idp_groups", name, "role"), key=True), hint)
    elif not flags and "role" not in entry:
        hint = "Add `role` to say which"
        message = f"`{name}` has teams but no role, so its people get the default role there (R31)"
        yield Problem("no_role", message, sources.where(("idp_groups", name, "teams"), key=True), hint, "warning")


def _contradiction(section: str, name: str, key: str, second: str, sources: Sources) -> Problem:
    where = sources.where((section, name, key), key=True)
    return Problem("contradiction", f"`{name}` says `{key}` and {second} at once", where, "Keep one of the two")


def _legacy(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Nothing can be mapped on the legacy endpoint (R18)."""
    groups = sound.get("idp_groups", {})
    if sound.get("scim", {}).get("endpoint") != "legacy":
        return
    mapped = [
        name for name, entry in groups.items() if isinstance(entry, dict) and not {"blank", "remove"} & entry.keys()
    ]
    if mapped:
        number = "1 group is" if len(mapped) == 1 else f"{len(mapped)} groups are"
        message = f"{number} mapped, but nothing can be mapped on the legacy endpoint (R18)"
        hint = "Set `endpoint: new`, or take the mappings out"
        yield Problem("legacy_mapping", message, sources.where(("scim", "endpoint")), hint)
