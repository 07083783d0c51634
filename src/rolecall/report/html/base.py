"""What every page has in common: one file, locked in by a policy, its own style, and the table of what changes."""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from typing import TYPE_CHECKING, Any

from rolecall.report.html.style import STYLE
from rolecall.report.phrases import place
from rolecall.report.verdicts import guard_place, guard_words
from rolecall.report.visible import visible

if TYPE_CHECKING:
    from markupsafe import Markup

_SLASHED = str.maketrans({"/": "/<wbr>", **{char: escape(char) for char in "&<>\"'"}})
_QUOTED = re.compile(r"`([^`]+)`")

_MACROS = """
{%- macro head(title, policy) -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="referrer" content="no-referrer">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
{%- endmacro -%}
{%- macro banner(walk, rehearsal) -%}
<h1>{% if rehearsal %}<span class="rehearsal">{{ rehearsal }}</span>
{{ walk.banner[rehearsal | length + 3:] }}{% else %}{{ walk.banner }}{% endif %}</h1>
{%- if walk.headline %}<p class="headline">{{ walk.headline }}</p>{% endif %}
{%- endmacro -%}
{%- macro seen(walk, alarm) -%}
<span class="{{ 'alarm' if alarm else 'dim' }}">{{ walk.seen[:1].upper() }}{{ walk.seen[1:] }}.</span>
{%- endmacro -%}
{%- macro problems(found) -%}
{%- for row in found %}
<li>{{ row.level }}: {{ row.message | told }} <code>{{ row.where | place }}</code></li>
{%- endfor %}
{%- endmacro -%}
{%- macro entries(title, rows, what, whom) -%}
<div class="scroll{{ ' tall' if rows | length > 50 }}" tabindex="0" role="region" aria-label="{{ title }}">
<table class="stack changes">
<thead><tr><th scope="col">Address</th><th scope="col">{{ what }}</th>
<th scope="col">{{ whom }}</th><th scope="col">Where</th></tr></thead><tbody>
{%- for entry in rows %}
<tr><td><span class="mark {{ marks[entry.mark] }}">{{ entry.mark }}</span>
<code>{{ entry.address | slashed }}</code></td>
<td>{% for diff in entry.diffs %}<p>{{ diff.path }}:
{% if diff.before is not none %}<span class="before">{{ diff.before }}</span> →
<span class="after">{{ diff.after }}</span>{% else %}{{ diff.after }}{% endif %}</p>{% endfor %}</td>
<td>{% for note in entry.notes %}<p class="{{ note.tone }}">{{ note.text }}</p>{% endfor %}</td>
<td><code>{{ entry.where | place | slashed }}</code></td></tr>
{%- endfor %}
</tbody></table></div>
{%- endmacro -%}
"""

_MARKS = {"+": "create", "~": "update", "-": "delete", "↑": "upgrade"}


def page(template: str, script: str = "", **shown: Any) -> str:
    """A template as a whole file. No name in it can become markup or script: all is escaped, and a policy allows
    nothing to be loaded, and nothing to run but the very style and script of this file.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals.update(marks=_MARKS, style=Markup(STYLE))
    environment.filters.update(place=place, visible=visible, words=guard_words, at=guard_place)
    environment.filters.update(told=told, slashed=slashed)
    made: str = environment.from_string(_MACROS + template).render(
        script=Markup(script), policy=_policy(STYLE, script), **shown
    )
    return f"{made.strip()}\n"


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
