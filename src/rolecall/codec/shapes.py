"""Describes the form of JSON without its values, so that it can be shown to others: names of fields, types, lengths.

A key that could be a value, such as the name of a team, is hidden like one. Records of one form are merged.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from rolecall.codec.audit import is_moment
from rolecall.package_data import package_text

Json = Any

_DEEPEST = 30
"""The depth below which nothing is described."""
_LONGEST_NAME = 40
_NAME = re.compile(r"[A-Za-z_@$][A-Za-z_.$@-]*")
_NAME_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def shape_of(value: Json) -> Json:
    """Return the form of one value: types and lengths in place of values."""
    shape = _Shape()
    shape.add(value)
    return shape.json()


def forms_of(values: Iterable[Json]) -> list[tuple[int, Json]]:
    """Return each form of records, with the number of its records, the most frequent first.

    Records with the same fields at the top have one form. A field further down that not all of them have ends in ``?``.
    """
    shapes: dict[frozenset[str] | str, _Shape] = {}
    for value in values:
        kind = frozenset(_shown(key, 0) for key in value) if isinstance(value, dict) else type(value).__name__
        shapes.setdefault(kind, _Shape()).add(value)
    forms = [(shape.number, shape.json()) for shape in shapes.values()]
    return sorted(forms, key=lambda form: (-form[0], str(form[1])))


@dataclass(slots=True)
class _Shape:
    """The merged form of several values: how many there were, the least and the greatest length of each type, and the
    forms of their parts."""

    number: int = 0
    lengths: dict[str, tuple[int, int]] = field(default_factory=dict)
    objects: int = 0
    fields: dict[str, _Shape] = field(default_factory=dict)
    lists: tuple[int, int] | None = None
    items: _Shape | None = None

    def add(self, value: Json, depth: int = 0) -> None:
        """Add a value, ``depth`` levels below the record."""
        self.number += 1
        if depth > _DEEPEST:
            self._measure("deeper", 0)
        elif isinstance(value, dict):
            self.objects += 1
            for key, part in value.items():
                self.fields.setdefault(_shown(key, depth), _Shape()).add(part, depth + 1)
        elif isinstance(value, list):
            self.lists = _wider(self.lists, len(value))
            self.items = self.items or _Shape()
            for part in value:
                self.items.add(part, depth + 1)
        elif isinstance(value, str):
            self._measure(_form(value), len(value))
        else:
            self._measure("null" if value is None else _TYPES[type(value)], 0)

    def json(self) -> Json:
        """Return the form as JSON. Values of more than one kind are listed under ``<either>``."""
        kinds = [*self._kinds()]
        return kinds[0] if len(kinds) == 1 else {"<either>": kinds}

    def _kinds(self) -> Iterator[Json]:
        if self.objects:
            yield {name if self._is_always(name, part) else f"{name}?": part.json() for name, part in self._named()}
        if self.lists is not None and self.items is not None:
            items = [self.items.json()] if self.items.number else []
            yield [*items, f"<{_range(self.lists)} in the list>"]
        if self.lengths or not (self.objects or self.lists):
            texts = (f"{form}, {_range(ends)}" if ends[1] else form for form, ends in sorted(self.lengths.items()))
            yield f"<{' or '.join(texts)}>"

    def _is_always(self, name: str, part: _Shape) -> bool:
        """Return whether all objects have a field; hidden keys of one length may be several fields."""
        return part.number >= self.objects or name.startswith("<")

    def _named(self) -> list[tuple[str, _Shape]]:
        return sorted(self.fields.items(), key=lambda item: item[0].startswith("<"))

    def _measure(self, form: str, length: int) -> None:
        self.lengths[form] = _wider(self.lengths.get(form), length)


_TYPES = {bool: "true or false", int: "integer", float: "number"}


def _wider(ends: tuple[int, int] | None, length: int) -> tuple[int, int]:
    return (length, length) if ends is None else (min(ends[0], length), max(ends[1], length))


def _range(ends: tuple[int, int]) -> str:
    return str(ends[0]) if ends[0] == ends[1] else f"{ends[0]}-{ends[1]}"


def _form(text: str) -> str:
    if "@" in text:
        return "text with @"
    if is_moment(text):
        return "time"
    return "digits" if text.isdigit() else "text"


@lru_cache(4096)
def _shown(key: str, depth: int) -> str:
    """Return the name of a field, or the length of a key that could be a value."""
    return key if _is_name(key, depth) else f"<key, {len(key)}>"


def _is_name(key: str, depth: int) -> bool:
    """Return whether a key is the name of a field: of words for such names, or at the top of a record, where keys are
    hardly data, one that looks like a name."""
    if len(key) > _LONGEST_NAME or _NAME.fullmatch(key) is None or "@" in key[1:]:
        return False
    if depth == 0 and not key[0].isupper() and "." not in key:
        return True
    parts = (part.lower() for part in _NAME_PART.findall(key))
    return all(part in _field_words() or _singular(part) in _field_words() for part in parts)


def _singular(noun: str) -> str:
    return f"{noun[:-3]}y" if noun.endswith("ies") else noun.removesuffix("s")


@cache
def _field_words() -> frozenset[str]:
    return frozenset(package_text("codec/data/field_words.txt").partition("\n\n")[2].split())
