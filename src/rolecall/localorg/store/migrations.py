"""Creates a new org's tables, and brings those of an older org up to date.

A migration that ran anywhere is never edited: add one, and change ``tables.py`` with it. Its statements are plain SQL
that SQLite and PostgreSQL both take; ``{text}`` is text that compares byte by byte in both, ``{json}`` a JSON document
that SQL can look into.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, MetaData, Text, inspect, select, text
from sqlalchemy.types import TypeEngine

from rolecall.errors import OrgError, Problem
from rolecall.localorg.store import keys
from rolecall.localorg.store.tables import (
    DOMAIN_COLUMNS,
    GROUPS,
    METADATA,
    MIGRATED,
    NEW_DOMAIN,
    USERS,
    Json,
    domain_columns,
)


def rekey(tx: Connection) -> None:
    """Compute the keys of users and groups again. A user whose new key is another user's keeps the earlier one."""
    taken = {column: set(tx.execute(select(USERS.c[column])).scalars()) for column in ("email_key", "user_name_key")}
    for user in tx.execute(_USERS).all():
        document = json.loads(user.document) if user.document else {}
        texts = {"email_key": user.email, "user_name_key": document.get("userName")}
        changed: dict[str, Any] = {}
        for column, current in texts.items():
            key = None if current is None else keys.address(current)
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


class Migration(NamedTuple):
    """One step of the schema since the first: number, purpose, statements in order, and what is done to rows after."""

    number: int
    what: str
    statements: tuple[str, ...] = ()
    rework: Callable[[Connection], None] | None = None


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        2,
        "what SCIM searches by: documents in the form in which strings compare, and pages in the order of creation",
        (
            "ALTER TABLE users ADD COLUMN user_name_key {text}",
            "ALTER TABLE users ADD COLUMN folded {json}",
            "ALTER TABLE groups ADD COLUMN folded {json}",
            "CREATE UNIQUE INDEX users_user_name_key ON users (user_name_key)",
            "CREATE INDEX users_shown ON users (created, id) WHERE document IS NOT NULL",
            "CREATE INDEX groups_shown ON groups (created, id) WHERE document IS NOT NULL",
        ),
    ),
    Migration(3, "addresses and names compare in lower case, domains after IDNA; letters are not folded", rework=rekey),
    Migration(
        4,
        "roles at org level (R36), and what else an invitation asks for",
        tuple(f"ALTER TABLE users ADD COLUMN {name} {{text}}" for name in ("org_role", "seat", "billing_group")),
    ),
    Migration(
        5,
        "when a SCIM token was last used, and last wrote",
        tuple(f"ALTER TABLE tokens ADD COLUMN {name} {{text}}" for name in ("used", "wrote")),
    ),
)

SCHEMA = 5
"""The number of the last migration. An org that is made now has all of them; its tables are those of ``tables.py``."""

_WORDS = {
    "sqlite": {"text": "TEXT", "json": "TEXT"},
    "postgresql": {"text": 'TEXT COLLATE "C"', "json": "JSONB"},
}
_TYPES: Mapping[str, Mapping[type[TypeEngine[Any]], TypeEngine[Any]]] = {
    "sqlite": {Json: Text()},
    "postgresql": {Text: Text(collation="C")},
}
"""Database types of the types in ``tables.py`` that differ from SQLAlchemy's."""


def migrate(tx: Connection) -> list[int]:
    """Create the tables, or run the migrations that have not run yet; return the numbers of what was done.

    Raises OrgError for a database that is not a local org's.
    """
    tables = set(inspect(tx).get_table_names())
    if not tables:
        return _create(tx)
    if not tables >= {MIGRATED.name, "memberships"}:
        hint = "give the local org a database of its own"
        raise OrgError(Problem("not_an_org", "the database is not a local org", hint=hint))
    ran = set(tx.execute(select(MIGRATED.c.number)).scalars())
    if max(ran) > SCHEMA:
        message = f"the org is at schema {max(ran)}, and this version of rolecall supports {SCHEMA}"
        raise OrgError(Problem("local_too_new", message, hint="update rolecall"))
    due = [migration for migration in MIGRATIONS if migration.number not in ran]
    for migration in due:
        for statement in migration.statements:
            tx.execute(text(statement.format(**_WORDS[tx.dialect.name])))
        if migration.rework is not None:
            migration.rework(tx)
    numbers = [migration.number for migration in due]
    _record(tx, numbers)
    _add_missing_columns(tx)
    return numbers


def _create(tx: Connection) -> list[int]:
    _schema(tx.dialect.name).create_all(tx, checkfirst=False)
    numbers = list(range(1, SCHEMA + 1))
    _record(tx, numbers)
    return numbers


@lru_cache
def _schema(dialect: str) -> MetaData:
    """Return the tables with the types and the conditions of indexes that they have in a database."""
    types, schema = _TYPES[dialect], MetaData()
    for table in METADATA.sorted_tables:
        copied = table.to_metadata(schema)
        for column in copied.columns:
            column.type = types.get(type(column.type), column.type)
        for index in copied.indexes:
            if (where := index.dialect_options["sqlite"]["where"]) is not None:
                index.dialect_kwargs[f"{dialect}_where"] = where
    return schema


def _record(tx: Connection, numbers: Sequence[int]) -> None:
    if numbers:
        tx.execute(MIGRATED.insert(), [{"number": number, "at": keys.now()} for number in numbers])


def _add_missing_columns(tx: Connection) -> None:
    """Give domains a column for each field declared since the org was made, with the value of a new domain."""
    present = tx.execute(text("SELECT * FROM domains LIMIT 0")).keys()
    for column, field in DOMAIN_COLUMNS.items():
        if column not in present:
            kind = "BOOLEAN" if field.type == "flag" else _WORDS[tx.dialect.name]["text"]
            default = "" if field.nullable else f" NOT NULL DEFAULT {_literal(domain_columns(NEW_DOMAIN)[column])}"
            tx.execute(text(f'ALTER TABLE domains ADD COLUMN "{column}" {kind}{default}'))
            if default and tx.dialect.name == "postgresql":  # as in an org that is made now
                tx.execute(text(f'ALTER TABLE domains ALTER COLUMN "{column}" DROP DEFAULT'))


def _literal(value: bool | str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "'" + value.replace("'", "''") + "'"
