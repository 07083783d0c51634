"""Defines what an audit log shows of one change: whether a record proves it, by which user and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal, NamedTuple

from rolecall.model import normalise
from rolecall.model.record import OMIT, Code, UserName
from rolecall.model.settings import Address, Value

Status = Literal["confirmed", "another_actor", "unclear", "not_in_log", "not_logged", "unread"]
"""The result of looking a change up in a log.

- ``confirmed``: a record of it, by the expected user if one is expected and the record names one by email address.
- ``another_actor``: a record of it by another user.
- ``unclear``: records that may be about it, but do not prove it.
- ``not_in_log``: no record, and the log was read for the whole time.
- ``not_logged``: WRITER does not log such a change, as far as its documentation says, so silence proves nothing.
- ``unread``: no record, but the log was not read for the whole time.
"""


class Proof(NamedTuple):
    """A record that shows a change. ``key`` is the SHA-256 of its content.

    ``at`` is its time; where the server's clock differs from this machine's, it is corrected, and ``stated_at`` is the
    time in the record. ``fields`` are the addresses of what it shows as changed, ``with_values`` whether it states
    their new values.
    """

    key: Code
    at: datetime
    actor: UserName
    area: str
    action: str
    object: str
    source: str
    fields: tuple[str, ...]
    with_values: bool
    stated_at: Annotated[datetime | None, OMIT] = None


class Finding(NamedTuple):
    """The result of looking a change up in a log.

    ``proofs`` are the records of it, oldest first, also of only some of its fields. ``missing`` are the addresses of
    fields without a proof although such changes are logged; ``unlogged`` those of fields that are not logged.
    ``problem`` is why it is unclear or unread, as a sentence, or why a record may still come. ``writer`` is the ID at
    WRITER of the organization whose log it is.
    """

    status: Status
    proofs: tuple[Proof, ...] = ()
    missing: tuple[str, ...] = ()
    unlogged: tuple[str, ...] = ()
    problem: str | None = None
    writer: Code = ""


Findings = Mapping[tuple[int, int], Finding]
"""Run and number of a manual step that was reported done -> what the audit log shows of it."""

NO_FINDINGS: Final[Findings] = {}


class Confirmation(NamedTuple):
    """The proof of a manual step, as it is recorded: the number of the step, and the finding without its status."""

    number: int
    proofs: tuple[Proof, ...]
    unlogged: Annotated[tuple[str, ...], OMIT] = ()
    writer: Code = ""

    def finding(self, by: str) -> Finding:
        """Return the finding for a step that was reported by this user, who may not be the first one to report it."""
        another = any(is_another(by, proof.actor) for proof in self.proofs)
        return Finding(
            "another_actor" if another else "confirmed", self.proofs, unlogged=self.unlogged, writer=self.writer
        )


def is_another(by: str, actor: str) -> bool:
    """Return whether a record names another user; unknown unless both are known by email address."""
    return "@" in by and "@" in actor and normalise.email(by) != normalise.email(actor)


class Question(NamedTuple):
    """A change to look up in a log: the values of an address, and when it was made at the earliest and at the latest.

    ``reported`` is when it was reported done; a record after it counts only if none before it does. Without it, the
    question is who set a value that was read at ``end``. ``by`` is the user who made it, if known. ``rival`` is from
    when on another value of the address was requested as well, so that a record without values may be about that one.
    """

    address: Address
    before: Value | None
    after: Value | None
    start: datetime
    end: datetime
    reported: datetime | None = None
    by: str = ""
    rival: datetime | None = None
