"""Choose the texts of a manual step by what it changes; the names are those in ``steps.yaml``."""

from __future__ import annotations

from dataclasses import replace

from rolecall.model.change import Change
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.settings import Scim, Sso
from rolecall.plan.order.visits import passwords_go_off, sets_up_scim, sets_up_sso


def step_variant(change: Change, endpoint: str) -> str:
    """Return the name of the texts about a change."""
    section, _ = split_address(change.address)
    if change.via_reason == "not_in_plan":
        return "not_in_plan"
    if section == "domains" or BY_SECTION[section].side == "idp":
        return f"{section}_{change.action}"
    if section == "sso":
        return _sso_variant(change)
    if section == "scim":
        return _scim_variant(change)
    if section == "idp_groups" and endpoint == "upgrading":
        return "idp_groups_upgrading"
    return section


def passwords_go_off_later(change: Change) -> bool:
    """Return whether signing in by password goes off in a last part, after the other changes of SSO are tested."""
    before, after = change.before, change.after
    if not passwords_go_off(change) or not isinstance(after, Sso):
        return False
    return not isinstance(before, Sso) or replace(after, allow_passwords=before.allow_passwords) != before


def _sso_variant(change: Change) -> str:
    if sets_up_sso(change):
        return "sso_set_up"
    if passwords_go_off(change) and not passwords_go_off_later(change):
        return "sso_passwords"
    if _goes_off(change):
        return "sso_off"
    return "sso_idp" if changes_idp(change) else "sso"


def _scim_variant(change: Change) -> str:
    if change.action == "upgrade":
        completes = isinstance(change.after, Scim) and change.after.endpoint == "new"
        return "upgrade_complete" if completes else "upgrade_start"
    if sets_up_scim(change):
        return "scim_set_up"
    if _goes_off(change):
        return "scim_off"
    return "scim_idp" if changes_idp(change) else "scim"


def changes_idp(change: Change) -> bool:
    """Return whether SSO or SCIM that stays on gets another IdP."""
    before, after = change.before, change.after
    if not isinstance(before, Sso | Scim) or not isinstance(after, Sso | Scim) or before.enabled is False:
        return False
    if after.enabled is False or not isinstance(before.idp, str) or not isinstance(after.idp, str):
        return False
    return bool(before.idp) and before.idp.casefold() != after.idp.casefold()


def new_metadata(change: Change) -> bool:
    """Return whether a change sets other metadata of the IdP."""
    before, after = change.before, change.after
    if not isinstance(after, Sso) or not isinstance(after.metadata, str) or not after.metadata:
        return False
    return not isinstance(before, Sso) or before.metadata != after.metadata


def _goes_off(change: Change) -> bool:
    before, after = change.before, change.after
    return isinstance(after, Sso | Scim) and after.enabled is False and getattr(before, "enabled", None) is True
