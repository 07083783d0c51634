"""Keys that the store compares by, where SQL's own lower() and LIKE know ASCII only."""

from __future__ import annotations

import uuid
from hashlib import blake2b

from rolecall.model import normalise

BUCKETS = 65536


def fold(text: str) -> str:
    """A comparable key: NFC, trimmed, without case."""
    return normalise.email(text)


def bucket(user_id: str) -> int:
    """Which of the 65,536 buckets an id falls into, evenly; a partition is a range of them."""
    return int.from_bytes(blake2b(user_id.encode(), digest_size=2).digest(), "big")


def new_id() -> str:
    """A fresh UUID."""
    return str(uuid.uuid4())
