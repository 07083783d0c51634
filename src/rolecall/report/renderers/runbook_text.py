"""A runbook as Markdown and as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from rolecall.package_data import package_text
from rolecall.report.builders.runbook import Runbook, RunbookStep
from rolecall.report.builders.runbook_chapters import Chapter
from rolecall.report.renderers.markdown import code

_SPECIAL = re.compile(r"[\\`*\[\]<|~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|^[-+#>]|(?<=^\d)[.)]")


def runbook_markdown(book: Runbook) -> str:
    """One document; each heading names run, step and address."""
    lines = [f"# {md(book.title)}", "", *([md(book.org), ""] if book.org else [])]
    if not book.steps and not book.chapters:
        return "\n".join([*lines, "There is nothing for a person to do.", ""])
    if book.warnings:
        lines += ["## Before step 1", "", *(f"- {md(text)}" for text in book.warnings), ""]
    for chapter in book.chapters:
        lines += _chapter_markdown(chapter)
    for step in book.steps:
        lines += _step_markdown(book, step)
    if book.after:
        lines += ["## When all is done", "", *(f"- {md(text)}" for text in book.after), ""]
    return "\n".join(lines)


def runbook_html(book: Runbook) -> str:
    """One self-contained file, printable; it loads nothing and runs nothing."""
    return "".join(_html(book))


def _step_markdown(book: Runbook, step: RunbookStep) -> list[str]:
    lines = [f"## {_heading(book, step, md)}", "", f"**{md(step.title)}**", "", f"Where: {md(step.where)}", ""]
    lines += [f"{number}. {md(text)}" for number, text in enumerate(step.do, 1)]
    if step.settings:
        lines += ["", "| | before | after |", "|---|---|---|"]
        lines += [f"| {md(row.name)} | {_cell(row.before)} | {_cell(row.after)} |" for row in step.settings]
    if step.told:
        lines += ["", *(f"- {md(text)}" for text in step.told)]
    lines += ["", f"Check: {md(step.check)}", "", f"Undo: {md(step.undo)}", ""]
    return [*lines, f"Then: {code(step.done)}", ""] if step.done else lines


def _chapter_markdown(chapter: Chapter) -> list[str]:
    lines = [f"## {md(chapter.title)}", ""]
    for text in chapter.text:
        lines += [md(text), ""]
    lines += [f"- [ ] {md(text)}" for text in chapter.items]
    lines += [""] if chapter.items else []
    for text in chapter.never:
        lines += [f"**{md(text)}**", ""]
    return lines


def md(text: str) -> str:
    """Text as Markdown shows it; what is plain there stays readable in the source too."""
    return _SPECIAL.sub(lambda found: "&lt;" if found[0] == "<" else f"\\{found[0]}", text)


def _cell(text: str | None) -> str:
    return "–" if text is None else code(text)


def _heading(book: Runbook, step: RunbookStep, quote: object) -> str:
    run = f"Run {book.run} · step {step.number}" if book.run else f"Step {step.number}"
    text = f"{run} · {step.address}"
    return str(quote(text)) if callable(quote) else text


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _html(book: Runbook) -> Iterator[str]:
    title = escape(book.title)
    yield f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
    yield f"<style>{package_text('report/data/style.css')}</style>\n</head>\n"
    yield f"<body>\n<header><h1>{title}</h1><p>{escape(book.org)}</p></header>\n<main>\n"
    if not book.steps and not book.chapters:
        yield "<p>There is nothing for a person to do.</p>\n"
    else:
        if book.warnings:
            yield f"<h2>Before step 1</h2>\n{_list(book.warnings)}"
        for chapter in book.chapters:
            yield from _chapter_html(chapter)
        for step in book.steps:
            yield from _step_html(book, step)
        if book.after:
            yield f"<h2>When all is done</h2>\n{_list(book.after)}"
    yield "</main>\n</body>\n</html>\n"


def _step_html(book: Runbook, step: RunbookStep) -> Iterator[str]:
    yield f"<section>\n<h2>{_heading(book, step, escape)}</h2>\n<p><b>{escape(step.title)}</b></p>\n"
    yield f"<p>Where: {escape(step.where)}</p>\n<ol>{''.join(f'<li>{escape(text)}</li>' for text in step.do)}</ol>\n"
    if step.settings:
        yield '<div class="scroll"><table><thead><tr><th scope="col">Setting</th><th scope="col">Before</th>'
        yield '<th scope="col">After</th></tr></thead><tbody>'
        for row in step.settings:
            before, after = escape(row.before or "–"), escape(row.after or "–")
            yield f'<tr><th scope="row">{escape(row.name)}</th><td class="before">{before}</td>'
            yield f'<td class="after">{after}</td></tr>'
        yield "</tbody></table></div>\n"
    yield _list(step.told)
    yield f"<p>Check: {escape(step.check)}</p>\n<p>Undo: {escape(step.undo)}</p>\n"
    if step.done:
        yield f"<p>Then: <code>{escape(step.done)}</code></p>\n"
    yield "</section>\n"


def _chapter_html(chapter: Chapter) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(chapter.title)}</h2>\n{''.join(f'<p>{escape(text)}</p>' for text in chapter.text)}\n"
    if chapter.items:
        yield f"<ol>{''.join(f'<li>{escape(text)}</li>' for text in chapter.items)}</ol>\n"
    yield "".join(f"<p><b>{escape(text)}</b></p>\n" for text in chapter.never)
    yield "</section>\n"


def _list(texts: tuple[str, ...]) -> str:
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>\n" if texts else ""
