"""Determine how users sign in, by SSO or password (R27), and join without an invitation (R26)."""

from __future__ import annotations

from typing import Literal

from rolecall.model.directory import PLAIN, Traits
from rolecall.model.normalise import domain_of
from rolecall.model.settings import UNSET, Join, Settings, Sso, Unset

Way = Literal["sso", "password"]


def ways_in(settings: Settings, traits: Traits) -> frozenset[Way]:
    """Return how a user can sign in: by SSO while it is on, by password while it is off or passwords are allowed (R27).

    Empty for users who are not in the org (R23, R26). Settings without a value have the default: no SSO, and passwords
    only where SSO allows them.
    """
    if not traits.active or traits.pending:
        return frozenset()
    sso = settings.sso
    on = sso is not UNSET and sso.enabled is True
    ways: set[Way] = {"sso"} if on else {"password"}
    if on and sso is not UNSET and sso.allow_passwords is True:
        ways.add("password")
    return frozenset(ways)


def fewer_ways_in(before: Settings, after: Settings) -> bool:
    """Return whether a user may lose a way to sign in: SSO is turned off, passwords are no longer allowed while it is
    on, or a claimed domain is removed. Settings that were not read count as if SSO were the only way."""
    was, will = ways_in(before, PLAIN), ways_in(after, PLAIN)
    claimed, stays = (frozenset() if s.domains is UNSET else frozenset(s.domains) for s in (before, after))
    return not was <= will or (bool(claimed - stays) and _needs_sso(after.sso))


def _needs_sso(sso: Sso | Unset) -> bool:
    return sso is UNSET or (sso.enabled is not False and sso.allow_passwords is not True)


def password_locked(settings: Settings, traits: Traits) -> bool:
    """Return whether a user's password access cannot be edited: SCIM users while manual editing is off (R14, R27)."""
    scim = settings.scim
    editing = scim is not UNSET and scim.manual_editing is True
    return traits.origin == "scim" and not editing


def joining(settings: Settings, email: str) -> Join | None:
    """Return how a user without an invitation joins the org: immediately, after approval, or not at all (R26).

    SAML lets them in at once where it makes accounts; else the claimed domain of their address decides, if the org
    can be found by it.
    """
    sso, domains = settings.sso, settings.domains
    if sso is not UNSET and sso.enabled is True and sso.allow_uninvited is True:
        return "immediate"
    if domains is UNSET:
        return None
    claim = domains.get(domain_of(email))
    if claim is None or claim.discoverable is not True:
        return None
    return "immediate" if claim.join == "immediate" else "approval"
