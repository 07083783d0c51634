"""A look for drift as one HTML file that asks for nothing from anywhere."""

from __future__ import annotations

from rolecall.report.banner import REHEARSAL
from rolecall.report.drift_walk import DriftWalk
from rolecall.report.drift_words import ways_on
from rolecall.report.findings import of_problems
from rolecall.report.html.base import page

_TEMPLATE = """{{ head("Drift of " ~ (found.org.name | visible), policy) }}
<body>
<header>
{{ banner(walk, rehearsal) }}
{%- for text in walk.impact %}<p>{{ text }}</p>{% endfor %}
<p>{{ walk.summary }} {{ seen(walk, found.unread) }}</p>
{%- for label, command, why in ways %}
<p class="next">{{ label }}: <code>{{ command }}</code>, {{ why }}</p>
{%- endfor %}
<p class="dim">Looked at {{ found.at.strftime("%Y-%m-%d %H:%M") }} UTC. {{ walk.basis }}</p>
</header>
<main>
{%- if walk.alarms or walk.warnings %}
<section aria-labelledby="alarms"><h2 id="alarms">The config says this must not be</h2>
<ul class="verdicts">
{%- for alarm, note in walk.alarms %}
<li class="block">{{ note.text | told }} <code>{{ alarm.source | place }}</code></li>{% endfor %}
{{ problems(warnings) }}
</ul></section>
{%- endif %}
{%- for part in walk.parts + walk.aside %}
<section><h2>{{ part.title }} <span class="dim">{{ "{:,}".format(part.entries | length) }}</span></h2>
{{ entries(part.title, part.entries, "What moved", "Who, and whom it touches") }}</section>
{%- endfor %}
{%- if walk.news or walk.inventory %}
<section aria-labelledby="beside"><h2 id="beside">Not drift</h2><ul>
{%- for note in walk.news + walk.inventory %}<li class="{{ note.tone }}">{{ note.text | told }}</li>{% endfor %}
</ul></section>
{%- endif %}
</main>
</body>
</html>
"""


def drift_html(walked: DriftWalk) -> str:
    """The whole file."""
    rehearsal = REHEARSAL if walked.banner.startswith(REHEARSAL) else ""
    warnings = of_problems(walked.warnings)
    ways = tuple(ways_on(walked.found))
    return page(_TEMPLATE, walk=walked, found=walked.found, warnings=warnings, ways=ways, rehearsal=rehearsal)
