"""Define the options that say in which format, where and with which users results are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")

_FORMAT = (
    "Format on stdout: text; json for programs; markdown for a pull request; html, a page in one file; github "
    "(annotations), gitlab (a Code Quality report), junit or sarif for CI; csv, one line per affected user."
)
_PEOPLE = (
    "How users are shown: names, masked (one alias per user, the same in every run) or counts. Default: names, or "
    "counts if the variable CI is set."
)


def format_option(command: F) -> F:
    """Add `--format`, with all formats of a plan."""
    option = click.option(
        "--format",
        "form",
        type=click.Choice(FORMATS),
        metavar="FORMAT",
        default="text",
        show_default=True,
        help=_FORMAT,
    )
    return option(command)


def some_formats(*formats: str, meaning: str) -> Callable[[F], F]:
    """Return the option `--format` with few formats, of which the first is the default."""
    return click.option(
        "--format", "form", type=click.Choice(formats), default=formats[0], show_default=True, help=meaning
    )


def reports_option(command: F) -> F:
    """Add `--report`."""
    option = click.option(
        "--report",
        multiple=True,
        metavar="FORMAT=PATH",
        help="Also write the result to a file, in any format of --format. Repeatable.",
    )
    return option(command)


def people_option(command: F) -> F:
    """Add `--people`."""
    return click.option("--people", type=click.Choice(["names", "masked", "counts"]), help=_PEOPLE)(command)


def report_option(value: str, formats: Sequence[str] = FORMATS) -> tuple[str, Path]:
    """Read the value ``FORMAT=PATH`` of ``--report``. Raises click's usage error for another text."""
    form, equals, path = value.partition("=")
    if not equals or not path or form not in formats:
        message = f"{value!r} is not FORMAT=PATH, with FORMAT one of {', '.join(formats)}"
        raise click.BadParameter(message, param_hint="--report")
    return form, Path(path)
