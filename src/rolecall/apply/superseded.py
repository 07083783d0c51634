"""Finds manual steps that are out of date, because a newer run recorded another value of their address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rolecall.model.kinds import agrees, unread_fields
from rolecall.model.run import Record, Run, Step, StepState
from rolecall.model.settings import BLANK, Value

_RECORDED: frozenset[StepState] = frozenset({"done", "attested"})

Superseded = Mapping[tuple[int, int], int]
"""Run and number of a manual step -> the newer run that recorded another value of its address."""


class _Recorded(NamedTuple):
    """A value that a run recorded. ``other`` if another value was reported instead of it."""

    run: int
    value: Value | None
    other: bool = False


def superseded_steps(runs: Iterable[Run], records: Iterable[Record] = ()) -> Superseded:
    """Return the manual steps of an org's runs that a newer run superseded.

    ``runs`` are newest first; ``records`` are the values that the journal remembers. Steps that were reported done are
    included: to report one again would restore its value, too.
    """
    superseded: dict[tuple[int, int], int] = {}
    recorded: dict[str, list[_Recorded]] = {}
    for record in records:
        recorded[record.address] = [_Recorded(record.run, record.value)]
    for run in runs:
        for step in run.steps:
            values = [value for key in _keys(step) for value in recorded.get(key, ()) if value.run > run.id]
            if step.via == "human" and (number := _superseded_by(step.after, values)) is not None:
                superseded[run.id, step.number] = number
        for step in run.steps:
            for key in _keys(step) if step.state in _RECORDED else ():
                recorded.setdefault(key, []).append(_Recorded(run.id, step.after, step.reported is not None))
    return superseded


def _keys(step: Step) -> Iterator[str]:
    """Yield what identifies the setting of a step: its address, and the id of a group, which may be renamed."""
    yield step.address
    if step.id:
        yield f"id:{step.id}"


def _superseded_by(requested: Value | None, recorded: Iterable[_Recorded]) -> int | None:
    """Return the newest run that recorded another value; None if this value was recorded since, or none was."""
    for newer in sorted(recorded, key=lambda value: value.run, reverse=True):
        if newer.other or _differ(newer.value, requested):
            return newer.run
        if newer.value is None or requested is None or not unread_fields(newer.value, requested):
            return None
    return None


def _differ(recorded: Value | None, requested: Value | None) -> bool:
    """Return whether a field has different values in both; no entry and unmapped are equal."""
    one, two = (None if value == BLANK else value for value in (recorded, requested))
    return one is not two if one is None or two is None else not agrees(one, two)
