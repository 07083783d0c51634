"""Guard the upgrade of the endpoint (R20), which cannot be undone and affects every user at once."""

from __future__ import annotations

from rolecall.model.settings import Scim
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, know_users
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail


def upgrade(guard_input: GuardInput) -> Finding:
    """Block an upgrade where users were not read, and its completion while an org admin would be lost.

    While a mapped group is pending, the completion is pending too.
    """
    steps = [change for change in guard_input.effective if change.action == "upgrade"]
    if not steps:
        return PASS
    step = steps[0]
    complete = isinstance(step.after, Scim) and step.after.endpoint == "new"
    source = step.intent.source
    directory = guard_input.impact_result.forecast.directory
    if directory is None or not guard_input.impact_result.judged:
        why = guard_input.impact_result.forecast.problem or "Users were not read."
        fixes = know_users(guard_input)
        return Finding(
            "block",
            "The upgrade changes every user's access and cannot be undone, but not all users were read",
            items=(Item(1, (step.address,)),),
            source=source,
            fixes=fixes,
            details=(Detail(why),),
        )
    if not complete:
        return PASS
    lost = guard_input.impact_result.admins_before - guard_input.impact_result.admins_after
    if not lost:
        return PASS
    admins = Detail(f"Org admins by attribute, in no group mapped to org admin: {name_some(directory, lost)}")
    return Finding(
        "block",
        "The upgrade would take access from users",
        actual=len(lost),
        items=(Item(len(lost), (step.address,)),),
        source=source,
        fixes=("Push and map every group first. Map one to org admin and add these org admins to it.",),
        details=(admins, Detail(f"Cause: {step.address}", source)),
    )
