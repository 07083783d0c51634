"""What this org refuses in a document although the SCIM schemas allow it."""

from __future__ import annotations

from typing import Any, Final

from scim2_models import InvalidValueException

MAX_NAME: Final = 1024
"""The longest userName, displayName of a group, and externalId, in characters."""


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """The document, if its names are usable. Raises InvalidValueException."""
    for name in ("userName", "displayName", "externalId"):
        value = document.get(name)
        if isinstance(value, str) and len(value) > MAX_NAME:
            raise InvalidValueException(detail=f"`{name}` is longer than {MAX_NAME} characters")
    for name in ("userName",) if "userName" in document else ("displayName",):
        if not str(document.get(name) or "").strip():
            raise InvalidValueException(detail=f"`{name}` must not be blank")
    return document
