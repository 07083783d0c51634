"""Write what WRITER's usage data shows of users who lose access: evidence of use, never of its absence."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.usage import TeamUsage, Usage
from rolecall.plan.headline import count_users
from rolecall.report.document import Note
from rolecall.report.phrases import visible

_TEAMS = 3


def usage_notes(usage: Usage | None) -> Iterator[Note]:
    """Yield the evidence in total, then for the largest teams; one note where all users lose one team. Unread data is
    among the warnings of the plan."""
    if usage is None or usage.state == "unread":
        return
    if len(usage.teams) == 1 and usage.teams[0].losing == usage.losing:
        yield _note(usage.teams[0], visible(usage.teams[0].team))
        return
    yield _note(usage, "access")
    yield from (_note(team, visible(team.team)) for team in usage.teams[:_TEAMS])
    if len(usage.teams) > _TEAMS:
        yield Note(f"{len(usage.teams) - _TEAMS:,} more teams: see `usage` in the JSON report.", "dim")


def _note(counts: Usage | TeamUsage, lost: str) -> Note:
    users = f"{count_users(counts.losing, 'loses', 'lose')} {lost}"
    matched = f"({counts.matched:,} of {counts.losing:,} matched by name)"
    if not counts.used:
        known = "the user is not known" if counts.losing == 1 else "none of them is known"
        return Note(f"{users}; {known} to have used WRITER this month {matched}.")
    if counts.losing == 1:
        return Note(f"{users} and used WRITER this month {matched}.", "risk")
    return Note(f"{users}; at least {counts.used:,} of them used WRITER this month {matched}.", "risk")
