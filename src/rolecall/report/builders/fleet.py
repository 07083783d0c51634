"""The orgs of a fleet: what `fleet validate` reports in addition to problems."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from rolecall.errors import Problem
from rolecall.report.builders.problems import problems_json
from rolecall.report.line import Line, line
from rolecall.report.phrases import count, visible

Org = tuple[str, Mapping[str, str]]
"""The path of an org directory, and its labels."""
_LISTED = 40


def fleet_lines(orgs: Sequence[Org], *, verbose: bool = False) -> Iterator[Line]:
    """Yield how many orgs are checked, and each with the labels that `fleet.yaml` gives it; of many the first ones."""
    yield line(f"{count(len(orgs), 'org')} checked.")
    listed = orgs if verbose else orgs[:_LISTED]
    for path, labels in listed:
        pairs = ", ".join(f"{name}={value}" for name, value in labels.items())
        yield line(visible(f"  {path}  {pairs}".rstrip()))
    if len(listed) < len(orgs):
        yield line(f"  {len(orgs) - len(listed):,} more; -v lists them.")


def fleet_json(orgs: Sequence[Org], problems: Sequence[Problem]) -> str:
    """Return ``{"orgs": [{"path", "labels"}], ...}``, with the keys of ``problems_json``."""
    body = {"orgs": [{"path": path, "labels": dict(labels)} for path, labels in orgs]}
    return json.dumps({**body, **json.loads(problems_json(problems))}, ensure_ascii=True, indent=2) + "\n"
