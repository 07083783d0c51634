"""Merges files by key, and applies an overlay."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rolecall.desired.load.files import INCLUDABLE
from rolecall.errors import Problem
from rolecall.model.kinds import ORG_KINDS
from rolecall.source.document import Document

KEYED: dict[str, Callable[[str], str]] = {kind.section: kind.key for kind in ORG_KINDS if kind.key is not None}


def normalised(document: Document) -> tuple[Document, list[Problem]]:
    """Return the document with the keys of domains and IdP groups normalized (see model.normalise)."""
    if not isinstance(document.value, dict):
        return document, []
    value, problems = dict(document.value), list[Problem]()
    for section, key in KEYED.items():
        if isinstance(entries := value.get(section), dict):
            value[section], section_problems = _rekeyed(document, section, entries, key)
            problems += section_problems
    return document.with_value(value), problems


def _rekeyed(
    document: Document, section: str, entries: dict[str, Any], key: Callable[[str], str]
) -> tuple[dict[str, Any], list[Problem]]:
    by_key: dict[str, Any] = {}
    first: dict[str, str] = {}
    problems = []
    for name, entry in entries.items():
        try:
            short = key(name)
        except ValueError as error:
            problems.append(Problem("domain", str(error), document.where((section, name), key=True)))
            short = name
        if first.setdefault(short, name) != name:
            message = (
                f"`{name}` is the same name as `{first[short]}` at {document.where((section, first[short]), key=True)}"
            )
            where = document.where((section, name), key=True)
            problems.append(Problem("duplicate_key", message, where, "keep one of the two"))
        by_key[short] = entry
    return (by_key if len(by_key) == len(entries) else entries), problems


def merge_files(documents: Sequence[Document]) -> tuple[dict[str, Any], list[Problem]]:
    """Return all files as one map: domains and IdP groups by entry, other sections as a whole; nothing may be repeated.

    The first document is the main file; only sections are taken from the others.
    """
    merged: dict[str, Any] = {}
    twice: list[tuple[Document, tuple[str, ...]]] = []
    for position, document in enumerate(documents):
        for top, value in document.value.items():
            if position and top not in INCLUDABLE:
                continue
            present = merged.get(top)
            if top not in merged:
                merged[top] = dict(value) if top in KEYED and isinstance(value, dict) else value
            elif top in KEYED and isinstance(value, dict) and isinstance(present, dict):
                twice += [(document, (top, name)) for name in value if name in present]
                present.update((name, entry) for name, entry in value.items() if name not in present)
            else:
                twice.append((document, (top,)))
    return merged, [_twice(documents, second, path) for second, path in twice]


def _twice(documents: Sequence[Document], second: Document, path: tuple[str, ...]) -> Problem:
    first = next(document for document in documents if document.has(path))
    message = f"`{path[-1]}` is also defined in {first.where(path, key=True)}"
    return Problem("duplicate_key", message, second.where(path, key=True), "keep one of the two")


def overlay(base: Any, over: Any) -> Any:
    """Return ``base`` with ``over`` applied: maps are merged by key, other values replaced; ``{remove: true}`` drops a
    key.
    """
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    merged = dict(base)
    for key, value in over.items():
        if removes(value) and key in merged and not removes(merged[key]):
            del merged[key]
        else:
            merged[key] = overlay(merged[key], value) if key in merged else value
    return merged


def drops_nothing(base: Any, over: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Yield the path of each key that ``over`` drops but ``base`` does not have, with the keys that exist there."""
    if not isinstance(over, dict):
        return
    keys = base if isinstance(base, dict) else {}
    for key, value in over.items():
        if not removes(value):
            yield from drops_nothing(keys.get(key), value, (*path, key))
        elif key not in keys:
            yield (*path, key), list(keys)


def removes(value: Any) -> bool:
    """Return whether a value is ``{remove: true}``, with or without other keys."""
    return isinstance(value, dict) and value.get("remove") is True
