"""Checks the section `idp`: one IdP, its credentials, and that it is the IdP of the org's SCIM and SSO."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rolecall.desired.load.idp_groups import ALL_GROUPS, ListedGroup, listed_groups
from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem
from rolecall.model.kinds import IDP_KINDS, KINDS

Trail = tuple[str | int, ...]
IDPS = {"okta": "Okta", "entra": "Entra"}
WITH_IDP = tuple(kind.section for kind in KINDS if any(field.name == "idp" for field in kind.fields))
"""The sections that name the IdP: the one that signs users in, and the one that provisions them."""

SECRET_OF = {"okta": "private_key", "entra": "client_secret"}
PLANNED: Mapping[Trail, frozenset[str]] = {
    ("idp",): frozenset(
        (
            *("send_role_attribute", "scim_token"),
            *("provisioning", "scope", "attributes", "deletion_threshold", "test_user"),
        )
    ),
    ("manage",): frozenset(f"idp_{name}" for name in ("connection", "job", "role_attribute", "attributes")),
}
"""Keys for changing the IdP, which is not supported yet. They are refused, so that none is ignored silently."""


def is_planned(trail: Trail, name: str) -> bool:
    """Return whether an unknown key is one that rolecall does not support yet."""
    return name in PLANNED.get(trail, ())


def is_planned_form(trail: Trail, value: object) -> bool:
    """Return whether a value has the form of assignments in Entra, which rolecall does not support yet."""
    return trail == ("idp", "assignments") and isinstance(value, dict)


def check_idp(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with `idp` and with `people: idp`."""
    section = sound.get("idp")
    if sound.get("people") == "idp" and "idp" not in sources.effective:
        hint = "add `idp` with a connection to Okta or Entra"
        yield Problem("no_idp", "`people: idp` requires the section `idp`", sources.where(("people",)), hint)
    if not isinstance(section, dict):
        return
    connections = [name for name in IDPS if name in section]
    if len(connections) > 1:
        hint = "keep the one that provisions this org"
        where = sources.where(("idp", "entra"), key=True)
        yield Problem("two_idps", "`idp` has both `okta` and `entra`; an org has one IdP", where, hint)
        return
    for name in connections:
        yield from _credentials(name, section[name], sources, name)
        if "write" in section[name]:
            yield from _credentials(name, section[name]["write"], sources, name, "write")
        yield from _same_idp(name, sound, sources)
        yield from _groups(name, section, sources)


def _credentials(idp: str, connection: Mapping[str, Any], sources: Sources, *trail: str) -> Iterator[Problem]:
    """Check the credentials of a connection, or those for writing, at a trail below `idp`."""
    key, name = SECRET_OF[idp], trail[-1]
    where = sources.where(("idp", *trail), key=True)
    pair = [part for part in ("client_id", key) if part in connection]
    if "token" in connection and pair:
        place = sources.where(("idp", *trail, pair[0]), key=True)
        yield Problem("contradiction", f"`{name}` has both `token` and `{pair[0]}`", place, "keep one of the two")
    elif "token" not in connection and len(pair) < 2:
        hint = f"add `client_id` and `{key}`, or `token`"
        subject = IDPS[idp] if name == idp else f"`{name}`"
        yield Problem("no_token", f"{subject} requires credentials", where, hint)


def _groups(idp: str, section: Mapping[str, Any], sources: Sources) -> Iterator[Problem]:
    """Check the groups that are assigned and pushed: only for Okta so far, and each once."""
    for kind in IDP_KINDS:
        name = kind.path[1]
        where = sources.where(kind.path, key=True)
        if name not in section:
            continue
        if idp != "okta":
            hint = f"remove it; rolecall manages {kind.label.lower()} in Okta only"
            yield Problem("not_supported", f"`{name}` is not supported yet for {IDPS[idp]}", where, hint)
        elif section[name] == ALL_GROUPS and ALL_GROUPS not in sources.effective:
            hint = "add `idp_groups`, or list the groups"
            yield Problem("no_groups", f"`{name}: {ALL_GROUPS}` requires the section `{ALL_GROUPS}`", where, hint)
        else:
            yield from _repeated(listed_groups(kind, sources) or ())


def _repeated(groups: Iterable[ListedGroup]) -> Iterator[Problem]:
    """Yield a problem for each group that is listed twice: by its ID, or by a name that no ID makes unique."""
    first: dict[str, ListedGroup] = {}
    for group in groups:
        for label in filter(None, (group.id, group.name)):
            earlier = first.setdefault(label, group)
            if earlier is not group and (label == group.id or None in (earlier.id, group.id)):
                message = f"`{group.name}` is already listed at {earlier.where}"
                yield Problem("same_group", message, group.where, "keep one of the two, or give each its `id`")
                break


def _same_idp(name: str, sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Check that the IdP is the one that provisions the org (an error) and signs its users in (a warning)."""
    for section in WITH_IDP:
        configured = sound.get(section, {}).get("idp")
        if configured not in (None, name):
            message = f"`idp` connects to {IDPS[name]}, but `{section}.idp` is `{configured}`"
            hint = f"use the IdP of `{section}`, or correct `{section}.idp`"
            where = sources.where(("idp", name), key=True)
            yield Problem("other_idp", message, where, hint, "warning" if section == "sso" else "error")
