"""What every page has in common: one file, locked in by a policy, its own style, and the table of what changes."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from typing import TYPE_CHECKING, Any

from rolecall.package_data import package_text
from rolecall.report.builders.checks import guard_place, guard_words
from rolecall.report.phrases import place, visible

if TYPE_CHECKING:
    from markupsafe import Markup

_SLASHED = str.maketrans({"/": "/<wbr>", **{char: escape(char) for char in "&<>\"'"}})
_QUOTED = re.compile(r"`([^`]+)`")

_STYLE = "report/data/style.css"
_MARKS = {"+": "create", "~": "update", "-": "delete", "↑": "upgrade"}


def page(template: str, script: str = "", **shown: Any) -> str:
    """Return a template of ``report/data``, filled in, as a whole file. No name in it can become markup or script: all
    is escaped, and a policy allows nothing to be loaded, and nothing to run but the style and script of this file.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = package_text(_STYLE)
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals.update(marks=_MARKS, style=Markup(style))
    environment.filters.update(place=place, visible=visible, words=guard_words, at=guard_place)
    environment.filters.update(told=told, slashed=slashed)
    source = package_text("report/data/base.html.jinja") + package_text(f"report/data/{template}")
    filled: str = environment.from_string(source).render(script=Markup(script), policy=_policy(style, script), **shown)
    return f"{filled.strip()}\n"


def told(text: str) -> Markup:
    """A sentence whose words in backticks stand in a fixed font."""
    from markupsafe import Markup

    return Markup(_QUOTED.sub(r"<code>\1</code>", escape(visible(text))))


def slashed(text: str) -> Markup:
    """An address or a path that may break after a slash."""
    from markupsafe import Markup

    return Markup(text.translate(_SLASHED))


def _policy(style: str, script: str) -> str:
    run = f" script-src {_hash(script)};" if script else ""
    return f"default-src 'none'; style-src {_hash(style)};{run} base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
