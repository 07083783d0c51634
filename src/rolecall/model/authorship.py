"""Who wrote a line of the config, as git tells it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Blame(NamedTuple):
    """The commit that last touched a line. ``commit`` is the whole hash; a line that is not committed yet has none."""

    commit: str
    author: str
    email: str
    at: datetime
    summary: str = ""
