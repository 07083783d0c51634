"""Sets fields and removes and adds entries in one YAML text, each as splices of the text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from rolecall.desired.edit.export import entry_lines
from rolecall.desired.edit.nodes import LOADER, Field, Splice, Text, flow, is_block, items, quoted, scalar, spliced
from rolecall.desired.load.merge import KEYED
from rolecall.model import normalise
from rolecall.model.kinds import BY_SECTION, split_address
from rolecall.model.settings import Address


class EntryEdit(Protocol):
    """The requested change of one entry, see ``config.Edit``."""

    @property
    def address(self) -> Address: ...
    @property
    def fields(self) -> Mapping[str, Any] | None: ...
    @property
    def fresh(self) -> Any: ...


def set_fields(text: str, edits: Sequence[EntryEdit], *, as_json: bool = False) -> str:
    """Return the text with these fields set in existing entries; ``add_entries`` handles new ones."""
    doc = Text(text)
    entries = _Entries(doc)
    splices = [
        splice
        for edit in edits
        if edit.fields is not None and (entry := entries.get(edit.address)) is not None
        for splice in _set(doc, entry, edit, as_json)
    ]
    return spliced(text, splices)


def remove_entries(text: str, addresses: Sequence[Address]) -> str:
    """Return the text without these entries; a section that loses all of them becomes an empty map."""
    if not addresses:
        return text
    doc = Text(text)
    entries = _Entries(doc)
    splices: list[Splice] = []
    for section in dict.fromkeys(split_address(at)[0] for at in addresses):
        removed = [
            entry for at in addresses if split_address(at)[0] == section and (entry := entries.get(at)) is not None
        ]
        whole = doc.fields(doc.root).get(section)
        if whole is not None and removed:
            splices += _without(doc, whole, removed) if BY_SECTION[section].keyed else [_removal(doc, whole)]
    return spliced(text, splices)


def add_entries(text: str, edits: Sequence[EntryEdit], *, as_json: bool = False) -> str:
    """Return the text with the missing entries added at the end of their sections, and missing sections at the end."""
    doc = Text(text)
    entries = _Entries(doc)
    missing = [edit for edit in edits if entries.get(edit.address) is None]
    for section in dict.fromkeys(split_address(edit.address)[0] for edit in missing):
        new = [edit for edit in missing if split_address(edit.address)[0] == section]
        text = _add(text, section, new, as_json)
    return text


class _Entries:
    """The entries of a text by address, with keys normalized."""

    def __init__(self, doc: Text) -> None:
        self._doc = doc
        self._sections = doc.fields(doc.root)
        self._keyed: dict[str, dict[str, Field]] = {}

    def get(self, at: Address) -> Field | None:
        """Return the entry at an address, or the section if it is not keyed; None if the text has none."""
        section, key = split_address(at)
        whole = self._sections.get(section)
        if key is None or whole is None:
            return whole
        if section not in self._keyed:
            entries = self._doc.fields(whole.value)
            self._keyed[section] = {_key(section, name): field for name, field in entries.items()}
        return self._keyed[section].get(key)


def _key(section: str, name: str) -> str:
    try:
        return KEYED[section](name)
    except ValueError:
        return name


def _set(doc: Text, entry: Field, edit: EntryEdit, as_json: bool) -> Iterator[Splice]:
    fields = dict(edit.fields or {})
    node = entry.value
    if entry.alias or not isinstance(node, MappingNode) or not node.value:
        if not (isinstance(node, ScalarNode) and fields.get("blank")):
            yield Splice(entry.start, entry.end, flow(edit.fresh, as_json=as_json))
        return
    present = doc.fields(node)
    yield from (
        splice
        for name, value in fields.items()
        if value is not None and name in present
        for splice in value_splices(doc, present[name], value, as_json=as_json)
    )
    dropped = [name for name, value in fields.items() if value is None and name in present]
    added = {name: value for name, value in fields.items() if value is not None and name not in present}
    if dropped or added:
        yield from reshape(doc, node, dropped, added, as_json=as_json)


def reshape(
    doc: Text, node: MappingNode, dropped: Sequence[str], added: Mapping[str, Any], *, as_json: bool = False
) -> Iterator[Splice]:
    """Yield the splices that remove fields from a map and add new ones at its end."""
    if is_block(node):
        return _reshape_block(doc, node, dropped, added)
    return _reshape_flow(doc, node, dropped, added, as_json)


def value_splices(doc: Text, field: Field, value: Any, *, as_json: bool = False) -> Iterator[Splice]:
    """Yield the splices that replace a field's value. In a list, remaining items keep their order and comments."""
    if not isinstance(value, list):
        if not (isinstance(field.value, ScalarNode) and _same(field.value, value)):
            yield Splice(field.start, field.end, _like(field.value, value, as_json))
        return
    old = {normalise.name(item.value): item for item in items(field.value)}
    remaining, new = [name for name in old if name in value], [name for name in value if name not in old]
    yield from list_splices(doc, field, ListChange(old, remaining, new), as_json=as_json)


