"""The tables and their indexes: ``migrations.py`` creates them for a new org and updates those of an older one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from rolecall.codec.settings import encode_value
from rolecall.model.fields import Field
from rolecall.model.kinds import BY_SECTION, initial_value

METADATA = MetaData()

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row of whatever columns."""


class Json(TypeDecorator[object]):
    """JSON, and JSONB on PostgreSQL, whose types are imported there alone."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())


def _text(name: str, *, key: bool = False, null: bool = False) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=null)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


def _count(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=key, autoincrement=False, nullable=False)


def _json(name: str) -> Column[object]:
    return Column(name, Json(), nullable=True)


def _partial_index(name: str, *columns: str, where: str) -> Index:
    """Return an index of some rows. ``migrations`` adds the condition for PostgreSQL, which imports its dialect."""
    return Index(name, *columns, sqlite_where=text(where))


DOMAIN_COLUMNS: Mapping[str, Field] = {
    "join_policy" if field.name == "join" else field.name: field for field in BY_SECTION["domains"].fields
}
"""The column of each field of a domain; `join` is a word of SQL."""


NEW_DOMAIN: Mapping[str, Any] = encode_value("domains", initial_value(BY_SECTION["domains"]))


def domain_columns(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of a domain's value, which has all its fields; sets as JSON text."""
    parts = {column: value[field.name] for column, field in DOMAIN_COLUMNS.items()}
    return {column: json.dumps(part) if isinstance(part, list) else part for column, part in parts.items()}


def domain_value(domain: AnyRow) -> dict[str, Any]:
    """Return the value of a domain's row; the inverse of ``domain_columns``."""
    parts = ((field, getattr(domain, column)) for column, field in DOMAIN_COLUMNS.items())
    return {field.name: json.loads(part) if field.is_set else part for field, part in parts}


ORG = Table(
    "org",
    METADATA,
    _text("id", key=True),
    _text("name"),
    _text("plan"),
    _flag("scim_in_plan"),
    Column("page_limit", Integer, nullable=False),
    Column("per_minute", Integer, nullable=False),
    Column("latency_ms", Integer, nullable=False),
    _text("created"),
)

SETTINGS = Table(
    "settings",
    METADATA,
    _text("section", key=True),
    _text("value"),
    _count("version"),
    _text("modified"),
)

DOMAINS = Table(
    "domains",
    METADATA,
    _text("name", key=True),
    *(
        _flag(column) if field.type == "flag" else _text(column, null=field.nullable)
        for column, field in DOMAIN_COLUMNS.items()
    ),
    _count("version"),
    _text("created"),
    _text("modified"),
)

TEAMS = Table("teams", METADATA, _text("name", key=True), _text("id"), _text("created"))

ROLES = Table(
    "roles",
    METADATA,
    _text("id", key=True),
    _text("name"),
    _text("level"),
    Column("position", Integer, nullable=False),
)

USERS = Table(
    "users",
    METADATA,
    _text("id", key=True),
    _text("email"),
    _text("email_key"),
    _text("external_id", null=True),
    _flag("active"),
    _text("origin"),
    _flag("pending"),
    _text("role_attribute", null=True),
    _text("manual"),
    _text("document", null=True),
    _count("version"),
    Column("bucket", Integer, nullable=False),
    _text("created"),
    _text("modified"),
    _text("user_name_key", null=True),
    _json("folded"),
    _text("org_role", null=True),
    _text("seat", null=True),
    _text("billing_group", null=True),
    Index("users_email_key", "email_key", unique=True),
    Index("users_user_name_key", "user_name_key", unique=True),
    Index("users_external_id", "external_id"),
    Index("users_bucket", "bucket", "id"),
    _partial_index("users_manual", "id", where="manual <> '[]'"),
    _partial_index("users_role_attribute", "id", where="role_attribute IS NOT NULL"),
    _partial_index("users_shown", "created", "id", where="document IS NOT NULL"),
)

GROUPS = Table(
    "groups",
    METADATA,
    _text("id", key=True),
    _text("display_name"),
    _text("name_key"),
    _text("external_id", null=True),
    _text("document", null=True),
    _count("version"),
    _text("mapping", null=True),
    _count("mapping_version"),
    _text("linked_teams"),
    _flag("pushed"),
    _text("created"),
    _text("modified"),
    _json("folded"),
    Index("groups_name_key", "name_key"),
    Index("groups_external_id", "external_id"),
    _partial_index("groups_shown", "created", "id", where="document IS NOT NULL"),
)

MEMBERSHIPS = Table(
    "memberships",
    METADATA,
    Column("group_id", Text, ForeignKey("groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", Text, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Index("memberships_user_id", "user_id", "group_id"),
    sqlite_with_rowid=False,
)

TOKENS = Table(
    "tokens",
    METADATA,
    _text("id", key=True),
    _text("hash"),
    _text("kind"),
    _text("scope"),
    _text("email", null=True),
    _text("created"),
    _text("expires", null=True),
    _text("revoked", null=True),
    _text("used", null=True),
    _text("wrote", null=True),
    Index("tokens_hash", "hash", unique=True),
)

AUDIT = Table(
    "audit",
    METADATA,
    _count("seq", key=True),
    _text("id"),
    _text("at"),
    _text("actor"),
    _text("channel"),
    _text("action"),
    _text("address"),
    _text("before", null=True),
    _text("after", null=True),
    _text("key", null=True),
    _text("request_digest", null=True),
    _text("answer", null=True),
    _text("source_ip", null=True),
    Index("audit_id", "id", unique=True),
    Index("audit_key", "key", unique=True),
    Index("audit_at", "at"),
)

COUNTERS = Table("counters", METADATA, _text("name", key=True), _count("value"))

MIGRATED = Table("schema_migrations", METADATA, Column("number", Integer, primary_key=True), _text("at"))
