"""Checks the section `idp`: one IdP, its credentials, and that it is the IdP of the org's SCIM and SSO."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem
from rolecall.model.kinds import KINDS

Trail = tuple[str | int, ...]
IDPS = {"okta": "Okta", "entra": "Entra"}
WITH_IDP = tuple(kind.section for kind in KINDS if any(field.name == "idp" for field in kind.fields))
"""The sections that name the IdP: the one that signs users in, and the one that provisions them."""

SECRET_OF = {"okta": "private_key", "entra": "client_secret"}
PLANNED: Mapping[Trail, frozenset[str]] = {
    ("idp",): frozenset(
        (
            *("assignments", "pushes", "send_role_attribute", "scim_token"),
            *("provisioning", "scope", "attributes", "deletion_threshold", "test_user"),
        )
    ),
    ("idp", "okta"): frozenset(("write",)),
    ("idp", "entra"): frozenset(("write",)),
    ("manage",): frozenset(
        f"idp_{name}" for name in ("assignments", "pushes", "connection", "job", "role_attribute", "attributes")
    ),
}
"""Keys for changing the IdP, which is not supported yet. They are refused, so that none is ignored silently."""


def is_planned(trail: Trail, name: str) -> bool:
    """Return whether an unknown key is one that rolecall does not support yet."""
    return name in PLANNED.get(trail, ())


def check_idp(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with `idp` and with `people: idp`."""
    section = sound.get("idp")
    if sound.get("people") == "idp" and "idp" not in sources.effective:
        hint = "add `idp` with a connection to Okta or Entra"
        yield Problem("no_idp", "`people: idp` requires the section `idp`", sources.where(("people",)), hint)
    if not isinstance(section, dict):
        return
    if len(section) > 1:
        hint = "keep the one that provisions this org"
        where = sources.where(("idp", "entra"), key=True)
        yield Problem("two_idps", "`idp` has both `okta` and `entra`; an org has one IdP", where, hint)
        return
    for name, connection in section.items():
        yield from _credentials(name, connection, sources)
        yield from _same_idp(name, sound, sources)


def _credentials(name: str, connection: Mapping[str, Any], sources: Sources) -> Iterator[Problem]:
    key = SECRET_OF[name]
    where = sources.where(("idp", name), key=True)
    pair = [part for part in ("client_id", key) if part in connection]
    if "token" in connection and pair:
        place = sources.where(("idp", name, pair[0]), key=True)
        yield Problem("contradiction", f"`{name}` has both `token` and `{pair[0]}`", place, "keep one of the two")
    elif "token" not in connection and len(pair) < 2:
        hint = f"add `client_id` and `{key}`, or `token`"
        yield Problem("no_token", f"{IDPS[name]} requires credentials", where, hint)


def _same_idp(name: str, sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Check that the IdP is the one that provisions the org (an error) and signs its users in (a warning)."""
    for section in WITH_IDP:
        configured = sound.get(section, {}).get("idp")
        if configured not in (None, name):
            message = f"`idp` connects to {IDPS[name]}, but `{section}.idp` is `{configured}`"
            hint = f"use the IdP of `{section}`, or correct `{section}.idp`"
            where = sources.where(("idp", name), key=True)
            yield Problem("other_idp", message, where, hint, "warning" if section == "sso" else "error")
