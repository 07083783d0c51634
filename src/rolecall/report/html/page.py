"""Puts the page of a plan together: what the template shows, and the data of the people's table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from rolecall.model.policy import Combo
from rolecall.package_data import package_text
from rolecall.plan.headline import combos
from rolecall.plan.saved.digest import short
from rolecall.plan.value import Move
from rolecall.report.builders.checks import passed_words
from rolecall.report.builders.header import REHEARSAL
from rolecall.report.builders.next_steps import naming, next_step
from rolecall.report.builders.plan import Walk
from rolecall.report.findings import of_problems
from rolecall.report.html.base import page
from rolecall.report.html.picture import MOST, flows, picture, rest
from rolecall.report.phrases import count, visible

MOST_ROWS = 200
"""Rows of people, and of what is left alone, that are there without a script; with one, all people are."""


class Row(NamedTuple):
    """One line of the people's table."""

    name: str
    kind: str
    before: str
    after: str
    because: str


def html(walked: Walk) -> str:
    """The whole file."""
    from markupsafe import Markup

    worst, more = walked.worst(MOST_ROWS)
    rows, told = list(_rows(walked)), flows(walked.plan.impact)
    return page(
        "plan.html.jinja",
        package_text("report/data/users.js"),
        walk=walked,
        plan=walked.plan,
        page=_words(walked),
        step=next_step(walked.plan, walked.digest),
        data=Markup(_data(walked)),
        picture=picture(told),
        flows=told,
        drawn=MOST,
        rest=rest(told),
        most=told[0].size if told else 1,
        teams=walked.plan.impact.teams[:MOST_ROWS],
        people={"rows": rows[:MOST_ROWS], "more": max(len(rows) - MOST_ROWS, 0)},
        risks=[note for note in walked.remain if note.tone == "warn"],
        warnings=of_problems(worst),
        unsaid=more,
        left=_left(walked),
    )


def _words(walked: Walk) -> dict[str, str]:
    plan = walked.plan
    passed = next((guards for verdict, guards in walked.verdicts if verdict == "pass"), ())
    return {
        "title": visible(f"Plan for {plan.org.name}{f' · {plan.org.env}' if plan.org.env else ''}"),
        "rehearsal": REHEARSAL if walked.banner.startswith(REHEARSAL) else "",
        "naming": naming(plan),
        "made": f"{plan.created_at:%Y-%m-%d %H:%M}",
        "until": f"{plan.expires_at:%Y-%m-%d %H:%M}",
        "digest": short(walked.digest) if walked.digest else "",
        "passed": passed_words(passed) if passed else "",
    }


def _left(walked: Walk) -> dict[str, Any]:
    """What the plan does not touch: told in sentences, and the unmanaged mappings one by one."""
    unmanaged = walked.plan.unmanaged
    return {
        "notes": [note for note in walked.remain if note.tone != "warn"],
        "unmanaged": unmanaged[:MOST_ROWS],
        "more": max(len(unmanaged) - MOST_ROWS, 0),
    }


def _rows(walked: Walk) -> Iterator[Row]:
    for move in walked.plan.impact.moves:
        rest = (move.kind, _combos(move.before), _combos(move.after), visible(", ".join(move.because)))
        names = _names(move)
        yield from (Row(name, *rest) for name in names)
        if len(names) < move.size:
            yield Row(count(move.size - len(names), "person"), *rest)


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
                "on_default": move.on_default,
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