class ListChange(NamedTuple):
    """The items of a list by a key, the keys of those that remain, and the values that are added."""

    items: Mapping[str, Node]
    remaining: Sequence[str]
    new: Sequence[Any]


def list_splices(doc: Text, field: Field, change: ListChange, *, as_json: bool = False) -> Iterator[Splice]:
    """Yield the splices that change a list; remaining items keep their order and comments."""
    old, remaining, new = change
    first = next(iter(old.values()), None)
    if not field.alias and not is_block(field.value) and comment_places(doc.text[field.start : field.end]):
        yield from commented_list(doc, old, remaining, [_like(first, value, as_json=False) for value in new])
    elif field.alias or not is_block(field.value):
        if new or len(remaining) < len(old):
            texts = [doc.text[old[name].start_mark.index : doc.end(old[name])] for name in remaining]
            fresh = [_like(first, value, as_json) for value in new]
            yield Splice(field.start, field.end, f"[{', '.join([*texts, *fresh])}]")
    elif remaining or new:
        yield from _block_list(doc, old, remaining, new)
    else:
        at = doc.after_colon(field.key)
        yield Splice(at, at, " []")
        yield Splice(*doc.lines(field.start, field.end), "")


def _like(old: Node | None, value: Any, as_json: bool) -> str:
    """Return a value, quoted like the value that it replaces or follows."""
    if not as_json and isinstance(value, str) and isinstance(old, ScalarNode) and old.style in ("'", '"'):
        return quoted(value, old.style)
    return flow(value, as_json=as_json)


def _same(node: ScalarNode, value: Any) -> bool:
    return bool(node.value == (value if isinstance(value, str) else flow(value)))


def _block_list(doc: Text, old: Mapping[str, Node], remaining: Sequence[str], new: Sequence[Any]) -> Iterator[Splice]:
    removed = [node for name, node in old.items() if name not in remaining]
    anchor = old[remaining[-1]] if remaining else next(iter(old.values()))
    lines = "".join(f"\n{doc.indent(anchor)}{_like(anchor, value, as_json=False)}" for value in new)
    if not remaining:
        start, end = doc.lines(anchor.start_mark.index, doc.end(anchor))
        yield Splice(start, end, f"{lines.removeprefix(chr(10))}\n")
        removed = removed[1:]
    elif lines:
        end = doc.line_end(doc.end(anchor))
        yield Splice(end, end, lines)
    for node in removed:
        yield Splice(*doc.lines(node.start_mark.index, doc.end(node)), "")


def _reshape_flow(
    doc: Text, node: MappingNode, dropped: Sequence[str], added: Mapping[str, Any], as_json: bool
) -> Iterator[Splice]:
    """Yield the splices that remove fields and their commas from a flow map, and add new ones at its end."""
    present = list(doc.fields(node).items())
    remaining = [index for index, (name, _) in enumerate(present) if name not in dropped]
    for index, (name, field) in enumerate(present):
        if name not in dropped:
            continue
        if any(before < index for before in remaining):
            yield Splice(present[index - 1][1].end, field.end, "")
        else:
            following = present[index + 1][1].key.start_mark.index if index + 1 < len(present) else field.end
            yield Splice(field.key.start_mark.index, following, "")
    end = present[remaining[-1]][1].end if remaining else present[-1][1].end
    fresh = ", ".join(
        f"{scalar(name, as_json=as_json)}: {flow(value, as_json=as_json)}" for name, value in added.items()
    )
    if fresh:
        yield Splice(end, end, f", {fresh}" if remaining else fresh)


def _reshape_block(doc: Text, node: MappingNode, dropped: Sequence[str], added: Mapping[str, Any]) -> Iterator[Splice]:
    present = doc.fields(node)
    remaining = [field for name, field in present.items() if name not in dropped]
    removed = [present[name] for name in dropped]
    anchor = remaining[-1] if remaining else removed[0]
    indent = doc.indent(anchor.key)
    lines = "".join(f"\n{indent}{scalar(name)}: {flow(value)}" for name, value in added.items())
    if not remaining:
        start, end = doc.lines(anchor.key.start_mark.index, anchor.end)
        yield Splice(start, end, f"{lines.removeprefix(chr(10))}\n")
        removed = removed[1:]
    elif lines:
        end = doc.line_end(anchor.end)
        yield Splice(end, end, lines)
    for field in removed:
        yield Splice(*doc.lines(field.key.start_mark.index, field.end), "")


