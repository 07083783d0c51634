"""Phrases that only a complete read may print, and the pattern that finds any of them."""

from __future__ import annotations

import re
from typing import Final

PHRASES: Final = (
    r"^ *No drift\.",
    r"(?<!: )\bNo changes\.",
    r"\bmatch(es)? the configuration",
    r"\ball read\b",
    r"\b0 users\b",
    r"Org admins: \d",
    r"No one falls back",
    r"no user temporarily",
)
"""Of an org, of drift, and of users: each is printed where everything was read (see test_cli_users_unread.py)."""

CALM: Final = re.compile("|".join(PHRASES), re.MULTILINE)

NO_EFFECT: Final = re.compile(r"no user(?:'|&#x?\d+;)s access changes", re.IGNORECASE)
"""Of the users that a change affects: also true of an unread user, where the change cannot affect any."""
