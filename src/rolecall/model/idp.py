"""What only the IdP can tell of the WRITER app there: which groups it sends, and how it is set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class IdpFacts:
    """The app as the IdP has it. Groups are by name.

    ``pushed`` are sent to WRITER, ``assigned`` give their members the app, ``unreached`` are pushed though none of
    their members has the app (R30; None when members were not read). ``failing`` are those whose last push failed, and
    why. ``everybody``: the scope is all people and groups of the directory, None when that cannot be read.
    ``role_sent``: a role attribute is still mapped (R19); ``roles_raw``: by ``appRoleAssignments`` as it stands.
    ``stopped`` says why nothing is sent at the moment, ``unread`` why the rest could not be told.
    """

    kind: Literal["okta", "entra"]
    pushed: frozenset[str] = frozenset()
    assigned: frozenset[str] = frozenset()
    unreached: frozenset[str] | None = None
    failing: tuple[tuple[str, str], ...] = ()
    everybody: bool | None = None
    role_sent: bool = False
    roles_raw: bool = False
    stopped: str | None = None
    unread: str | None = None
