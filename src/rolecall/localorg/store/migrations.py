"""The schema's history. A migration that ran anywhere is never edited: add one, and change ``tables.py`` with it.

Statements are plain SQL that SQLite and PostgreSQL both take; ``{text}`` is text that compares byte by byte in both,
``{json}`` a JSON document that SQL can look into.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect, select, text

from rolecall.errors import OrgError, Problem
from rolecall.localorg.store import clock, keys
from rolecall.localorg.store.tables import DOMAIN_COLUMNS, GROUPS, MIGRATED, NEW_DOMAIN, USERS, domain_columns


def rekey(tx: Connection) -> None:
    """Compute the keys of users and groups anew. A user whose new key is another user's keeps the earlier one."""
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
    """One step of the schema: its number, what it is for, its statements in order, and what is done to rows after."""

    number: int
    what: str
    statements: tuple[str, ...] = ()
    rework: Callable[[Connection], None] | None = None


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        "the first schema",
        (
            """CREATE TABLE org (id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, plan {text} NOT NULL,
                scim_in_plan BOOLEAN NOT NULL, page_limit INTEGER NOT NULL, per_minute INTEGER NOT NULL,
                latency_ms INTEGER NOT NULL, created {text} NOT NULL)""",
            """CREATE TABLE settings (section {text} NOT NULL PRIMARY KEY, value {text} NOT NULL,
                version BIGINT NOT NULL, modified {text} NOT NULL)""",
            """CREATE TABLE domains (name {text} NOT NULL PRIMARY KEY, discoverable BOOLEAN NOT NULL,
                join_policy {text} NOT NULL, version BIGINT NOT NULL, created {text} NOT NULL,
                modified {text} NOT NULL)""",
            "CREATE TABLE teams (name {text} NOT NULL PRIMARY KEY, id {text} NOT NULL, created {text} NOT NULL)",
            """CREATE TABLE roles (id {text} NOT NULL PRIMARY KEY, name {text} NOT NULL, level {text} NOT NULL,
                position INTEGER NOT NULL)""",
            """CREATE TABLE users (id {text} NOT NULL PRIMARY KEY, email {text} NOT NULL, email_key {text} NOT NULL,
                external_id {text}, active BOOLEAN NOT NULL, origin {text} NOT NULL, pending BOOLEAN NOT NULL,
                role_attribute {text}, manual {text} NOT NULL, document {text}, version BIGINT NOT NULL,
                bucket INTEGER NOT NULL, created {text} NOT NULL, modified {text} NOT NULL)""",
            "CREATE UNIQUE INDEX users_email_key ON users (email_key)",
            "CREATE INDEX users_external_id ON users (external_id)",
            "CREATE INDEX users_bucket ON users (bucket, id)",
            "CREATE INDEX users_manual ON users (id) WHERE manual <> '[]'",
            "CREATE INDEX users_role_attribute ON users (id) WHERE role_attribute IS NOT NULL",
            """CREATE TABLE groups (id {text} NOT NULL PRIMARY KEY, display_name {text} NOT NULL,
                name_key {text} NOT NULL, external_id {text}, document {text}, version BIGINT NOT NULL, mapping {text},
                mapping_version BIGINT NOT NULL, linked_teams {text} NOT NULL, pushed BOOLEAN NOT NULL,
                created {text} NOT NULL, modified {text} NOT NULL)""",
            "CREATE INDEX groups_name_key ON groups (name_key)",
            "CREATE INDEX groups_external_id ON groups (external_id)",
            """CREATE TABLE memberships (
                group_id {text} NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
                user_id {text} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
                PRIMARY KEY (group_id, user_id)){without_rowid}""",
            "CREATE INDEX memberships_user_id ON memberships (user_id, group_id)",
            """CREATE TABLE tokens (id {text} NOT NULL PRIMARY KEY, hash {text} NOT NULL, kind {text} NOT NULL,
                scope {text} NOT NULL, email {text}, created {text} NOT NULL, expires {text}, revoked {text})""",
            "CREATE UNIQUE INDEX tokens_hash ON tokens (hash)",
            """CREATE TABLE audit (seq BIGINT NOT NULL PRIMARY KEY, id {text} NOT NULL, at {text} NOT NULL,
                actor {text} NOT NULL, channel {text} NOT NULL, action {text} NOT NULL, address {text} NOT NULL,
                before {text}, after {text}, key {text}, request_digest {text}, answer {text}, source_ip {text})""",
            "CREATE UNIQUE INDEX audit_id ON audit (id)",
            "CREATE UNIQUE INDEX audit_key ON audit (key)",
            "CREATE INDEX audit_at ON audit (at)",
            "CREATE TABLE counters (name {text} NOT NULL PRIMARY KEY, value BIGINT NOT NULL)",
        ),
    ),
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
)

_WORDS = {
    "sqlite": {"text": "TEXT", "json": "TEXT", "without_rowid": " WITHOUT ROWID"},
    "postgresql": {"text": 'TEXT COLLATE "C"', "json": "JSONB", "without_rowid": ""},
}


def migrate(tx: Connection, upto: int | None = None) -> list[int]:
    """Run what has not run yet, in order, and return the numbers run. Raises OrgError for what is no org of ours."""
    ran = _ran(tx)
    if ran and max(ran) > MIGRATIONS[-1].number:
        message = f"the org is at schema {max(ran)}, and this rolecall knows {MIGRATIONS[-1].number}"
        raise OrgError(Problem("local_too_new", message, hint="update rolecall"))
    due = [m for m in MIGRATIONS if m.number not in ran and (upto is None or m.number <= upto)]
    for migration in due:
        for statement in migration.statements:
            tx.execute(text(statement.format(**_WORDS[tx.dialect.name])))
        if migration.rework is not None:
            migration.rework(tx)
        tx.execute(MIGRATED.insert().values(number=migration.number, at=clock.now()))
    if upto is None:
        _add_missing_columns(tx)
    return [migration.number for migration in due]


def _add_missing_columns(tx: Connection) -> None:
    """Give domains a column for each field declared since the org was made, with the value of a new domain."""
    present = tx.execute(text("SELECT * FROM domains LIMIT 0")).keys()
    for column, field in DOMAIN_COLUMNS.items():
        if column not in present:
            kind = "BOOLEAN" if field.type == "flag" else _WORDS[tx.dialect.name]["text"]
            default = "" if field.nullable else f" NOT NULL DEFAULT {_literal(domain_columns(NEW_DOMAIN)[column])}"
            tx.execute(text(f'ALTER TABLE domains ADD COLUMN "{column}" {kind}{default}'))


def _literal(value: bool | str) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "'" + value.replace("'", "''") + "'"


def _ran(tx: Connection) -> set[int]:
    tables = set(inspect(tx).get_table_names())
    if not tables:
        MIGRATED.create(tx)
        return set()
    if not tables >= {MIGRATED.name, "memberships"}:
        hint = "give the local org a database of its own"
        raise OrgError(Problem("not_an_org", "the database holds something else than a local org", hint=hint))
    return set(tx.execute(select(MIGRATED.c.number)).scalars())
