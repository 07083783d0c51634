"""Lay a runbook out as Markdown that stays readable in its source, with task list items that a ticket can track."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rolecall.report.document import Block, Chapter, Document, Grid, Items, Paragraph, Phrase, Piece
from rolecall.report.phrases import visible

NOTHING = "There are no manual steps."
"""The text of a runbook without a chapter."""

_SPECIAL = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|^[-+#>](?=\s)|^>|(?<=^\d)[.)](?=\s)")


def runbook_markdown(document: Document) -> str:
    """Return the whole document; each action is a task list item, checked where the step was reported done."""
    banner = document.banner.text
    lines = [f"# {md(document.title)}", "", *([md(banner), ""] if banner else [])]
    if not document.chapters:
        lines += [NOTHING, ""]
    for chapter in document.chapters:
        lines += [f"## {md(chapter.title)}", ""]
        for block in chapter.blocks:
            lines += [*_block(block, chapter), ""]
    return "\n".join(lines)


def md(text: str) -> str:
    """Return text as Markdown shows it; ordinary text is the same in the source, and no backslash is added."""
    return _SPECIAL.sub(lambda special: f"&#{ord(special[0])};", text)


def _block(block: Block, chapter: Chapter) -> Iterator[str]:
    box = "- [x]" if chapter.done else "- [ ]"
    if isinstance(block, Paragraph):
        text = _phrase(block.text)
        text = f"**{text}**" if block.strong and "**" not in text else text
        yield f"{box} Check: {text}" if block.label == "Check" else f"{f'{block.label}: ' if block.label else ''}{text}"
    elif isinstance(block, Items):
        mark = "-" if block.kind == "bullets" else box
        yield from (f"{mark} {_phrase(text)}" for text in block.texts)
    else:
        yield from _grid(block)


def _grid(grid: Grid) -> Iterator[str]:
    yield f"| {' | '.join(map(md, grid.columns))} |"
    yield f"|{'---|' * len(grid.columns)}"
    for row in grid.rows:
        number = [f"{'☑' if row.done else '☐'} {row.number}"] if row.number else []
        yield f"| {' | '.join([*number, *map(_phrase, row.cells)])} |"


def _phrase(text: Phrase) -> str:
    return "".join(map(_piece, text))


def _piece(piece: Piece) -> str:
    text = visible(piece.text)
    if piece.kind == "plain":
        return md(text)
    if piece.kind == "label":
        return f"**{md(text)}**"
    return f"<code>{md(text)}</code>" if "`" in text else f"`{text}`"
