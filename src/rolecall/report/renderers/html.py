"""A document as one HTML file that asks for nothing from anywhere: no font, no script, no picture but its own."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.package_data import package_text
from rolecall.report.document import (
    REHEARSAL,
    ChangeTable,
    Chapter,
    CheckResult,
    Document,
    Entry,
    Grid,
    Items,
    Mark,
    Paragraph,
    Part,
    UserMove,
)
from rolecall.report.escalation import MOST_ESCALATIONS, MOST_NAMES
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place, visible
from rolecall.report.renderers.alike import combine_alike
from rolecall.report.renderers.picture import by_severity, picture
from rolecall.report.renderers.text import sentence

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_ROWS = 200
"""Rows of users, problems, escalations and unmanaged mappings without a script; with one, all users are listed."""

MOST_CHANGES = 15_000
"""Changes of one page, some 4 MB. Of more, those that give rights and take access are listed before all others."""

MOST_FLOWS = 1000
"""Rows of the table of what users lose and gain."""

MOST_LINES = 24
"""Lines of a step that is printed on one page. A longer one may go on on the next page."""

_DATA = "report/data"
_MARKS: Mapping[Mark, str] = {"+": "create", "~": "update", "-": "delete", "↑": "upgrade"}
_SLASHED = str.maketrans({"/": "/<wbr>", **{char: escape(char) for char in "&<>\"'"}})
_VERDICTS = {
    "block": ("block", "Apply is blocked"),
    "not judged": ("block", "Not evaluated"),
    "review": ("review", "Requires approval"),
}
_LEGEND = {
    "admin": "gain org admin",
    "more": "gain another role above member",
    "lose": "lose access",
    "change": "change access",
    "gain": "gain access",
}
_EFFECTS = {"lose": "loses access", "gain": "gains access", "change": "changes access"}
_FALLS_BACK = "falls back to default access"
_QUOTED = re.compile(r"`([^`]+)`")


class UserRow(NamedTuple):
    """One line of the table of users."""

    name: str
    effect: str
    before: tuple[Part, ...]
    after: tuple[Part, ...]
    because: str


class Verdict(NamedTuple):
    """Checks with the same result, for the summary."""

    css: str
    label: str
    names: tuple[str, ...]


def html(document: Document) -> str:
    """Return the whole file; its template bears the name of the document's subject."""
    problems, more_problems = document.worst(MOST_ROWS)
    moves, flows = document.moves(), by_severity(document.flows())
    users = list(_user_rows(moves))
    total = sum(len(move.names) + move.unnamed for move in moves)
    kinds = {flow.kind for flow in flows}
    return _page(
        f"{document.subject}.html.jinja",
        package_text(f"{_DATA}/users.js") if users else "",
        document=document,
        changes=listed_changes(document.changes, MOST_CHANGES),
        checks=[check for check in document.checks if check.kind != "violation"],
        unresolved=combine_alike(document.unresolved()),
        passed=[check for check in document.checks if check.kind == "guard" and check.passed],
        verdicts=list(_verdicts(document.unresolved())),
        problems=of_problems(problems),
        more_problems=more_problems,
        picture=picture(flows),
        flows=flows,
        legend=[(kind, text) for kind, text in _LEGEND.items() if kind in kinds],
        most=max((flow.size for flow in flows), default=1),
        most_rows=MOST_ROWS,
        most_lines=MOST_LINES,
        most_flows=MOST_FLOWS,
        most_escalations=MOST_ESCALATIONS,
        most_names=MOST_NAMES,
        users={"rows": users[:MOST_ROWS], "more": max(len(users) - MOST_ROWS, 0), "total": total},
        data=_data(moves),
    )


def listed_changes(tables: Sequence[ChangeTable], most: int) -> list[tuple[ChangeTable, int]]:
    """Return the tables with at most so many entries in all, and how many of each are left out, the least severe."""
    excess = sum(len(table.entries) for table in tables) - most
    if excess <= 0:
        return [(table, 0) for table in tables]
    severities = [_severity(entry) for table in tables for entry in table.entries]
    order = sorted(range(len(severities)), key=severities.__getitem__)
    numbers, chosen = itertools.count(), frozenset(order[:most])
    listed = []
    for table in tables:
        entries = tuple(entry for entry in table.entries if next(numbers) in chosen)
        listed.append((table._replace(entries=entries), len(table.entries) - len(entries)))
    return listed


