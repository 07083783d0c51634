"""Brings what strings compare by into the form of the present rules, for an org of an earlier version.

Version 0.1.0 folded letters, so that ``ß`` was ``ss``. ASCII text has the same form in both, and is not touched.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from rolecall.localorg.store import keys
from rolecall.localorg.store.tables import GROUPS, USERS


def rekey(tx: Connection) -> None:
    """Compute the keys of users and groups anew. A user whose new key is another user's keeps the earlier one."""
    taken = {column: set(tx.execute(select(USERS.c[column])).scalars()) for column in ("email_key", "user_name_key")}
    for user in tx.execute(_USERS).all():
        document = json.loads(user.document) if user.document else {}
        texts = {"email_key": user.email, "user_name_key": document.get("userName")}
        changed: dict[str, Any] = {}
        for column, text in texts.items():
            key = None if text is None else keys.address(text)
            if key is not None and key != getattr(user, column) and key not in taken[column]:
                taken[column].add(key)
                changed[column] = key
        if user.folded is not None:
            changed["folded"] = refolded(document, user.folded)
        if changed and not _plain(user.email, user.document or ""):
            tx.execute(USERS.update().where(USERS.c.id == user.id).values(**changed))
    for group in tx.execute(_GROUPS).all():
        if not _plain(group.display_name, group.document or ""):
            changed = {"name_key": keys.fold(group.display_name)}
            if group.folded is not None:
                changed["folded"] = refolded(json.loads(group.document), group.folded)
            tx.execute(GROUPS.update().where(GROUPS.c.id == group.id).values(**changed))


_USERS = select(USERS.c.id, USERS.c.email, USERS.c.email_key, USERS.c.user_name_key, USERS.c.document, USERS.c.folded)
_GROUPS = select(GROUPS.c.id, GROUPS.c.display_name, GROUPS.c.document, GROUPS.c.folded)


def refolded(document: Any, folded: Any, path: tuple[str, ...] = ()) -> Any:
    """Return the folded form of a document's value by the present rules. What was not folded (case-exact text, dates,
    flags) stays as ``folded`` has it."""
    if isinstance(folded, Mapping) and isinstance(document, Mapping):
        return {key: refolded(document.get(key), value, (*path, key)) for key, value in folded.items()}
    if isinstance(folded, list) and isinstance(document, list):
        return [refolded(*pair, path) for pair in zip(document, folded, strict=True)]
    if not isinstance(document, str) or document.isascii() or keys.folded_before(document) != folded:
        return folded
    address = path in (("userName",), ("emails", "value"))
    return keys.address(document) if address else keys.lower(document)


def _plain(*texts: str) -> bool:
    return all(text.isascii() for text in texts)
