"""Implement `rolecall render`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rolecall.cli.console import stdout
from rolecall.cli.options import Invocation, root_of
from rolecall.cli.program import command
from rolecall.cli.report_options import some_formats
from rolecall.errors import ConfigError, Where

if TYPE_CHECKING:
    from rolecall.desired.load.sources import Sources


@command(
    "render",
    "rolecall render -e prod",
    "rolecall render -e prod --origin | grep Writer-Admins",
)
@click.option("--origin", is_flag=True, help="Show for each value the file and line that set it.")
@some_formats("yaml", "json", meaning="Format on stdout. Not with --origin.")
def render(call: Invocation, origin: bool, form: str) -> None:
    """Show the configuration after includes and overlays are merged."""
    from rolecall.report.builders.config import config_json, config_yaml, origin_lines

    root = root_of(call)
    sources = effective_config(root.folder, call.env, root.main)
    out = stdout(call.environ, color=call.color)
    if origin:
        out.lines(origin_lines(origins(sources)))
    else:
        out.text(config_json(sources.effective) if form == "json" else config_yaml(sources.effective))


class Origin(NamedTuple):
    """A value of the effective configuration and the place that sets it."""

    path: tuple[str | int, ...]
    value: Any
    where: Where


def effective_config(root: Path, env: str | None, main: str) -> Sources:
    """Return the configuration after includes and overlay. Raises ConfigError with all problems if it has errors."""
    from rolecall.desired.check.validate import validate
    from rolecall.desired.load.read import load

    sources = load(root, env, main)
    problems = validate(sources)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return sources


def origins(sources: Sources) -> Iterator[Origin]:
    """Yield each scalar, list and empty map of the effective configuration with its place, in order."""
    return _walk(sources, (), sources.effective)


def _walk(sources: Sources, path: tuple[str | int, ...], value: Any) -> Iterator[Origin]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _walk(sources, (*path, key), inner)
    else:
        yield Origin(path, value, sources.where(path))