def _severity(entry: Entry) -> int:
    """Return the place of an entry among those that do not all fit: rights above member, lost access, other effects."""
    tones = {note.tone for note in entry.notes}
    return 0 if "more" in tones else 1 if "risk" in tones else 2 if "plain" in tones else 3


def _verdicts(unresolved: Iterable[CheckResult]) -> Iterator[Verdict]:
    """Yield what keeps a plan from being applied, the most severe first."""
    checks = list(unresolved)
    for label, (css, text) in _VERDICTS.items():
        names = tuple(check.name for check in checks if check.kind == "guard" and check.label == label)
        if names:
            yield Verdict(css, text, names)
    failed = tuple(check.name for check in checks if check.kind == "access test" and check.level == "error")
    if failed:
        yield Verdict("block", "Apply is blocked; access tests failed", failed)


def _css(check: CheckResult) -> str:
    """Return the class of a check: how severe its result is."""
    if check.kind == "access test":
        return "block" if check.level == "error" else "later"
    return "block" if check.label == "not judged" else check.label


def _page(template: str, script: str, **values: Any) -> str:
    """Return a template of ``report/data``, filled in. No name in it can become markup or script: all is escaped, and a
    policy allows nothing to be loaded, and nothing to run but the style and script of this file."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = package_text(f"{_DATA}/style.css")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals.update(marks=_MARKS, style=Markup(style), rehearsal=REHEARSAL)
    environment.filters.update(place=place, visible=visible, quoted=quoted, slashed=slashed, sentence=_sentence)
    environment.filters.update(css=_css, message=sentence, lines=_lines)
    source = package_text(f"{_DATA}/base.html.jinja") + package_text(f"{_DATA}/{template}")
    filled = environment.from_string(source).render(script=Markup(script), policy=_policy(style, script), **values)
    return f"{filled.strip()}\n"


def quoted(text: str) -> Markup:
    """Return a sentence with a fixed font for text in backticks."""
    from markupsafe import Markup

    return Markup(_QUOTED.sub(r"<code>\1</code>", escape(visible(text))))


def slashed(text: str) -> Markup:
    """Return an address or a path that may break after a slash."""
    from markupsafe import Markup

    return Markup(text.translate(_SLASHED))


def _lines(chapter: Chapter) -> int:
    """Return how many lines a chapter of a runbook has at least: paragraphs, items and rows."""
    texts = sum(len(block.texts) for block in chapter.blocks if isinstance(block, Items))
    grid_lines = sum(len(block.rows) + 1 for block in chapter.blocks if isinstance(block, Grid))
    return texts + grid_lines + sum(isinstance(block, Paragraph) for block in chapter.blocks)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _policy(style: str, script: str) -> str:
    run = f" script-src {_hash(script)};" if script else ""
    return f"default-src 'none'; style-src {_hash(style)};{run} base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _user_rows(moves: Iterable[UserMove]) -> Iterator[UserRow]:
    for move in moves:
        access = (_effect(move), move.before, move.after, ", ".join(move.because))
        yield from (UserRow(name, *access) for name in move.names)
        if move.unnamed:
            yield UserRow(count(move.unnamed, "user"), *access)


def _effect(move: UserMove) -> str:
    return _FALLS_BACK if move.on_default and move.kind != "gain" else _EFFECTS[move.kind]


def _data(moves: Sequence[UserMove]) -> Markup:
    """Return the table of users as JSON that cannot end its script element.

    Each text is in it once, at the number that replaces it in the rows; ``users.js`` reads it.
    """
    from markupsafe import Markup

    numbers: dict[str, int] = {}

    def number(text: str) -> int:
        return numbers.setdefault(text, len(numbers))

    def parts(listed: Iterable[Part]) -> list[object]:
        return [number(part.text) if part.sense == "same" else [number(part.text), part.sense] for part in listed]

    records = [
        {
            "kind": move.kind,
            "effect": number(_effect(move)),
            "before": parts(move.before),
            "after": parts(move.after),
            "because": [number(address) for address in move.because],
            **({"default": 1} if move.on_default else {}),
            **({"names": move.names} if move.names else {}),
            **({"unnamed": move.unnamed} if move.unnamed else {}),
        }
        for move in moves
    ]
    text = json.dumps({"texts": list(numbers), "moves": records}, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
