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


def fleet_lines(orgs: Sequence[Org]) -> Iterator[Line]:
    """Yield how many orgs are checked, and each with the labels that `fleet.yaml` gives it."""
    yield line(f"{count(len(orgs), 'org')} checked.")
    for path, labels in orgs:
        own_labels = [f"{name}={value}" for name, value in labels.items() if name not in ("path", "name")]
        yield line(visible(f"  {path}  {', '.join(own_labels)}".rstrip()))


def fleet_json(orgs: Sequence[Org], problems: Sequence[Problem]) -> str:
    """Return ``{"orgs": [{"path", "labels"}], ...}``, with the keys of ``problems_json``."""
    body = {"orgs": [{"path": path, "labels": dict(labels)} for path, labels in orgs]}
    return json.dumps({**body, **json.loads(problems_json(problems))}, ensure_ascii=True, indent=2) + "\n"
