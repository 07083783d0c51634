"""A plan's counts as GitLab's merge request widget reads them from a report artifact."""

from __future__ import annotations

import json

from rolecall.plan.saved.summary import summary
from rolecall.plan.value import Plan


def gitlab(plan: Plan) -> str:
    """``{"create": 1, "update": 2, "delete": 0}``; a rename and an upgrade count as updates. ``unread`` lists what
    could not be read, if anything; the widget ignores it."""
    counts = summary(plan)
    told = {
        "create": counts["create"],
        "update": counts["update"] + counts["rename"] + counts["upgrade"],
        "delete": counts["delete"],
    }
    unread = {"unread": list(plan.unread)} if plan.unread else {}
    return json.dumps({**told, **unread}) + "\n"
