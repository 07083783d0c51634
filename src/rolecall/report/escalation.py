"""Users who gain the same roles above member, and how many of them a report lists."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.errors import Where


class EscalationText(NamedTuple):
    """Users who gain the same roles above member. ``text`` says what they gain and, as far as it may, names them.

    ``org_admin``: they gain org admin. ``causes`` are the changes, ``where`` is the place of the first. ``lead`` is the
    text without names, and ``users`` are their names; both empty where they are not named.
    """

    text: str
    org_admin: bool
    causes: tuple[str, ...] = ()
    where: Where | None = None
    lead: str = ""
    users: tuple[str, ...] = ()

    def named(self, most: int) -> str:
        """Return the text with at most so many names."""
        more = len(self.users) - most
        if not self.users:
            return self.text
        return f"{self.lead}: {', '.join(self.users[:most])}{f' and {more:,} more' if more > 0 else ''}"


MOST_ESCALATIONS = 5
"""Groups of users with the same gains that a report lists openly; more are counted."""

MOST_NAMES = 3
"""Users of such a group that are named, where groups are counted."""
