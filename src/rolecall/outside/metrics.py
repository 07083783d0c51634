"""Writes metrics in Prometheus text format, for the textfile collector of the node exporter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from rolecall.outside.files import write_file


class Sample(NamedTuple):
    """One value and its labels."""

    value: float
    labels: Mapping[str, str] = {}


class Metric(NamedTuple):
    """One gauge with all its samples."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def metrics_text(metrics: Iterable[Metric]) -> str:
    """Return the exposition format, version 0.0.4. A metric without samples is left out."""
    return "".join(line for metric in metrics if metric.samples for line in _lines(metric))


def write_metrics(path: Path, metrics: Iterable[Metric]) -> None:
    """Write the file atomically, readable for all users, so that the collector never reads an incomplete file."""
    write_file(path, metrics_text(metrics), 0o644)


def write_anew(path: Path, metrics: Iterable[Metric]) -> None:
    """Write these metrics and keep all other rolecall metrics in the file."""
    anew = tuple(metrics)
    names = {metric.name for metric in anew}
    earlier = "".join(f"{line}\n" for name, line in _named_lines(path) if name not in names)
    write_file(path, earlier + metrics_text(anew), 0o644)


def _named_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of rolecall's metrics in a file, each with its metric's name; none if it is not a file."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    for line in text.split("\n"):
        if match := _LINE.match(line):
            yield match[1], line


_LINE = re.compile(r"(?:# (?:HELP|TYPE) )?(rolecall_\w+)[ {]")


def _lines(metric: Metric) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n"
    for sample in metric.samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        yield f"{metric.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}\n"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
