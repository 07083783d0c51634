"""The upgrade of the endpoint (R20): one way, for everybody at once, so never in the dark."""

from __future__ import annotations

from rolecall.model.settings import Scim
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at
from rolecall.plan.headline import enumerate_words
from rolecall.plan.moves import name_some


def upgrade(guard_input: GuardInput) -> Finding:
    """Refused unless people are read; complete also while a mapped group waits or an org admin would go."""
    steps = [change for change in guard_input.effective if change.action == "upgrade"]
    if not steps:
        return PASS
    step = steps[0]
    complete = isinstance(step.after, Scim) and step.after.endpoint == "new"
    source = step.intent.source
    directory = guard_input.impact_result.forecast.directory
    if directory is None or not guard_input.impact_result.judged:
        why = guard_input.impact_result.forecast.problem or "Users were not read."
        return Finding(
            "block",
            f"An upgrade changes everybody's access at once, and cannot be undone. {why}",
            items=(Item(1, (step.address,)),),
            source=source,
            fixes=("Let the token read people, or name a people source, and plan again.",),
        )
    if not complete:
        return PASS
    waiting = [c for c in guard_input.changes if c.via == "waiting" and c.action != "upgrade" and c.after is not None]
    lost = guard_input.impact_result.admins_before - guard_input.impact_result.admins_after
    sentences = []
    if waiting:
        names = enumerate_words([f"`{change.address.partition('/')[2]}`" for change in waiting], 5)
        sentences.append(
            f"The IdP has not pushed {names} yet{at(waiting[0].intent.source)}: their people would fall back."
        )
    if lost:
        sentences.append(f"Org admin by attribute, and in no group mapped to it: {name_some(directory, lost)}.")
    if not sentences:
        return PASS
    return Finding(
        "block",
        f"{' '.join(sentences)} Cause: {step.address}{at(source)}.",
        actual=len(waiting) + len(lost),
        items=(Item(len(waiting) + len(lost), (step.address,)),),
        source=source,
        fixes=("Push and map every group first, one of them to org admin with these people in it.",),
    )
