"""Request bodies: decoded, limited, and adapted to the schemas where Okta and Entra deviate from them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic_core import from_json
from scim2_models import InvalidPathException, InvalidSyntaxException, InvalidValueException, Path, Resource
from scim2_server.utils import parametrize

from rolecall.localorg.scim.models import ENTERPRISE, USER, WRITER, WRITER_USER

MAX_OPERATIONS: Final = 5000
"""The most operations in one PATCH."""

_EXTENSIONS: Final = (WRITER_USER.lower(), WRITER.lower())
_BY_EMAIL = re.compile(r'\A\s*email\s+eq\s+(?P<value>"(?:[^"\\]|\\.)*")\s*\Z', re.IGNORECASE)
_MANAGER: Final = f"{ENTERPRISE}:manager".lower()
_PASSWORDS: Final = ("password", f"{USER}:password".lower())


def decode(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body. Raises InvalidSyntaxException, or InvalidValueException for bad text."""
    try:
        payload = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidSyntaxException(detail=f"The body is not JSON: {str(error)[:200]}") from error
    if not isinstance(payload, dict):
        raise InvalidSyntaxException(detail="The body must be a JSON object")
    if b"\\u" in body and any("\x00" in text or _half(text) for text in _texts(payload)):
        raise InvalidValueException(detail="The body holds a NUL character or half of a surrogate pair")
    return payload


def require_schemas(payload: Mapping[str, Any], urn: str) -> None:
    """Refuse a message that does not name its schema (RFC 7643 §3)."""
    schemas = next((value for key, value in payload.items() if key.lower() == "schemas"), None)
    if not isinstance(schemas, list) or urn.lower() not in [str(schema).lower() for schema in schemas]:
        raise InvalidSyntaxException(detail=f"`schemas` must name {urn}")


class UserQuirks(NamedTuple):
    """Adapts the data that IdPs send about users to the schemas; ``role`` is the role attribute's name (R18)."""

    role: str

    def resource(self, payload: Mapping[str, Any], stored: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return a whole user, or the value of an operation without a path.

        The role attribute comes under either URN, as a bare string under one, or by its bare name. Okta echoes the
        answer of GET next to what it maps, so when two spellings differ, the one that differs from ``stored`` counts.
        Entra takes the last part of its target attribute ``…:2.0:User`` for the name of an attribute, and sends
        ``{"…:2.0": {"User": "admin"}}``.
        """
        clean: dict[str, Any] = {}
        roles: list[Any] = []
        for key, value in payload.items():
            name = key.lower()
            if name in (*_EXTENSIONS, self.role.lower()) and isinstance(value, str | Mapping | None):
                roles.append(self._role(value))
            elif name not in _PASSWORDS:
                name = self._path(name)
                clean[key if name == key.lower() else name] = self.value(name, value)
        sent_roles = [role for role in roles if role is not None]
        if sent_roles:
            stored_role = _stored_role(stored, self.role)
            clean[WRITER_USER] = {self.role: next((role for role in sent_roles if role != stored_role), sent_roles[0])}
        return clean

    def value(self, name: str, value: Any) -> Any:
        """Return the value of one attribute, ``name`` in lower case."""
        if name == WRITER_USER.lower():
            return {self.role: self._role(value)}
        if name == ENTERPRISE.lower() and isinstance(value, Mapping):
            return {key: _manager(part) if key.lower() == "manager" else part for key, part in value.items()}
        return _manager(value) if name == _MANAGER else value

    def operations(self, operations: list[Any]) -> Iterator[Any]:
        """Yield the operations of a PATCH, except those on passwords."""
        for operation in operations:
            if not isinstance(operation, Mapping):
                yield operation
                continue
            lowered = {key.lower(): value for key, value in operation.items()}
            path, value = lowered.get("path"), lowered.get("value")
            if not path and isinstance(value, Mapping):
                yield {**lowered, "value": self.resource(value)}
            elif not isinstance(path, str) or path.lower() not in _PASSWORDS:
                yield self._operation(lowered, path, value)

    def _operation(self, operation: dict[str, Any], path: Any, value: Any) -> dict[str, Any]:
        if not isinstance(path, str) or not path:
            return operation
        path = self._path(path)
        if "value" not in operation:
            return {**operation, "path": path}
        clean = self.value(path.lower(), value)
        if clean is None and path.lower() == _MANAGER and str(operation.get("op")).lower() != "remove":
            return {"op": "remove", "path": path}
        return {**operation, "path": path, "value": clean}

    def _path(self, path: str) -> str:
        """Return a path with the role attribute under its stored URN."""
        if path.lower() == self.role.lower():
            return f"{WRITER_USER}:{self.role}"
        if path.lower() in _EXTENSIONS:
            return WRITER_USER
        for urn in _EXTENSIONS:
            if path.lower() == f"{urn}:{self.role}".lower():
                return f"{WRITER_USER}:{self.role}"
        return path

    def _role(self, value: Any) -> Any:
        """Return the role in the value of an extension: the value itself, or its part of either name."""
        if not isinstance(value, Mapping):
            return value
        parts = {key.lower(): part for key, part in value.items()}
        return next((self._role(parts[name]) for name in (self.role.lower(), "user") if name in parts), None)


def by_email(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a search with ``email eq "…"`` translated to attributes of the schema.

    WRITER's unique identifier is called ``email``, and Okta then searches by that name, which SCIM does not have.
    """
    filters = {
        key: _BY_EMAIL.sub(r"(userName eq \g<value> or emails.value eq \g<value>)", value)
        for key, value in payload.items()
        if key.lower() == "filter" and isinstance(value, str)
    }
    return {**payload, **filters}


def operations_of(payload: Mapping[str, Any]) -> list[Any]:
    """Return the operations of a PATCH. Raises InvalidValueException when there are none, or too many."""
    operations = next((value for key, value in payload.items() if key.lower() == "operations"), None)
    if not isinstance(operations, list) or not operations:
        raise InvalidValueException(detail="`Operations` must hold one or more operations")
    if len(operations) > MAX_OPERATIONS:
        raise InvalidValueException(detail=f"a PATCH may hold {MAX_OPERATIONS} operations at most")
    return operations


def refuse_unknown_path(model: type[Resource[Any]], path: str) -> None:
    """Refuse a path into a schema that this org has, to an attribute that the schema lacks: it is a typing error.

    A path into a schema that the org does not know is accepted: unknown attributes are ignored (RFC 7644 §3.5.2
    allows that, and Entra sends them).
    """
    bound = parametrize(Path, model)(path)
    if bound.model is not None or bound.resolve() is not None:
        return
    known = [str(getattr(model, "__schema__", "")).lower(), *(urn.lower() for urn in model.get_extension_models())]
    schema = (bound.schema or known[0]).lower()
    if schema in known:
        raise InvalidPathException(path=path, detail=f"{path!r} is not an attribute of the schema {schema}")


def _stored_role(stored: Mapping[str, Any] | None, role: str) -> Any:
    return ((stored or {}).get(WRITER_USER) or {}).get(role)


def _manager(value: Any) -> Any:
    if isinstance(value, str):
        return {"value": value} if value else None
    if isinstance(value, Mapping) and not any(value.values()):
        return None
    return value


def _texts(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, list):
            pending += item
        elif isinstance(item, dict):
            pending += [*item, *item.values()]


def _half(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)
