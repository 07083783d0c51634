"""Stored documents: created from resources, read, and shown.

A document has a resource's own attributes and ``schemas``. ``id``, ``meta``, a user's ``groups`` and a group's
``members`` are stored elsewhere and added when it is shown. ``Projection`` selects what of it an answer has.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from scim2_models import Context, InvalidValueException, Resource, ResponseParameters

from rolecall.localorg.scim.models import (
    GROUP,
    ROLE_EXTENSION,
    ROLE_FIELD,
    USER,
    WRITER_USER,
    Group,
    exact,
    provider,
)
from rolecall.localorg.scim.shapes import fold_document
from rolecall.localorg.store import keys

ELSEWHERE: Final = frozenset({"id", "meta", "groups", "members", "password"})


class Stored(NamedTuple):
    """One resource as the database has it. ``kind`` is User or Group; times are RFC 3339 text."""

    kind: str
    id: str
    document: dict[str, Any]
    version: int
    created: str
    modified: str

    @property
    def etag(self) -> str:
        return f'W/"{self.version}"'

    @property
    def endpoint(self) -> str:
        return f"{self.kind}s"


def document_of(resource: Resource[Any]) -> dict[str, Any]:
    """Return what is stored of a resource."""
    dumped = resource.model_dump(scim_ctx=Context.DEFAULT)
    return {key: value for key, value in dumped.items() if key not in ELSEWHERE}


def user_columns(
    model: type[Resource[Any]], document: dict[str, Any], role: str | None, *, active: bool
) -> dict[str, Any]:
    """Return the columns of ``users`` that follow from a user's document."""
    email = email_of(document)
    external = document.get("externalId")
    return {
        "email": email,
        "email_key": keys.address(email),
        "user_name_key": keys.address(document["userName"]),
        "external_id": None if external is None else exact(external),
        "active": active,
        "role_attribute": role,
        "document": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        "folded": fold_document(model, document),
    }


