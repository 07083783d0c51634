"""The folded document: a resource's attributes in the form in which SCIM compares them, so that SQL can compare
them."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from scim2_models import CaseExact, Extension, Resource
from scim2_models.path import AttributeBinding

from rolecall.localorg.scim.models import Email, comparable, exact
from rolecall.localorg.store import clock, keys


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
        return clock.stamp(value if value.tzinfo else value.replace(tzinfo=UTC))
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
    for field in kind.model_fields:
        inner = kind.get_field_root_type(field)
        is_model = isinstance(inner, type) and issubclass(inner, BaseModel)
        key = str(inner.__schema__) if is_model and issubclass(inner, Extension) else scim_name(kind, field)
        exact_case = kind.get_field_annotation(field, CaseExact) == CaseExact.true
        address = key == "userName" or (issubclass(model, Email) and key == "value")
        leaves[key] = _Leaf(exact_case, inner if is_model else None, address)
    return leaves
