"""Writes snapshot files, and merges new readings into the files of an observed org."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yaml.error import YAMLError
from yaml.nodes import MappingNode, Node

from rolecall.desired.edit.entries import reshape, value_splices
from rolecall.desired.edit.export import entry_lines
from rolecall.desired.edit.nodes import Field, Splice, Text, comment, flow, is_block, scalar, spliced
from rolecall.errors import ConfigError
from rolecall.model.kinds import KEYED
from rolecall.source.yaml_file import parse_yaml


def merged_snapshot(text: str, said: Mapping[str, Any], notes: tuple[str, ...] = ()) -> str:
    """The snapshot's text, changed where it says something else than ``said``.

    It is written anew, with these notes, where it cannot be changed in place: anchors, aliases and the like.
    """
    try:
        before = parse_yaml(text.encode(), "").value
        made = _merged(text, before, said)
        if _same(parse_yaml(made.encode(), "").value, said):
            return made
    except (ConfigError, YAMLError, UnicodeError):
        pass
    return snapshot_yaml(said, notes)


def _merged(text: str, before: Any, said: Mapping[str, Any]) -> str:
    doc = Text(text)
    if not isinstance(before, dict) or doc.root is None or not is_block(doc.root):
        raise YAMLError
    there = doc.fields(doc.root)
    splices: list[Splice] = []
    for name, field in there.items():
        if name not in said:
            splices.append(Splice(*doc.lines(field.key.start_mark.index, field.end), ""))
        elif not _same(before[name], said[name]):
            splices += _section(doc, field, before[name], said[name])
    return spliced(text, [*splices, *_added(doc, there, said)])


def _section(doc: Text, field: Field, before: Any, said: Any) -> Iterator[Splice]:
    """A top-level value in the place of another."""
    if isinstance(before, dict) and isinstance(said, dict) and before and said and not field.alias:
        yield from _map(doc, field.value, before, said, top=True)
    elif _names(before) and _names(said) and not field.alias:
        yield from value_splices(doc, field, said)
    else:
        lines = snapshot_yaml({field.key.value: said})
        start = doc.after_colon(field.key)
        end = max(field.end, start)
        yield Splice(start, end, lines[lines.index(":") + 1 :].rstrip("\n"))


def _map(doc: Text, node: Node, before: Mapping[str, Any], said: Mapping[str, Any], *, top: bool) -> Iterator[Splice]:
    assert isinstance(node, MappingNode)
    there = doc.fields(node)
    for name, field in there.items():
        if name in said and not _same(before[name], said[name]):
            yield from _value(doc, field, before[name], said[name])
    dropped = [name for name in there if name not in said]
    added = {name: held for name, held in said.items() if name not in there}
    kept = [field for name, field in there.items() if name in said]
    if top and added and kept and is_block(node):
        end = doc.line_end(kept[-1].end)
        indent = doc.indent(kept[0].key)
        lines = "".join(line for name, held in added.items() for line in entry_lines(name, held, indent))
        yield Splice(end, end, f"\n{lines.rstrip(chr(10))}")
        added = {}
    if dropped or added:
        yield from reshape(doc, node, dropped, added)


def _value(doc: Text, field: Field, before: Any, said: Any) -> Iterator[Splice]:
    both_maps = isinstance(before, dict) and isinstance(said, dict) and before and said
    if both_maps and not field.alias:
        yield from _map(doc, field.value, before, said, top=False)
    elif is_block(field.value) and not (_names(before) and _names(said)):
        yield Splice(doc.after_colon(field.key), field.end, f" {flow(said)}")
    else:
        yield from value_splices(doc, field, said)


def _added(doc: Text, there: Mapping[str, Field], said: Mapping[str, Any]) -> Iterator[Splice]:
    """New top-level values, each behind the one that it follows."""
    place = len(doc.text) if not there else None
    for name, held in said.items():
        if name in there:
            place = doc.line_end(there[name].end)
        else:
            at = place if place is not None else 0
            lines = snapshot_yaml({name: held})
            yield Splice(at, at, f"\n{lines.rstrip(chr(10))}" if at else lines)


def _names(value: Any) -> bool:
    """A list of names, as teams are."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) for one in value)


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values say the same; lists of names in any order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if _names(one) and _names(other):
        return sorted(one) == sorted(other)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


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