def group_columns(model: type[Resource[Any]], document: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of ``groups`` that follow from a group's document."""
    external = document.get("externalId")
    return {
        "display_name": document["displayName"],
        "name_key": keys.fold(document["displayName"]),
        "external_id": None if external is None else exact(external),
        "document": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
        "folded": fold_document(model, document),
    }


def loaded_user(email: str, *, active: bool = True, role: str | None = None) -> dict[str, Any]:
    """Return the SCIM columns of a user who comes from a snapshot and not from an IdP: a minimal document."""
    model = cast(type[Resource[Any]], provider().model_for("User"))
    document: dict[str, Any] = {"schemas": [USER], "userName": email, "active": active}
    if role is not None:
        document["schemas"].append(WRITER_USER)
        document[WRITER_USER] = {"role": role}
    return user_columns(model, document, role, active=active)


def loaded_group(name: str, external_id: str | None = None) -> dict[str, Any]:
    """Return the SCIM columns of a group that comes from a snapshot."""
    document: dict[str, Any] = {"schemas": [GROUP], "displayName": name}
    if external_id is not None:
        document["externalId"] = external_id
    return group_columns(Group, document)


def email_of(document: Mapping[str, Any]) -> str:
    """Return the user's email: the userName if it is an address, else the primary or first email, else the userName."""
    name = str(document["userName"])
    if "@" in name:
        return name
    emails = [entry for entry in document.get("emails") or () if entry.get("value")]
    primary = [entry for entry in emails if entry.get("primary")]
    return str((primary or emails or [{"value": name}])[0]["value"])


def role_of(user: Any) -> str | None:
    """Return the role attribute (R18)."""
    role: str | None = getattr(getattr(user, ROLE_EXTENSION), ROLE_FIELD, None)
    return role


def shown(stored: Stored, base_url: str, extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resource as a client sees it; ``extra`` is its ``groups`` or its ``members``."""
    meta = {
        "resourceType": stored.kind,
        "created": stored.created,
        "lastModified": stored.modified,
        "location": f"{base_url}/{stored.endpoint}/{stored.id}",
        "version": stored.etag,
    }
    return {"schemas": stored.document["schemas"], "id": stored.id, **stored.document, **extra, "meta": meta}


def group_entries(base_url: str, groups: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return ``User.groups`` from ids and names."""
    return [
        {"value": group, "$ref": f"{base_url}/Groups/{group}", "display": name, "type": "direct"}
        for group, name in groups
    ]


_ID: Final = "\ufffc"


class JsonText(str):
    """A JSON value as text, copied into an answer as it is."""

    __slots__ = ()


def member_entries(base_url: str, ids: Sequence[str], projection: Projection) -> JsonText | None:
    """Return ``Group.members`` as JSON, straight from ids: a group may have 100,000. None when nothing of it is shown.

    Ids consist of characters that JSON does not escape. There is no ``display``: an IdP has names of its own.
    """
    entry = {"value": _ID, "$ref": f"{base_url}/Users/{_ID}", "type": "User"}
    shape = {name: value for name, value in entry.items() if projection.keeps(GROUP, f"members.{name}")}
    if not ids or not shape:
        return None
    parts = dump(shape).split(_ID)
    return JsonText(f"[{','.join([user.join(parts) for user in ids])}]")


def dump(body: Mapping[str, Any]) -> str:
    """Return an answer as JSON text."""
    plain = {name: value for name, value in body.items() if not isinstance(value, JsonText)}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    ready = [f"{json.dumps(name)}:{value}" for name, value in body.items() if isinstance(value, JsonText)]
    return text if not ready else f"{text[:-1]}{',' * bool(plain)}{','.join(ready)}}}"


def dump_all(resources: Iterable[Mapping[str, Any]]) -> JsonText:
    """Return several resources as a JSON list."""
    return JsonText(f"[{','.join(map(dump, resources))}]")


MAX_NAME: Final = 1024
"""The longest userName, displayName of a group, and externalId, in characters."""


def checked(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document if its names are usable. Raises InvalidValueException."""
    for name in ("userName", "displayName", "externalId"):
        value = document.get(name)
        if isinstance(value, str) and len(value) > MAX_NAME:
            raise InvalidValueException(detail=f"`{name}` is longer than {MAX_NAME} characters")
    for name in ("userName",) if "userName" in document else ("displayName",):
        if not str(document.get(name) or "").strip():
            raise InvalidValueException(detail=f"`{name}` must not be blank")
    return document


ALWAYS = frozenset({"schemas", "id"})


class Projection(NamedTuple):
    """The attributes that an answer has; names are in lower case, URNs included. Both empty: all of them."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, parameters: ResponseParameters[Any] | None) -> Projection:
        if parameters is None:
            return cls()
        only, without = parameters.attributes or (), parameters.excluded_attributes or ()
        return cls(tuple(str(path).lower() for path in only), tuple(str(path).lower() for path in without))

    def keeps(self, schema: str, name: str) -> bool:
        """Return whether anything of a top-level attribute is shown, so that it need not be read otherwise."""
        return name in ALWAYS or self._keeps(schema.lower(), name.lower())

    def apply(self, schema: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document with what the client asked for; ``schema`` is that of its own attributes."""
        if not self.only and not self.without:
            return dict(document)
        result: dict[str, Any] = {}
        for name, value in document.items():
            if name in ALWAYS:
                result[name] = value
            elif name.lower().startswith("urn:"):
                if self._keeps_extension(name.lower()) and (inner := self._inner(name.lower(), "", value)):
                    result[name] = inner
            elif self._keeps(schema.lower(), name.lower()):
                result[name] = self._inner(schema.lower(), name.lower(), value)
        empty = [name for name, value in result.items() if value in ({}, []) and name != "schemas"]
        for name in empty:
            del result[name]
        result["schemas"] = [urn for urn in document["schemas"] if urn == document["schemas"][0] or urn in result]
        return result

    def _keeps_extension(self, urn: str) -> bool:
        """Return whether an extension is requested, by its URN: a bare attribute name means the core schema (RFC
        7644 §3.10)."""
        if urn in self.without:
            return False
        return not self.only or any(requested == urn or requested.startswith(f"{urn}:") for requested in self.only)

    def _inner(self, schema: str, head: str, value: Any) -> Any:
        if isinstance(value, list):
            entries = [self._inner(schema, head, entry) for entry in value]
            return [entry for entry in entries if entry != {}]
        if not isinstance(value, Mapping):
            return value
        result = {}
        for name, part in value.items():
            path = f"{head}.{name.lower()}" if head else name.lower()
            if self._keeps(schema, path):
                result[name] = part if head else self._inner(schema, path, part)
        return result

    def _keeps(self, schema: str, path: str) -> bool:
        if any(_same(requested, schema, path) for requested in self.without):
            return False
        return not self.only or any(_touches(requested, schema, path) for requested in self.only)


EVERYTHING = Projection()


def _same(requested: str, schema: str, path: str) -> bool:
    return requested == (f"{schema}:{path}" if ":" in requested else path)


def _touches(requested: str, schema: str, path: str) -> bool:
    """Return whether an attribute is the requested one, a part of it, or contains it."""
    full = f"{schema}:{path}" if ":" in requested else path
    return (
        full == requested
        or full.startswith((f"{requested}.", f"{requested}:"))
        or requested.startswith((f"{full}.", f"{full}:"))
    )
