"""A look for drift as one HTML file that asks for nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib

from rolecall.report.drift_walk import DriftWalk
from rolecall.report.html.style import STYLE
from rolecall.report.phrases import place
from rolecall.report.visible import visible

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="referrer" content="no-referrer">
<title>Drift of {{ visible(found.org.name) }}</title>
<style>{{ style }}</style>
</head>
<body>
<header>
<h1>{{ walk.banner }}</h1>
<p class="headline">{{ walk.headline }}</p>
{%- for text in walk.impact %}<p>{{ text }}</p>{% endfor %}
<p>{{ walk.summary }} <span class="{{ 'alarm' if found.unread else 'dim' }}">{{ walk.seen }}</span></p>
<p class="dim">Looked at {{ found.at.strftime("%Y-%m-%d %H:%M") }} UTC. {{ walk.basis }}</p>
</header>
<main>
{%- if walk.alarms or walk.warnings %}
<section aria-labelledby="alarms"><h2 id="alarms">The config says this must not be</h2>
<ul class="verdicts">
{%- for alarm, note in walk.alarms %}
<li class="block">{{ note.text }} <code>{{ place(alarm.source) }}</code></li>{% endfor %}
{%- for problem in walk.warnings %}<li>{{ visible(problem | string) }}</li>{% endfor %}
</ul></section>
{%- endif %}
{%- for part in walk.parts + walk.aside %}
<section><h2>{{ part.title }} <span class="dim">{{ "{:,}".format(part.entries | length) }}</span></h2>
<div class="scroll" tabindex="0" role="region" aria-label="{{ part.title }}"><table class="stack">
<thead><tr><th scope="col">Address</th><th scope="col">What moved</th>
<th scope="col">Who, and whom it touches</th><th scope="col">Where</th></tr></thead><tbody>
{%- for entry in part.entries %}
<tr><td><span class="mark {{ marks[entry.mark] }}">{{ entry.mark }}</span> <code>{{ entry.address }}</code></td>
<td>{% for diff in entry.diffs %}<p>{{ diff.path }}:
{% if diff.before is not none %}<span class="before">{{ diff.before }}</span> →
<span class="after">{{ diff.after }}</span>{% else %}{{ diff.after }}{% endif %}</p>{% endfor %}</td>
<td>{% for note in entry.notes %}<p class="{{ note.tone }}">{{ note.text }}</p>{% endfor %}</td>
<td><code>{{ place(entry.where) }}</code></td></tr>
{%- endfor %}
</tbody></table></div></section>
{%- endfor %}
{%- if walk.news or walk.inventory %}
<section aria-labelledby="beside"><h2 id="beside">Not drift</h2><ul>
{%- for note in walk.news + walk.inventory %}<li class="{{ note.tone }}">{{ note.text }}</li>{% endfor %}
</ul></section>
{%- endif %}
</main>
</body>
</html>
"""

_MARKS = {"+": "create", "~": "update", "-": "delete", "↑": "upgrade"}


def drift_html(walked: DriftWalk) -> str:
    """The whole file. No name in it can become markup: all is escaped, and its policy allows its own style alone."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.globals.update(place=place, visible=visible)
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    page: str = environment.from_string(_TEMPLATE).render(
        walk=walked,
        found=walked.found,
        marks=_MARKS,
        style=Markup(STYLE),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
    )
    return page
