"""The folded document, which has a resource's attributes in the form in which SCIM compares them, and their SQL."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple, Protocol

from pydantic import BaseModel
from scim2_models import CaseExact, Extension, Resource
from scim2_models.path import AttributeBinding
from sqlalchemy import Column, ColumnElement, Connection, FromClause, Text, cast, func, literal, literal_column, select
from sqlalchemy.sql.expression import Select

from rolecall.localorg.scim.models import Email, comparable, exact
from rolecall.localorg.store import audit, keys
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.tables import GROUPS, MEMBERSHIPS, USERS


class _Leaf(NamedTuple):
    """One attribute. ``inner`` is the model of a complex one; ``address``: it is compared like an email address."""

    case_exact: bool
    inner: Any = None
    address: bool = False


ADDRESSES: Final = (("userName",), ("emails", "value"))
"""The attributes that hold an address."""


_LEAVES: dict[type[BaseModel], Mapping[str, _Leaf]] = {}


def fold_document(model: type[Resource[Any]], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with every value as text: strings NFC and, unless case-exact, lower case; ``true``, ``false``.

    Addresses are in the form in which they are unique (R28).
    """
    return _fold(model, document)


def fold_value(value: Any, *, case_exact: bool, address: bool = False) -> str:
    """Return one value in the form that comparisons use."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return keys.stamp(value if value.tzinfo else value.replace(tzinfo=UTC))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if address:
        return keys.address(str(value))
    return exact(str(value)) if case_exact else comparable(str(value))


def names(binding: AttributeBinding) -> tuple[str, ...]:
    """Return the keys under which a document has the attribute of a binding: extension, attribute, sub-attribute."""
    model: Any = binding.model
    path: tuple[str, ...] = (str(model.__schema__),) if issubclass(model, Extension) else ()
    path += (scim_name(model, binding.field_name),)
    if binding.sub_field_name:
        path += (scim_name(binding.field_type, binding.sub_field_name),)
    return path


def scim_name(model: Any, field: str) -> str:
    """Return the name of a field in messages."""
    info = model.model_fields[field]
    return str(info.serialization_alias or info.alias or field)


def _fold(model: type[BaseModel], document: Mapping[str, Any]) -> dict[str, Any]:
    leaves = _LEAVES.get(model) or _LEAVES.setdefault(model, _leaves(model))
    return {key: _fold_at(leaves[key], value) for key, value in document.items() if key in leaves}


def _fold_at(leaf: _Leaf, value: Any) -> Any:
    if isinstance(value, list):
        return [_fold_at(leaf, item) for item in value]
    if leaf.inner is not None and isinstance(value, Mapping):
        return _fold(leaf.inner, value)
    return fold_value(value, case_exact=leaf.case_exact, address=leaf.address)


def _leaves(model: type[BaseModel]) -> dict[str, _Leaf]:
    kind: Any = model
    leaves = {}
    for field_name in kind.model_fields:
        inner = kind.get_field_root_type(field_name)
        is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
        key = str(inner.__schema__) if is_model and issubclass(inner, Extension) else scim_name(kind, field_name)
        exact_case = kind.get_field_annotation(field_name, CaseExact) == CaseExact.true
        address = key == "userName" or (issubclass(model, Email) and key == "value")
        leaves[key] = _Leaf(exact_case, inner if is_model else None, address)
    return leaves


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


SCIM_ACTOR = audit.Actor("scim", "scim")


@dataclass(frozen=True, slots=True)
class ScimSession:
    """One transaction of one request."""

    tx: Connection
    actor: audit.Actor = SCIM_ACTOR
    dialect: Dialect = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dialect", Dialect(self.tx.dialect.name))

    def endpoint(self) -> str:
        """Return the org's endpoint version: legacy, upgrading or new (R20)."""
        return str(read_value(self.tx, "scim")["endpoint"])

    def record(self, action: str, address: str, before: Any, after: Any, *moves: str) -> None:
        """Write a line of the audit log; ``moves`` are the lists that changed."""
        audit.record(self.tx, self.actor, action, address, before, after, moves=moves)
