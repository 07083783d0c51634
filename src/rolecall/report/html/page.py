"""Puts the page together: what the template shows, the data of the people's table, and the policy that locks it in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rolecall.model.policy import Combo
from rolecall.plan.digest import short
from rolecall.plan.headline import combos
from rolecall.plan.value import Move
from rolecall.report.banner import REHEARSAL
from rolecall.report.html.picture import flows, picture
from rolecall.report.html.script import SCRIPT
from rolecall.report.html.style import STYLE
from rolecall.report.html.template import TEMPLATE
from rolecall.report.phrases import place
from rolecall.report.verdicts import guard_words, passed_words
from rolecall.report.visible import visible
from rolecall.report.walk import Walk

MOST_ROWS = 200
"""Rows of people that are there without a script; with one, all are."""


class Row(NamedTuple):
    """One line of the people's table."""

    name: str
    kind: str
    before: str
    after: str
    because: str


def html(walked: Walk) -> str:
    """The whole file. No name in it can become markup or script: all is escaped, and a policy allows nothing else."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    environment.globals.update(place=place, visible=visible, words=guard_words)
    rows = list(_rows(walked))
    page: str = environment.from_string(TEMPLATE).render(
        walk=walked,
        plan=walked.plan,
        page=_page(walked),
        policy=_policy(),
        style=Markup(STYLE),
        script=Markup(SCRIPT),
        data=Markup(_data(walked)),
        picture=picture(walked.plan.impact),
        flows=flows(walked.plan.impact),
        people={"rows": rows[:MOST_ROWS], "more": max(len(rows) - MOST_ROWS, 0)},
        risks=[note for note in walked.remain if note.tone == "warn"],
        plain=[note for note in walked.remain if note.tone != "warn"],
    )
    return page


def _page(walked: Walk) -> dict[str, str]:
    plan, banner = walked.plan, walked.banner
    rehearsal = REHEARSAL if banner.startswith(REHEARSAL) else ""
    passed = next((guards for verdict, guards in walked.verdicts if verdict == "pass"), ())
    return {
        "title": f"Plan for {visible(plan.org.name)}{f' · {visible(plan.org.env)}' if plan.org.env else ''}",
        "rehearsal": rehearsal,
        "org": banner.removeprefix(f"{REHEARSAL} · ") if rehearsal else banner,
        "env": f" -e {plan.org.env}" if plan.org.env else "",
        "made": f"{plan.created_at:%Y-%m-%d %H:%M}",
        "until": f"{plan.expires_at:%Y-%m-%d %H:%M}",
        "digest": short(walked.digest) if walked.digest else "",
        "passed": passed_words(passed) if passed else "",
    }


def _rows(walked: Walk) -> Iterator[Row]:
    for move in walked.plan.impact.moves:
        rest = (move.kind, _combos(move.before), _combos(move.after), visible(", ".join(move.because)))
        names = _names(move)
        yield from (Row(name, *rest) for name in names)
        if len(names) < move.size:
            yield Row(f"{move.size - len(names):,} people", *rest)


def _data(walked: Walk) -> str:
    """The people's table as JSON that cannot end the script element it stands in."""
    told: list[dict[str, Any]] = []
    for move in walked.plan.impact.moves:
        names = _names(move)
        told.append(
            {
                "kind": move.kind,
                "before": _combos(move.before),
                "after": _combos(move.after),
                "because": visible(", ".join(move.because)),
                "to_default": move.to_default,
                "people": names,
                "rest": move.size - len(names),
            }
        )
    text = json.dumps(told, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _names(move: Move) -> list[str]:
    return [visible(who.email) for who in move.people if who.email]


def _combos(held: tuple[Combo, ...]) -> str:
    return visible(combos(held)) if held else "nothing"


def _policy() -> str:
    """Nothing may be loaded, and nothing may run but the very style and script of this file."""
    return (
        f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
