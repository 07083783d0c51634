"""A runbook as Markdown that stays readable in its source, unlike a comment of a pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rolecall.report.document import Block, Document, Items, Paragraph
from rolecall.report.renderers.markdown import code

_SPECIAL = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|^[-+#>]|(?<=^\d)[.)]")


def runbook_markdown(document: Document) -> str:
    """Return one document; each heading names run, step and address."""
    banner = document.banner.text
    lines = [f"# {md(document.title)}", "", *([md(banner), ""] if banner else [])]
    if not document.chapters:
        lines += ["There is nothing for a person to do.", ""]
    for chapter in document.chapters:
        lines += [f"## {md(chapter.title)}", ""]
        for block in chapter.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines)


def md(text: str) -> str:
    """Return text as Markdown shows it; what is plain there stays readable in the source too."""
    return _SPECIAL.sub(lambda special: "&lt;" if special[0] == "<" else f"\\{special[0]}", text)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        text = f"**{md(block.text)}**" if block.strong else md(block.text)
        yield f"{f'{block.label}: ' if block.label else ''}{text}{code(block.code)}"
    elif isinstance(block, Items):
        marks = {"checklist": "- [ ]", "bullets": "-"}
        for number, text in enumerate(block.texts, 1):
            yield f"{marks.get(block.kind, f'{number}.')} {md(text)}"
    else:
        yield "| | before | after |"
        yield "|---|---|---|"
        yield from (f"| {md(item.name)} | {_cell(item.before)} | {_cell(item.after)} |" for item in block.settings)


def _cell(text: str | None) -> str:
    return "–" if text is None else code(text)
