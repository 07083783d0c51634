"""An older configuration after a newer one: a pipeline that was run again, or overtaken in its queue."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.errors import Problem
from rolecall.model.lineage import Lineage
from rolecall.plan.guards.case import PASS, Case, Finding, Item

_WAYS = (
    "To apply the newer configuration, run the pipeline of the newest commit.",
    "To go back on purpose, revert the newer commit and apply that.",
)


def older(case: Case) -> Finding:
    """A configuration without the commit that was applied last takes back what that commit changed."""
    lineage = case.question.lineage
    if lineage is None or lineage.relation not in ("older", "diverged"):
        return PASS
    short = lineage.commit[:12]
    message = (
        f"This configuration is older than the one applied by run {lineage.run} (commit {short})."
        if lineage.relation == "older"
        else f"This configuration does not include commit {short}, which was applied by run {lineage.run}."
    )
    return Finding("review", message, actual=1, items=(Item(1),), fixes=_WAYS)


def unknown_order(lineage: Lineage | None) -> Iterator[Problem]:
    """Warn if it cannot be determined whether a plan with changes is of an older commit."""
    if lineage is not None and lineage.relation is None:
        message = (
            f"whether this configuration is older than the one applied by run {lineage.run} (commit "
            f"{lineage.commit[:12]}) cannot be determined: this clone does not have that commit"
        )
        hint = "fetch the whole history: `git fetch --unshallow`; in a pipeline, `fetch-depth: 0`"
        yield Problem("unknown_order", message, None, hint, "warning")
