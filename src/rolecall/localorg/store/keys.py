"""Times, ids, and the keys that the store compares by: SQL's own lower() and LIKE support ASCII only."""

from __future__ import annotations

import unicodedata
import uuid
from datetime import UTC, datetime
from hashlib import blake2b

from rolecall.model import normalise

BUCKETS = 65536


def fold(text: str) -> str:
    """Return text as names compare without case: NFC, lower case, trimmed."""
    return normalise.caseless(text)


def address(text: str) -> str:
    """Return an email address, or a user name, as these compare (R28): as `fold`, and the domain after IDNA."""
    return normalise.email(text)


def lower(text: str) -> str:
    """Return text as it compares without case, white space and all."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def folded_before(text: str) -> str:
    """Return the form in which version 0.1.0 compared text."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def bucket(user_id: str) -> int:
    """Return which of the 65,536 buckets an id belongs to, evenly spread; a partition is a range of them."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=2).digest(), "big")


def new_id() -> str:
    """Return a new UUID."""
    return str(uuid.uuid4())


def stamp(at: datetime) -> str:
    """Return a moment as text, such as ``2026-11-22T10:00:00.000000Z``."""
    # Not strftime: it takes fifty times as long, and each write takes several stamps.
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def now() -> str:
    """Return the current moment as text."""
    return stamp(datetime.now(UTC))
