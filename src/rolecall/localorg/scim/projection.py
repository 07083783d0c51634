"""``attributes`` and ``excludedAttributes`` (RFC 7644 §3.9), applied to documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from scim2_models import ResponseParameters

ALWAYS = frozenset({"schemas", "id"})


class Projection(NamedTuple):
    """Which attributes an answer keeps; names are in lower case, URNs included. Both empty keeps everything."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    @classmethod
    def of(cls, parameters: ResponseParameters[Any] | None) -> Projection:
        if parameters is None:
            return cls()
        only, without = parameters.attributes or (), parameters.excluded_attributes or ()
        return cls(tuple(str(path).lower() for path in only), tuple(str(path).lower() for path in without))

    def keeps(self, schema: str, name: str) -> bool:
        """Whether anything of a top-level attribute is kept, so that it need not be read otherwise."""
        return name in ALWAYS or self._keeps(schema.lower(), name.lower())

    def apply(self, schema: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """The document with what the client asked for; ``schema`` is that of its own attributes."""
        if not self.only and not self.without:
            return dict(document)
        kept: dict[str, Any] = {}
        for name, value in document.items():
            if name in ALWAYS:
                kept[name] = value
            elif name.lower().startswith("urn:"):
                if self._keeps_extension(name.lower()) and (inner := self._inner(name.lower(), "", value)):
                    kept[name] = inner
            elif self._keeps(schema.lower(), name.lower()):
                kept[name] = self._inner(schema.lower(), name.lower(), value)
        empty = [name for name, value in kept.items() if value in ({}, []) and name != "schemas"]
        for name in empty:
            del kept[name]
        kept["schemas"] = [urn for urn in document["schemas"] if urn == document["schemas"][0] or urn in kept]
        return kept

    def _keeps_extension(self, urn: str) -> bool:
        """An extension is asked for by its URN; a bare attribute name means the core schema (RFC 7644 §3.10)."""
        if urn in self.without:
            return False
        return not self.only or any(wanted == urn or wanted.startswith(f"{urn}:") for wanted in self.only)

    def _inner(self, schema: str, head: str, value: Any) -> Any:
        if isinstance(value, list):
            entries = [self._inner(schema, head, entry) for entry in value]
            return [entry for entry in entries if entry != {}]
        if not isinstance(value, Mapping):
            return value
        found = {}
        for name, part in value.items():
            path = f"{head}.{name.lower()}" if head else name.lower()
            if self._keeps(schema, path):
                found[name] = part if head else self._inner(schema, path, part)
        return found

    def _keeps(self, schema: str, path: str) -> bool:
        if any(_same(wanted, schema, path) for wanted in self.without):
            return False
        return not self.only or any(_touches(wanted, schema, path) for wanted in self.only)


EVERYTHING = Projection()


def _same(wanted: str, schema: str, path: str) -> bool:
    return wanted == (f"{schema}:{path}" if ":" in wanted else path)


def _touches(wanted: str, schema: str, path: str) -> bool:
    """Whether an attribute is the wanted one, a part of it, or holds it."""
    full = f"{schema}:{path}" if ":" in wanted else path
    return (
        full == wanted or full.startswith((f"{wanted}.", f"{wanted}:")) or wanted.startswith((f"{full}.", f"{full}:"))
    )
