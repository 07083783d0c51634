"""A document as one HTML file that asks for nothing from anywhere: no font, no script, no picture but its own."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.package_data import package_text
from rolecall.report.document import REHEARSAL, Document, Mark, UserMove
from rolecall.report.findings import of_problems
from rolecall.report.phrases import count, place, visible
from rolecall.report.renderers.picture import MOST, joint_flow, picture

if TYPE_CHECKING:
    from markupsafe import Markup

MOST_ROWS = 200
"""Rows of users, of problems, and of what is left alone, that are there without a script; with one, all users are."""

_DATA = "report/data"
_MARKS: Mapping[Mark, str] = {"+": "create", "~": "update", "-": "delete", "↑": "upgrade"}
_SLASHED = str.maketrans({"/": "/<wbr>", **{char: escape(char) for char in "&<>\"'"}})
_QUOTED = re.compile(r"`([^`]+)`")


class UserRow(NamedTuple):
    """One line of the table of users."""

    name: str
    kind: str
    before: str
    after: str
    because: str


def html(document: Document) -> str:
    """Return the whole file; its template bears the name of the document's subject."""
    problems, more_problems = document.worst(MOST_ROWS)
    moves, flows = document.moves(), document.flows()
    users = list(_user_rows(moves))
    return _page(
        f"{document.subject}.html.jinja",
        package_text(f"{_DATA}/users.js") if users else "",
        document=document,
        unresolved=document.unresolved(),
        problems=of_problems(problems),
        more_problems=more_problems,
        risks=[note for note in document.left if note.tone == "warn"],
        left=[note for note in document.left if note.tone != "warn"],
        picture=picture(flows),
        flows=flows,
        drawn=MOST,
        joint=joint_flow(flows),
        most=flows[0].size if flows else 1,
        most_rows=MOST_ROWS,
        users={"rows": users[:MOST_ROWS], "more": max(len(users) - MOST_ROWS, 0)},
        data=_data(moves),
    )


def _page(template: str, script: str, **values: Any) -> str:
    """Return a template of ``report/data``, filled in. No name in it can become markup or script: all is escaped, and a
    policy allows nothing to be loaded, and nothing to run but the style and script of this file."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = package_text(f"{_DATA}/style.css")
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals.update(marks=_MARKS, style=Markup(style), rehearsal=REHEARSAL)
    environment.filters.update(place=place, visible=visible, quoted=quoted, slashed=slashed, sentence=_sentence)
    source = package_text(f"{_DATA}/base.html.jinja") + package_text(f"{_DATA}/{template}")
    filled = environment.from_string(source).render(script=Markup(script), policy=_policy(style, script), **values)
    return f"{filled.strip()}\n"


def quoted(text: str) -> Markup:
    """Return a sentence in which what stands in backticks has a fixed font."""
    from markupsafe import Markup

    return Markup(_QUOTED.sub(r"<code>\1</code>", escape(visible(text))))


def slashed(text: str) -> Markup:
    """Return an address or a path that may break after a slash."""
    from markupsafe import Markup

    return Markup(text.translate(_SLASHED))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"


def _policy(style: str, script: str) -> str:
    run = f" script-src {_hash(script)};" if script else ""
    return f"default-src 'none'; style-src {_hash(style)};{run} base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _user_rows(moves: Iterable[UserMove]) -> Iterator[UserRow]:
    for move in moves:
        access = (move.kind, move.before, move.after, move.because)
        yield from (UserRow(name, *access) for name in move.names)
        if move.unnamed:
            yield UserRow(count(move.unnamed, "user"), *access)


def _data(moves: Sequence[UserMove]) -> Markup:
    """Return the table of users as JSON that cannot end the script element it stands in."""
    from markupsafe import Markup

    text = json.dumps([move._asdict() for move in moves], separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
