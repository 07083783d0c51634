"""Report the provisioning trace of one user: a line for each step, with the next action where one is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from rolecall.model.trace import StepState, TraceStep
from rolecall.plan.explain.trace import answered
from rolecall.plan.value import OrgRef
from rolecall.report.builders.header import org_banner
from rolecall.report.document import Document, Listing, Note, Row, Tone
from rolecall.report.phrases import count, place, visible

LABELS: Mapping[StepState, tuple[str, Tone]] = {
    "ok": ("ok", "ok"),
    "failed": ("failed", "error"),
    "not_readable": ("not readable", "warn"),
}
_LABEL = 12
"""Columns of a label."""


def trace_document(org: OrgRef, email: str, idp: str, steps: Sequence[TraceStep]) -> Document:
    """Return the steps of the user, then those of each group, and how many failed or could not be read."""
    causes: set[tuple[str | None, str | None]] = set()
    title = f"{visible(email)} · provisioning trace through {idp.capitalize()}"
    listings = [
        Listing(tuple(_step_rows(group_steps, causes)), (_LABEL,), visible(group or ""))
        for group, group_steps in groupby(steps, lambda step: step.group)
    ]
    listings.append(Listing((), title=_summary(steps)))
    return Document("why", title=title, banner=org_banner(org), listings=tuple(listings))


def _step_rows(steps: Iterator[TraceStep], causes: set[tuple[str | None, str | None]]) -> Iterator[Row]:
    """Yield the lines of steps. ``causes`` are those that were shown, each with its next action; new ones are added."""
    for step in steps:
        label, tone = LABELS[step.state]
        repeated = step.cause is not None and (step.cause, step.next) in causes
        text = f"{step.text.removesuffix(f': {step.cause}.')}: same cause as above." if repeated else step.text
        causes.add((step.cause, step.next))
        yield Row((Note(label, tone), Note(visible(text))), place(step.where), 1)
        if step.next and not repeated:
            yield Row((Note(""), Note(f"Next: {visible(step.next)}", "dim")), depth=1)


def _summary(steps: Sequence[TraceStep]) -> str:
    failed, unread = (sum(step.state == state for step in steps) for state in ("failed", "not_readable"))
    if not failed and not unread:
        return f"All {count(len(steps), 'step')} are ok."
    parts = [(failed, "failed")] if failed else []
    parts += [(unread, "could not be read")] if unread else []
    (number, state), *more = parts
    first = f"{number} of {count(len(steps), 'step')} {state}"
    return f"{' and '.join([first, *(f'{number} {state}' for number, state in more)])}."


def trace_json(email: str, idp: str, steps: Sequence[TraceStep], near: Sequence[str] = ()) -> str:
    """Return ``{"email", "idp", "answered", "trace": [{"step", "state", "text", "next", "group", "where",
    "cause"}], "near"}``.

    ``answered`` is false if a step could not be read. ``group`` is null for steps about the user. ``near`` are
    similar addresses of the org's users, if neither side is known to have the user.
    """
    body = {
        "email": email,
        "idp": idp,
        "answered": answered(steps),
        "trace": [{**step._asdict(), "where": place(step.where) or None} for step in steps],
        "near": list(near),
    }
    return json.dumps(body, indent=2) + "\n"
