"""Reads a runbook's Markdown as an admin would: pages, what to do on each, tables; nothing of rolecall is imported."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from typing import Literal, NamedTuple


class Item(NamedTuple):
    """One thing to do, as Markdown. ``place`` is WRITER, or whatever the runbook names: an IdP."""

    text: str
    place: str = "WRITER"


@dataclass
class Part:
    """One heading of a runbook and what is below it. A table is a list of rows, each of cells as Markdown."""

    title: str
    page: str = ""
    items: list[Item] = field(default_factory=list)
    table: list[list[str]] = field(default_factory=list)

    @property
    def kind(self) -> Literal["step", "push", "text"]:
        """Return ``step`` for a part in WRITER, ``push`` for one that pushes groups in the IdP."""
        if self.page:
            return "step"
        pushes = r"(Step \d+ · )?In .*: (\w+ [\d,]+ groups?$|assign users)|Push every group"
        return "push" if re.match(pushes, self.title) else "text"


_ITEM = re.compile(r"- \[[ x]\] (?P<text>.*)")
_CELLS = re.compile(r"(?<!\\)\|")


def parts_of(markdown: str) -> list[Part]:
    """Return the parts of a runbook in their order."""
    parts: list[Part] = []
    place = "WRITER"
    for line in markdown.splitlines():
        if line.startswith("## "):
            parts.append(Part(plain(line.removeprefix("## "))))
            place = "WRITER"
        elif not parts:
            continue
        elif line.startswith("Page: "):
            parts[-1].page = plain(line.removeprefix("Page: "))
        elif place_named := re.fullmatch(r"\*\*(In [^*]*|Back in WRITER)\*\*", line):
            place = "WRITER" if "WRITER" in place_named[1] else place_named[1]
        elif (item := _ITEM.fullmatch(line)) and not item["text"].startswith("Check:"):
            parts[-1].items.append(Item(item["text"], place))
        elif line.startswith("| "):
            parts[-1].table.append([cell.strip() for cell in _CELLS.split(line)[1:-1]])
    for part in parts:
        part.table = part.table[1:]
    return parts


def plain(text: str) -> str:
    """Return Markdown as text."""
    return unescape(re.sub(r"\*\*|`|</?code>", "", text)).strip()


def labels(text: str) -> list[str]:
    """Return the labels that a text names, which are bold."""
    return [plain(label) for label in re.findall(r"\*\*(.+?)\*\*", text)]


def values(text: str) -> list[str]:
    """Return the values that a text gives, which are code."""
    return [unescape(value or other) for value, other in re.findall(r"`([^`]+)`|<code>(.+?)</code>", text)]