def _without(doc: Text, whole: Field, removed: Sequence[Field]) -> Iterator[Splice]:
    entries = doc.fields(whole.value)
    if len(removed) == len(entries):
        if is_block(whole.value):
            start = doc.lines(next(iter(entries.values())).key.start_mark.index, 0)[0]
            at = doc.after_colon(whole.key)
            yield Splice(at, at, " {}")
            yield Splice(start, doc.lines(0, whole.end)[1], "")
        else:
            yield Splice(whole.start, whole.end, "{}")
        return
    if is_block(whole.value):
        yield from (Splice(*doc.lines(field.key.start_mark.index, field.end), "") for field in removed)
        return
    names = [name for name, field in entries.items() if any(field.key is entry.key for entry in removed)]
    assert isinstance(whole.value, MappingNode)
    yield from _reshape_flow(doc, whole.value, names, {}, as_json=False)


def _removal(doc: Text, whole: Field) -> Splice:
    return Splice(*doc.lines(whole.key.start_mark.index, whole.end), "")


def _add(text: str, section: str, new: Sequence[EntryEdit], as_json: bool) -> str:
    doc = Text(text)
    whole = doc.fields(doc.root).get(section)
    if as_json or (whole is not None and not is_block(whole.value) and isinstance(whole.value, MappingNode)):
        flowing = _add_to_flow(doc, whole, section, new, as_json)
        if flowing is not None:
            return flowing
    if whole is None:
        start = text if not text or text.endswith("\n") else f"{text}\n"
        return f"{start}\n{''.join(_fresh_section(section, new))}"
    if not is_block(whole.value):
        at = doc.after_colon(whole.key)
        lines = "".join(_lines(new, "  ")).rstrip("\n")
        return spliced(text, [Splice(at, whole.end, f"\n{lines}")])
    last = list(doc.fields(whole.value).values())[-1]
    end = doc.line_end(last.end)
    lines = "".join(_lines(new, doc.indent(last.key))).rstrip("\n")
    return spliced(text, [Splice(end, end, f"\n{lines}")])


def _add_to_flow(doc: Text, whole: Field | None, section: str, new: Sequence[EntryEdit], as_json: bool) -> str | None:
    """Return the text with entries added to a flow map; None where a block is better: an empty map of a YAML file."""
    keyed = BY_SECTION[section].keyed
    pairs = {str(split_address(edit.address)[1]): edit.fresh for edit in new} if keyed else {}
    if whole is None:
        assert isinstance(doc.root, MappingNode)
        section_value = {section: pairs if keyed else new[0].fresh}
        return spliced(doc.text, _reshape_flow(doc, doc.root, (), section_value, as_json=True))
    if isinstance(whole.value, MappingNode) and whole.value.value:
        return spliced(doc.text, _reshape_flow(doc, whole.value, (), pairs, as_json))
    return spliced(doc.text, [Splice(whole.start, whole.end, flow(pairs, as_json=True))]) if as_json else None


def _lines(new: Sequence[EntryEdit], indent: str) -> Iterator[str]:
    for edit in new:
        yield from entry_lines(str(split_address(edit.address)[1]), edit.fresh, indent)


def _fresh_section(section: str, new: Sequence[EntryEdit]) -> Iterator[str]:
    yield f"{section}:\n"
    if BY_SECTION[section].keyed:
        yield from _lines(new, "  ")
    else:
        yield from (f"  {scalar(name)}: {flow(value)}\n" for name, value in new[0].fresh.items())


def comment_places(text: str) -> list[tuple[int, int]]:
    """Return the spans of the comments in a complete piece of flow-style YAML."""
    spans: list[tuple[int, int]] = []
    place = 0
    for token in yaml.scan(text, Loader=LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        if end > start:
            spans += _between(text, place, start)
            place = end
    return [*spans, *_between(text, place, len(text))]


def commented_list(
    doc: Text, old: Mapping[str, Node], remaining: Sequence[str], new: Sequence[str]
) -> Iterator[Splice]:
    """Yield the splices that leave the items ``remaining`` in a list, and the texts of ``new``.

    New items take the places of removed ones as far as possible, so that comments stay next to an item.
    """
    removed = [node for name, node in old.items() if name not in remaining]
    for node, text in zip(removed, new, strict=False):
        yield Splice(node.start_mark.index, doc.end(node), text)
    for node in removed[len(new) :]:
        yield Splice(node.start_mark.index, doc.end(node), "")
        comma = _comma(doc.text, doc.end(node))
        if comma is not None:
            yield Splice(comma, comma + 1, "")
    added = list(new[len(removed) :])
    last = list(old.values())[-1] if old else None
    if added and last is not None:
        yield Splice(doc.end(last), doc.end(last), "".join(f", {text}" for text in added))


def _comma(text: str, place: int) -> int | None:
    """Return the place of the comma that follows an item; comments are skipped."""
    while place < len(text):
        if text[place] == ",":
            return place
        if text[place] == "#":
            place = text.find("\n", place)
        elif not text[place].isspace():
            return None
        place = len(text) if place < 0 else place + 1
    return None


def _between(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the comments between two tokens, each to the end of its line."""
    while (mark := text.find("#", start, end)) >= 0:
        stop = text.find("\n", mark, end)
        start = end if stop < 0 else stop
        yield mark, start
