"""Writes snapshot files, and merges new reads into the files of an observed org."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from yaml.error import YAMLError
from yaml.nodes import MappingNode, Node

from rolecall.desired.edit.entries import reshape, value_splices
from rolecall.desired.edit.export import entry_lines
from rolecall.desired.edit.nodes import Field, Splice, Text, comment, flow, is_block, scalar, spliced
from rolecall.errors import ConfigError
from rolecall.model.kinds import ORG_KEYED
from rolecall.source.yaml_file import parse_yaml


def merged_snapshot(text: str, content: Mapping[str, Any], notes: tuple[str, ...] = ()) -> str:
    """Return the text of the snapshot, changed where it differs from ``content``.

    It is rewritten, with these notes, when it cannot be changed in place, as with anchors and aliases.
    """
    try:
        before = parse_yaml(text.encode(), "").value
        merged = _merged(text, before, content)
        if _same(parse_yaml(merged.encode(), "").value, content):
            return merged
    except (ConfigError, YAMLError, UnicodeError):
        pass
    return snapshot_yaml(content, notes)


def _merged(text: str, before: Any, content: Mapping[str, Any]) -> str:
    doc = Text(text)
    if not isinstance(before, dict) or doc.root is None or not is_block(doc.root):
        raise YAMLError
    present = doc.fields(doc.root)
    splices: list[Splice] = []
    for name, field in present.items():
        if name not in content:
            splices.append(Splice(*doc.lines(field.key.start_mark.index, field.end), ""))
        elif not _same(before[name], content[name]):
            splices += _section(doc, field, before[name], content[name])
    return spliced(text, [*splices, *_added(doc, present, content)])


def _section(doc: Text, field: Field, before: Any, content: Any) -> Iterator[Splice]:
    """Yield the splices that replace a top-level value."""
    if isinstance(before, dict) and isinstance(content, dict) and before and content and not field.alias:
        yield from _map(doc, field.value, before, content, top=True)
    elif _names(before) and _names(content) and not field.alias:
        yield from value_splices(doc, field, content)
    else:
        lines = snapshot_yaml({field.key.value: content})
        start = doc.after_colon(field.key)
        end = max(field.end, start)
        yield Splice(start, end, lines[lines.index(":") + 1 :].rstrip("\n"))


def _map(
    doc: Text, node: Node, before: Mapping[str, Any], content: Mapping[str, Any], *, top: bool
) -> Iterator[Splice]:
    assert isinstance(node, MappingNode)
    present = doc.fields(node)
    for name, field in present.items():
        if name in content and not _same(before[name], content[name]):
            yield from _value(doc, field, before[name], content[name])
    dropped = [name for name in present if name not in content]
    added = {name: value for name, value in content.items() if name not in present}
    remaining = [field for name, field in present.items() if name in content]
    if top and added and remaining and is_block(node):
        end = doc.line_end(remaining[-1].end)
        indent = doc.indent(remaining[0].key)
        lines = "".join(line for name, value in added.items() for line in entry_lines(name, value, indent))
        yield Splice(end, end, f"\n{lines.rstrip(chr(10))}")
        added = {}
    if dropped or added:
        yield from reshape(doc, node, dropped, added)


def _value(doc: Text, field: Field, before: Any, content: Any) -> Iterator[Splice]:
    both_maps = isinstance(before, dict) and isinstance(content, dict) and before and content
    if both_maps and not field.alias:
        yield from _map(doc, field.value, before, content, top=False)
    elif is_block(field.value) and not (_names(before) and _names(content)):
        yield Splice(doc.after_colon(field.key), field.end, f" {flow(content)}")
    else:
        yield from value_splices(doc, field, content)


def _added(doc: Text, present: Mapping[str, Field], content: Mapping[str, Any]) -> Iterator[Splice]:
    """Yield new top-level values, each after the one that it follows."""
    place = len(doc.text) if not present else None
    for name, value in content.items():
        if name in present:
            place = doc.line_end(present[name].end)
        else:
            at = place if place is not None else 0
            lines = snapshot_yaml({name: value})
            yield Splice(at, at, f"\n{lines.rstrip(chr(10))}" if at else lines)


def _names(value: Any) -> bool:
    """Return whether a value is a list of names, such as teams."""
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _same(left: Any, right: Any) -> bool:
    """Return whether two JSON values are equal, with lists of names in any order."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    if _names(left) and _names(right):
        return sorted(left) == sorted(right)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


_BY_ENTRY = frozenset(("coverage", "reported", "legacy_links", *(kind.section for kind in ORG_KEYED)))
_LINE = 110


def snapshot_yaml(encoded: Mapping[str, Any], notes: tuple[str, ...] = ()) -> str:
    """Return the text of a snapshot's JSON, in its order; ``notes`` are comments at the start."""
    return "".join((*(f"{comment(note)}\n" for note in notes), *_top(encoded)))


def _top(encoded: Mapping[str, Any]) -> Iterator[str]:
    for name, value in encoded.items():
        if isinstance(value, dict) and value and name in _BY_ENTRY:
            yield f"{name}:\n"
            for key, entry in value.items():
                yield from entry_lines(key, entry)
        elif isinstance(value, list) and value and (name == "people" or len(flow(value)) > _LINE):
            yield f"{name}:\n"
            yield from (f"  - {flow(item)}\n" for item in value)
        else:
            yield from _fields(name, value)


def _fields(name: str, value: Any) -> Iterator[str]:
    line = f"{name}: {flow(value)}\n"
    if not isinstance(value, dict) or len(line) <= _LINE:
        yield line
        return
    yield f"{name}:\n"
    yield from (f"  {scalar(key)}: {flow(field_value)}\n" for key, field_value in value.items())
