"""Guard the upgrade of the endpoint (R20), which cannot be undone and affects every user at once."""

from __future__ import annotations

from rolecall.model.settings import Scim
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, read_users
from rolecall.plan.headline import enumerate_words
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail


def upgrade(guard_input: GuardInput) -> Finding:
    """Block an upgrade where users were not read, and its completion while a mapped group is pending or an org admin
    would be lost."""
    steps = [change for change in guard_input.effective if change.action == "upgrade"]
    if not steps:
        return PASS
    step = steps[0]
    complete = isinstance(step.after, Scim) and step.after.endpoint == "new"
    source = step.intent.source
    directory = guard_input.impact_result.forecast.directory
    if directory is None or not guard_input.impact_result.judged:
        why = guard_input.impact_result.forecast.problem or "Users were not read."
        fixes = (read_users(guard_input),)
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
    waiting = [c for c in guard_input.changes if c.via == "waiting" and c.action != "upgrade" and c.after is not None]
    lost = guard_input.impact_result.admins_before - guard_input.impact_result.admins_after
    lines = []
    if waiting:
        names = enumerate_words([f"`{change.address.partition('/')[2]}`" for change in waiting], 5)
        text = f"The IdP has not pushed {names} yet; its users would fall back to other access."
        lines.append(Detail(text if len(waiting) == 1 else text.replace("its", "their"), waiting[0].intent.source))
    if lost:
        lines.append(Detail(f"Org admins by attribute, in no group mapped to org admin: {name_some(directory, lost)}"))
    if not lines:
        return PASS
    return Finding(
        "block",
        "The upgrade would take access from users",
        actual=len(waiting) + len(lost),
        items=(Item(len(waiting) + len(lost), (step.address,)),),
        source=source,
        fixes=("Push and map every group first. Map one to org admin and add these org admins to it.",),
        details=(*lines, Detail(f"Cause: {step.address}", source)),
    )
