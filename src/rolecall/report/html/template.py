"""The page of a plan. Everything in double braces is escaped for HTML by the environment that renders it."""

from __future__ import annotations

TEMPLATE = """{{ head(page.title, policy) }}
<body>
<a class="skip" href="#changes">To the changes</a>
<header>
{{ banner(walk, page.rehearsal) }}
<p>{{ walk.summary }} {{ seen(walk, plan.unread) }}</p>
{%- if step %}
<p class="next {{ step.label | lower | replace(" ", "-") }}">{{ step.label }}: {{ step.words }}
{%- if step.command %} <code>{{ step.command }}</code>{% endif %}
{%- if step.aside %}<br>{{ step.aside_label }}: <code>{{ step.aside }}</code>{% endif %}</p>
{%- endif %}
<p class="dim">Made {{ page.made }} UTC for {{ plan.as_of }}, good until {{ page.until }} UTC.
{%- if walk.digest %} Digest <code>{{ page.digest }}</code>.{% endif %}</p>
<nav aria-label="In this report"><a href="#guards">Guards</a>
{%- if picture %} <a href="#moving">Who moves</a>{% endif %} <a href="#changes">Changes</a>
{%- if people.rows %} <a href="#people-title">People</a>{% endif %}
{%- if left.notes %} <a href="#alone">Left alone</a>{% endif %}</nav>
</header>
<main>
<section aria-labelledby="guards"><h2 id="guards">Guards</h2>
<ul class="verdicts">
{%- for verdict, guards in walk.verdicts %}{% if verdict == "pass" %}
<li class="pass">{{ page.passed }}</li>
{%- else %}{% for guard in guards %}
<li class="{{ 'block' if verdict == 'not judged' else verdict }}">
<span class="label">{{ verdict }}</span> {{ guard | words | told }} <code>{{ guard | at }}</code>
{%- if guard.ways %}<ul>{% for way in guard.ways %}<li>{{ way | told }}</li>{% endfor %}</ul>{% endif %}</li>
{%- endfor %}{% endif %}{% endfor %}
{%- for test in plan.access_tests if not test.passed %}
<li class="{{ 'failed' if test.refuses else 'later' }}">
<span class="label">{{ test.label|lower }}</span>
{{ test.name | visible }}: {{ test.message | told }} <code>{{ test.source | place }}</code></li>
{%- endfor %}
</ul>
{%- if walk.people or walk.policy or risks or walk.warnings %}<ul class="notes">
{%- for note in walk.people + walk.policy %}<li class="{{ note.tone }}">{{ note.text }}</li>{% endfor %}
{%- for note in risks %}<li class="warn">{{ note.text }}</li>{% endfor %}
{%- if warnings | length <= 5 %}{{ problems(warnings) }}{% endif %}
</ul>{% endif %}
{%- if warnings | length > 5 %}
<details><summary>Warnings · {{ "{:,}".format(warnings | length + unsaid) }}</summary>
<ul class="notes">{{ problems(warnings) }}</ul>
{%- if unsaid %}<p class="dim">and {{ "{:,}".format(unsaid) }} more; the JSON report has them all</p>{% endif %}
</details>
{%- endif %}
</section>
{%- if picture %}
<section aria-labelledby="moving"><h2 id="moving">Who moves</h2>
<p class="dim">What people lose on the left, what they gain on the right; each band is as thick as they are many.</p>
<div class="picture">
<svg viewBox="0 0 1000 {{ picture.height }}" role="img" aria-label="What people lose and gain, as the table tells">
{%- for ribbon in picture.ribbons %}
<path class="flow {{ ribbon.kind }}" d="{{ ribbon.path }}"><title>{{ ribbon.title }}</title></path>
{%- endfor %}
{%- for bar in picture.bars %}
<rect class="node" x="{{ bar.x }}" y="{{ bar.y }}" width="10" height="{{ bar.height }}"></rect>
<text y="{{ bar.y + 13 }}" text-anchor="{{ bar.anchor }}">
{%- for row in bar.rows %}<tspan x="{{ bar.text_x }}" dy="{{ 0 if loop.first else 15 }}">{{ row }}</tspan>{% endfor %}
<title>{{ bar.title }}</title></text>
{%- endfor %}
</svg></div>
<div class="scroll" tabindex="0" role="region" aria-label="People by what they lose and gain"><table class="flows">
<thead><tr><th scope="col">People</th><th scope="col">Lose</th><th scope="col">Gain</th></tr></thead><tbody>
{%- for flow in flows[:drawn] %}
<tr><td>{{ "{:,}".format(flow.size) }}
<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
<rect class="flow {{ flow.kind }}" width="{{ (100 * flow.size / most) | round(1) }}" height="6"></rect></svg></td>
<td>{{ flow.left }}</td><td>{{ flow.right }}</td></tr>
{%- endfor %}
{%- if rest %}<tr><td>{{ "{:,}".format(rest.size) }}</td><td colspan="2">{{ rest.left }}</td></tr>{% endif %}
</tbody></table></div>
{%- if flows | length > drawn %}
<details><summary>All {{ "{:,}".format(flows | length) }} ways</summary>
<div class="scroll tall" tabindex="0" role="region" aria-label="All ways in which people move"><table class="flows">
<thead><tr><th scope="col">People</th><th scope="col">Lose</th><th scope="col">Gain</th></tr></thead><tbody>
{%- for flow in flows[:1000] %}
<tr><td>{{ "{:,}".format(flow.size) }}</td><td>{{ flow.left }}</td><td>{{ flow.right }}</td></tr>
{%- endfor %}
</tbody></table></div></details>
{%- endif %}
{%- if teams %}
<details><summary>By team · {{ "{:,}".format(plan.impact.teams | length) }}</summary>
<div class="scroll" tabindex="0" role="region" aria-label="People by team"><table>
<thead><tr><th scope="col">Team</th><th scope="col">Come</th><th scope="col">Leave</th>
<th scope="col">Change role</th></tr></thead><tbody>
{%- for row in teams %}
<tr><td>{{ row.team | visible }}</td><td>{{ "{:,}".format(row.gain) }}</td><td>{{ "{:,}".format(row.lose) }}</td>
<td>{{ "{:,}".format(row.change) }}</td></tr>
{%- endfor %}
</tbody></table></div></details>
{%- endif %}
</section>
{%- endif %}
<section aria-labelledby="changes"><h2 id="changes">Changes</h2>
{%- for part in walk.parts %}
<h3>{{ part.title }} <span class="dim">{{ "{:,}".format(part.total) }}</span></h3>
{{ entries(part.title, part.entries, "Before and after", "People and reasons") }}
{%- if part.hidden %}<p class="dim">and {{ "{:,}".format(part.hidden) }} more</p>{% endif %}
{%- for note in part.notes %}<p>{{ note.text }}</p>{% endfor %}
{%- else %}<p>None.</p>
{%- endfor %}
</section>
{%- if people.rows %}
<section aria-labelledby="people-title"><h2 id="people-title">People</h2>
{%- if walk.counted %}
<p class="dim">People are not named here. To see who: <code>{{ page.naming }}</code></p>
{%- endif %}
<div class="tools scripted" hidden>
<label>Search <input id="people-search" type="search" autocomplete="off"></label>
<label>Show <select id="people-kind">
<option value="">everybody</option>
<option value="gain">who gain</option>
<option value="lose">who lose</option>
<option value="change">who do both</option>
<option value="default">left with default access only</option>
</select></label>
</div>
<div class="scroll" tabindex="0" role="region" aria-label="Everybody who moves"><table id="people">
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
{%- if left.notes %}
<section aria-labelledby="alone"><h2 id="alone">Left alone</h2>
{%- for note in left.notes %}<p class="{{ note.tone }}">{{ note.text }}</p>{% endfor %}
{%- if left.unmanaged %}
<div class="scroll" tabindex="0" role="region" aria-label="Mappings not managed here"><table class="stack">
<thead><tr><th scope="col">Not managed here</th><th scope="col">Role</th><th scope="col">Teams</th>
<th scope="col">People</th></tr></thead><tbody>
{%- for row in left.unmanaged %}
<tr><td><code>{{ row.address | visible | slashed }}</code>{% if row.new %} new{% endif %}</td>
<td{% if row.role == "org_admin" %} class="warn"{% endif %}>{{ (row.role or "no role") | visible }}</td>
<td>{{ row.teams | join(", ") | visible }}</td>
<td>{{ "not read" if row.people is none else "{:,}".format(row.people) }}</td></tr>
{%- endfor %}
</tbody></table></div>
{%- if left.more %}<p class="dim">and {{ "{:,}".format(left.more) }} more</p>{% endif %}
{%- endif %}
</section>
{%- endif %}
</main>
</body>
</html>
"""
