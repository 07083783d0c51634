"""Resolve the manual steps of a run that a command line names: `3`, `3.2` (an item of step 3), `2-5`, `all`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rolecall.errors import Misuse, Problem
from rolecall.model.run import Run

ALL = "all"
_FORM = re.compile(r"(?P<first>\d{1,9})(?:\.(?P<item>\d{1,9})|-(?P<last>\d{1,9}))?", re.ASCII)

Items = Mapping[int, Sequence[int]]
"""Number of a step in the runbook -> the numbers under which the run has its items, in order."""


def manual_steps(run: Run) -> Items:
    """Return the manual steps of a run in the order of its runbook."""
    items: dict[int, list[int]] = {}
    for step in run.steps:
        if step.via == "human":
            items.setdefault(step.place[0], []).append(step.number)
    return items


def steps_meant(run: Run, texts: Sequence[str], items: Items | None = None) -> tuple[int, ...]:
    """Return the numbers of the steps that the texts name, each once, in the order in which they are named.

    A range, `all`, and a step with items leave out what was reported done before. Raises Misuse, naming the steps
    there are, for a text of another form, for a step that is not a manual one, and for a range without any.
    """
    known = manual_steps(run) if items is None else items
    return tuple(dict.fromkeys(number for text in texts for number in _meant(run, text.strip().casefold(), known)))


def _meant(run: Run, text: str, items: Items) -> Iterator[int]:
    form = _FORM.fullmatch(text)
    if form is None and text != ALL:
        raise _no_step(run, f"`{text}` is not a step, such as 3, 3.2, 2-5 or all")
    if form is None or form["last"] is not None:
        yield from _range(run, text, items)
        return
    number, item = int(form["first"]), form["item"]
    if number not in items:
        if item is not None or not any(number in numbers for numbers in items.values()):
            raise _no_step(run, f"run {run.id} has no manual step {number}")
        yield number  # an item by the number that JSON has it under, which no step has
    elif item is None:
        yield from _left(run, items[number]) or items[number]
    elif 1 <= int(item) <= len(items[number]):
        yield items[number][int(item) - 1]
    else:
        parts = "1 item" if len(items[number]) == 1 else f"{len(items[number])} items"
        raise _no_step(run, f"step {number} of run {run.id} has {parts}, so there is no {text}")


def _range(run: Run, text: str, items: Items) -> Iterator[int]:
    first, _, last = text.partition("-")
    within = [number for number in items if text == ALL or int(first) <= number <= int(last)]
    left = _left(run, [step for number in within for step in items[number]])
    if not left:
        where = "" if text == ALL else f" from {first} to {last}"
        done = f"all manual steps{where} of run {run.id} are already reported done"
        raise _no_step(run, done if within else f"run {run.id} has no manual steps{where}")
    yield from left


def _left(run: Run, numbers: Sequence[int]) -> list[int]:
    open_steps = {step.number for step in run.human}
    return [number for number in numbers if number in open_steps]


def _no_step(run: Run, message: str) -> Misuse:
    left = ", ".join(step.label for step in run.human)
    hint = f"use a step that is not reported done yet: {left}" if left else f"for its steps: rolecall history {run.id}"
    return Misuse(Problem("no_step", message, None, hint))
