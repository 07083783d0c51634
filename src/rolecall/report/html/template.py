"""The page. Everything in double braces is escaped for HTML by the environment that renders it."""

from __future__ import annotations

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="referrer" content="no-referrer">
<title>{{ page.title }}</title>
<style>{{ style }}</style>
</head>
<body>
<a class="skip" href="#changes">To the changes</a>
<header>
<h1>{% if page.rehearsal %}<span class="rehearsal">{{ page.rehearsal }}</span> {% endif %}{{ page.org }}</h1>
{% if walk.headline %}<p class="headline">{{ walk.headline }}</p>{% endif %}
<p>{{ walk.summary }} <span class="{{ 'alarm' if plan.unread else 'dim' }}">{{ walk.seen }}</span></p>
<p class="dim">Made {{ page.made }} UTC for {{ plan.as_of }}, good until {{ page.until }} UTC.
{%- if walk.digest %} Digest <code>{{ page.digest }}</code>.{% endif %}</p>
</header>
<main>
<section aria-labelledby="guards"><h2 id="guards">Guards</h2>
<ul class="verdicts">
{%- for verdict, guards in walk.verdicts %}{% if verdict == "pass" %}
<li class="pass">{{ page.passed }}</li>
{%- else %}{% for guard in guards %}
<li class="{{ 'block' if verdict == 'not judged' else verdict }}">
<span class="label">{{ verdict }}</span> {{ words(guard) }}
{%- if guard.ways %}<ul>{% for way in guard.ways %}<li>{{ visible(way) }}</li>{% endfor %}</ul>{% endif %}</li>
{%- endfor %}{% endif %}{% endfor %}
{%- for test in plan.access_tests if not test.passed %}
<li class="{{ 'failed' if test.refuses else 'pass' }}"><span class="label">{{ 'failed' if test.refuses else 'later' }}</span> {{ visible(test.name) }}: {{ visible(test.message) }}
<code>{{ place(test.source) }}</code></li>
{%- endfor %}
</ul>
{%- if walk.people or risks or walk.warnings %}<ul>
{%- for note in walk.people %}<li class="{{ note.tone }}">{{ note.text }}</li>{% endfor %}
{%- for note in risks %}<li class="warn">{{ note.text }}</li>{% endfor %}
{%- for problem in walk.warnings %}<li>{{ visible(problem | string) }}</li>{% endfor %}
</ul>{% endif %}
</section>
{%- if picture %}
<section aria-labelledby="moving"><h2 id="moving">Who moves</h2>
<p class="dim">What people lose on the left, what they gain on the right; each band is as thick as they are many.</p>
<div class="picture">
<svg viewBox="0 0 1000 {{ picture.height }}" role="img" aria-labelledby="moving-told">
<title id="moving-told">
{%- for flow in flows %}{{ "{:,}".format(flow.size) }} from {{ flow.left }} to {{ flow.right }}. {% endfor %}</title>
{%- for ribbon in picture.ribbons %}
<path class="flow {{ ribbon.kind }}" d="{{ ribbon.path }}"><title>{{ ribbon.title }}</title></path>
{%- endfor %}
{%- for bar in picture.bars %}
<rect class="node" x="{{ bar.x }}" y="{{ bar.y }}" width="10" height="{{ bar.height }}"></rect>
<text x="{{ bar.text_x }}" y="{{ bar.y + 14 }}" text-anchor="{{ bar.anchor }}">{{ bar.label }}</text>
{%- endfor %}
</svg></div></section>
{%- endif %}
<section aria-labelledby="changes"><h2 id="changes">Changes</h2>
{%- for part in walk.parts %}
<h3>{{ part.title }} <span class="dim">{{ "{:,}".format(part.total) }}</span></h3>
<div class="scroll" tabindex="0" role="region" aria-label="{{ part.title }}"><table class="stack">
<thead><tr><th scope="col">Address</th>
<th scope="col">Before and after</th>
<th scope="col">People and reasons</th>
<th scope="col">Where</th></tr></thead><tbody>
{%- for entry in part.entries %}
<tr><td><span class="mark {{ entry.change.action }}">{{ entry.mark }}</span> <code>{{ entry.address }}</code></td>
<td>{% for diff in entry.diffs %}<p>{{ diff.path }}:
{% if diff.before is not none %}<span class="before">{{ diff.before }}</span> →
<span class="after">{{ diff.after }}</span>{% else %}{{ diff.after }}{% endif %}</p>{% endfor %}</td>
<td>{% for note in entry.notes %}<p class="{{ note.tone }}">{{ note.text }}</p>{% endfor %}</td>
<td><code>{{ place(entry.where) }}</code></td></tr>
{%- endfor %}
</tbody></table></div>
{%- if part.hidden %}<p class="dim">and {{ "{:,}".format(part.hidden) }} more</p>{% endif %}
{%- for note in part.notes %}<p>{{ note.text }}</p>{% endfor %}
{%- else %}<p>None.</p>
{%- endfor %}
{%- for note in plain %}<p class="dim">{{ note.text }}</p>{% endfor %}
</section>
{%- if people.rows %}
<section aria-labelledby="people-title"><h2 id="people-title">People</h2>
{%- if walk.counted %}<p class="dim">People are not named here. To see who:
<code>rolecall plan{{ page.env }} --people names</code></p>{% endif %}
<div class="tools scripted" hidden>
<label>Search <input id="people-search" type="search" autocomplete="off"></label>
<label>Show <select id="people-kind">
<option value="">everybody</option>
<option value="gain">who gain</option>
<option value="lose">who lose</option>
<option value="change">who do both</option>
<option value="default">left with only the default</option>
</select></label>
</div>
<div class="scroll" tabindex="0" role="region" aria-labelledby="people-title"><table id="people">
<thead><tr><th scope="col" data-key="name" aria-sort="ascending">Person</th>
<th scope="col" data-key="kind">What</th>
<th scope="col" data-key="before">Before</th>
<th scope="col" data-key="after">After</th>
<th scope="col" data-key="because">Because of</th></tr></thead>
<tbody id="people-rows">
{%- for row in people.rows %}
<tr><td class="mono">{{ row.name }}</td>
<td>{{ row.kind }}</td>
<td class="before">{{ row.before }}</td>
<td class="after">{{ row.after }}</td>
<td class="mono">{{ row.because }}</td></tr>
{%- endfor %}
</tbody></table></div>
{%- if people.more %}<noscript><p class="dim">and {{ "{:,}".format(people.more) }} more, which take a script to show;
the CSV report has them all.</p></noscript>{% endif %}
<div class="pager scripted" hidden>
<button type="button" id="people-back">Back</button>
<span id="people-count" role="status"></span>
<button type="button" id="people-on">On</button>
</div>
<script type="application/json" id="people-data">{{ data }}</script>
<script>{{ script }}</script>
</section>
{%- endif %}
</main>
</body>
</html>
"""
