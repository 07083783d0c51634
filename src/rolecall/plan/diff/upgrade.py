"""The upgrade of the SCIM endpoint (R20): started by one plan, completed by a later one, with no way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.kinds import address
from rolecall.model.live import Live
from rolecall.model.settings import UNSET, Endpoint, Scim
from rolecall.plan.diff.groups import way


def written(scim: Scim) -> Scim:
    """The SCIM settings without the endpoint, which no write sets, and what the org has no place for."""
    return replace(scim, endpoint=UNSET, role_attribute=UNSET)


def changes(desired: Desired, live: Live, others: Sequence[Change]) -> list[Change]:
    """Start on a legacy org; complete on one that is upgrading, which waits while a managed group does."""
    wanted, held = desired.settings.scim, live.settings.scim
    if wanted is UNSET or held is UNSET or wanted.endpoint != "new" or desired.policy.managing("scim") == "unmanaged":
        return []
    if held.endpoint == "legacy":
        return [_step(desired, live, "legacy", "upgrading")]
    if held.endpoint != "upgrading":
        return []
    complete = _step(desired, live, "upgrading", "new")
    waits = any(change.via == "waiting" for change in others)
    return [replace(complete, via="waiting", via_reason="not_pushed") if waits else complete]


def _step(desired: Desired, live: Live, before: Endpoint, after: Endpoint) -> Change:
    at = address("scim")
    via, why = way(live.facts, at, "upgrade")
    return Change(
        at,
        "upgrade",
        Scim(endpoint=before),
        Scim(endpoint=after),
        "upgrade",
        via,
        why,
        intent=desired.intent(at),
    )
