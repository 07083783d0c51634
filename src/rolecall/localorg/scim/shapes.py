"""The SQL of a resource type's attributes: columns, the folded document, and the join table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Column, ColumnElement, FromClause, Text, cast, func, literal, literal_column, select
from sqlalchemy.sql.expression import Select

from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS

Term = ColumnElement[Any]
"""A text expression, null where the resource has no value."""


class Entries(Protocol):
    """The entries of one multi-valued attribute of the current row."""

    def select(self) -> Select[Any]:
        """Return ``SELECT 1 FROM entries``, correlated to the resource's row."""

    def field(self, name: str | None) -> Term | None:
        """Return the text of a sub-attribute, or of the entry itself (None); None where it cannot be compared."""


class Dialect(NamedTuple):
    """The SQL that differs between SQLite and PostgreSQL."""

    name: str

    @property
    def sqlite(self) -> bool:
        return self.name == "sqlite"

    def at(self, document: ColumnElement[Any], *path: str) -> Term:
        """Return the text at a path of a JSON document, null when there is none."""
        if self.sqlite:
            return func.json_extract(document, "$" + "".join(f'."{part}"' for part in path), type_=Text)
        return func.jsonb_extract_path_text(document, *path, type_=Text).collate("C")

    def within(self, text: Term, part: str) -> ColumnElement[bool]:
        position = func.instr(text, part) if self.sqlite else func.strpos(text, part)
        return position > 0

    def starts(self, text: Term, part: str) -> ColumnElement[bool]:
        head = func.substr(text, 1, len(part)) if self.sqlite else func.left(text, len(part))
        return head == part

    def ends(self, text: Term, part: str) -> ColumnElement[bool]:
        tail = func.substr(text, -len(part)) if self.sqlite else func.right(text, len(part))
        return tail == part

    def ordered(self, text: Term) -> Term:
        """Return text that sorts by code point."""
        return text if self.sqlite else text.collate("C")


class JsonEntries:
    """A list in the folded document."""

    def __init__(self, dialect: Dialect, folded: Column[Any], path: tuple[str, ...], name: str) -> None:
        self._dialect = dialect
        if dialect.sqlite:
            where = "$" + "".join(f'."{part}"' for part in path)
            self.rows: FromClause = func.json_each(folded, where).table_valued("key", "value", name=name)
        else:
            entries = func.jsonb_array_elements(func.jsonb_extract_path(folded, *path))
            self.rows = entries.table_valued("value", with_ordinality="key", name=name).render_derived()
        self._table = folded.table

    def select(self) -> Select[Any]:
        return select(literal(1)).select_from(self.rows).correlate(self._table)

    def field(self, name: str | None) -> Term | None:
        return self.text(name)

    def text(self, name: str | None) -> Term:
        """Return a sub-attribute, or the entry itself (None); any can be requested of a list."""
        value = self.rows.c.value
        if name is not None:
            return self._dialect.at(value, name)
        return value if self._dialect.sqlite else value.op("#>>")(literal_column("'{}'"))


class MemberEntries:
    """The members of a group, from the join table."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.links = MEMBERSHIPS.alias()

    def select(self) -> Select[Any]:
        mine = self.links.c.group_id == GROUPS.c.id
        return select(literal(1)).select_from(self.links).where(mine).correlate(GROUPS)

    def field(self, name: str | None) -> Term | None:
        return {"value": self.links.c.user_id, "type": literal("user")}.get(name or "value")


class GroupEntries:
    """The groups of a user, from the join table."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._links = MEMBERSHIPS.alias()
        self._groups = GROUPS.alias()

    def select(self) -> Select[Any]:
        joined = self._links.join(self._groups, self._groups.c.id == self._links.c.group_id)
        mine = (self._links.c.user_id == USERS.c.id) & self._groups.c.pushed
        return select(literal(1)).select_from(joined).where(mine).correlate(USERS)

    def field(self, name: str | None) -> Term | None:
        known = {
            "value": self._links.c.group_id,
            "display": self._dialect.at(self._groups.c.folded, "displayName"),
            "type": literal("direct"),
        }
        return known.get(name or "value")


class Shape(NamedTuple):
    """A resource type in the database: its table, the rows that SCIM shows, attributes outside the folded document."""

    table: Any
    name: str
    shown: ColumnElement[bool]
    joined: str
    entries: Callable[[Dialect], Entries]
    keys: dict[str, Column[Any]]
    """Attributes with an indexed column that holds the comparable form, or (``displayName``) narrows to it."""

    def column(self, attribute: str, sub_attribute: str | None) -> Term | None:
        """Return the column of ``id`` or of a part of ``meta``; None for everything else."""
        if attribute == "id":
            key: Term = self.table.c.id
            return key
        if attribute != "meta":
            return None
        known: dict[str | None, Any] = {
            "created": self.table.c.created,
            "lastModified": self.table.c.modified,
            "resourceType": literal(self.name.casefold()),
            "version": literal('W/"') + cast(self.table.c.version, Text) + literal('"'),
        }
        return known.get(sub_attribute)


USERS_SHAPE: Final = Shape(
    USERS,
    "User",
    USERS.c.document.is_not(None),
    "groups",
    GroupEntries,
    {"userName": USERS.c.user_name_key, "externalId": USERS.c.external_id},
)
GROUPS_SHAPE: Final = Shape(
    GROUPS,
    "Group",
    GROUPS.c.document.is_not(None) & GROUPS.c.pushed,
    "members",
    MemberEntries,
    {"displayName": GROUPS.c.name_key, "externalId": GROUPS.c.external_id},
)
SHAPES: Final = {"User": USERS_SHAPE, "Group": GROUPS_SHAPE}
