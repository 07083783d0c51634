"""A snapshot as YAML that a person can read and keep in a repo: an entry, and a person, to a line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rolecall.desired.emit import entry_lines
from rolecall.desired.emit_text import comment, flow, scalar
from rolecall.model.kinds import KEYED

_BY_ENTRY = frozenset(("coverage", "legacy_links", *(kind.section for kind in KEYED)))
_LINE = 110


def snapshot_yaml(encoded: Mapping[str, Any], notes: tuple[str, ...] = ()) -> str:
    """The text of a snapshot's JSON, in its order; ``notes`` are comments at its start."""
    return "".join((*(f"{comment(note)}\n" for note in notes), *_top(encoded)))


def _top(encoded: Mapping[str, Any]) -> Iterator[str]:
    for name, value in encoded.items():
        if isinstance(value, dict) and value and name in _BY_ENTRY:
            yield f"{name}:\n"
            for key, held in value.items():
                yield from entry_lines(key, held)
        elif isinstance(value, list) and value and (name == "people" or len(flow(value)) > _LINE):
            yield f"{name}:\n"
            yield from (f"  - {flow(item)}\n" for item in value)
        else:
            yield from _fields(name, value)


def _fields(name: str, value: Any) -> Iterator[str]:
    one = f"{name}: {flow(value)}\n"
    if not isinstance(value, dict) or len(one) <= _LINE:
        yield one
        return
    yield f"{name}:\n"
    yield from (f"  {scalar(key)}: {flow(held)}\n" for key, held in value.items())
