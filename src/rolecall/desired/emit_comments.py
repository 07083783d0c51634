"""Edit a list in brackets that has comments: items are replaced, added and taken out, and every comment stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import yaml
from yaml.nodes import Node

from rolecall.desired.emit_nodes import LOADER, Splice, Text


def comment_places(text: str) -> list[tuple[int, int]]:
    """Return the spans of the comments in a piece of flow-style YAML that is whole by itself."""
    found: list[tuple[int, int]] = []
    place = 0
    for token in yaml.scan(text, Loader=LOADER):
        start, end = token.start_mark.index, token.end_mark.index
        if end > start:
            found += _between(text, place, start)
            place = end
    return [*found, *_between(text, place, len(text))]


def commented_list(doc: Text, old: Mapping[str, Node], kept: Sequence[str], new: Sequence[str]) -> Iterator[Splice]:
    """Yield the splices after which the list has the items ``kept``, and the texts of ``new``.

    New items take the places of those that go, as far as there are any, so that comments stand beside an item.
    """
    gone = [node for name, node in old.items() if name not in kept]
    for node, text in zip(gone, new, strict=False):
        yield Splice(node.start_mark.index, doc.end(node), text)
    for node in gone[len(new) :]:
        yield Splice(node.start_mark.index, doc.end(node), "")
        comma = _comma(doc.text, doc.end(node))
        if comma is not None:
            yield Splice(comma, comma + 1, "")
    added = list(new[len(gone) :])
    last = list(old.values())[-1] if old else None
    if added and last is not None:
        yield Splice(doc.end(last), doc.end(last), "".join(f", {text}" for text in added))


def _comma(text: str, place: int) -> int | None:
    """Return the place of the comma that follows an item; comments are passed over."""
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
