"""Compute how facts and users change with the org: upgrade, SCIM off, first sync, reactivation."""

from __future__ import annotations

from collections.abc import Mapping, Set

from rolecall.access.entitlements import Entitlements
from rolecall.access.rules import Rules, compile_access, endpoint_of, scim_on
from rolecall.model.directory import PLAIN, Traits
from rolecall.model.live import Facts
from rolecall.model.settings import UNSET, Settings


def compile_change(
    before: Settings, after: Settings, facts: Facts, *, pushed: Set[str] | None = None
) -> tuple[Rules, Rules]:
    """Return the rules before and after, with the same entitlements, so that masks compare. ``facts``: those before."""
    entitlements = Entitlements()
    then = facts_after(facts, before, after)
    return compile_access(before, facts, pushed=pushed, entitlements=entitlements), compile_access(
        after, then, pushed=pushed, entitlements=entitlements
    )


def facts_after(facts: Facts, before: Settings, after: Settings) -> Facts:
    """Return the facts after ``before`` became ``after``: the links that an upgrade keeps (R20), and what SCIM users
    keep while SCIM is off (R33)."""
    settings_kept = None
    if not scim_on(after):
        settings_kept = facts.kept if facts.kept is not None and not scim_on(before) else before
    return facts._replace(legacy_links=_links(facts, before, after), kept=settings_kept)


def _links(facts: Facts, before: Settings, after: Settings) -> Mapping[str, frozenset[str]] | None:
    if endpoint_of(before) == "legacy" and endpoint_of(after) != "legacy" and before.idp_groups is not UNSET:
        return {name: mapping.teams for name, mapping in before.idp_groups.items() if mapping.teams}
    return facts.legacy_links


def synced(traits: Traits) -> Traits:
    """Return a user once the IdP has provisioned them: origin SCIM, no team roles of an invitation (R11, R12)."""
    return traits._replace(origin="scim", pending=False, manual=() if traits.origin == "invite" else traits.manual)


def returned(traits: Traits) -> Traits:
    """Return a user that the IdP activated again, without manual edits (R24)."""
    return PLAIN._replace(role_attribute=traits.role_attribute)
