"""Read the number of a run on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from rolecall.errors import did_you_mean

LIST = "for the list of runs: rolecall history"
_NUMBER = re.compile(r"(?:#|runs?)?[ _#:-]*0*([1-9][0-9]{0,8})\.?", re.IGNORECASE)


class RunNumber(click.IntRange):
    """The number of a run, from 1."""

    def __init__(self) -> None:
        super().__init__(1)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number. Fails with what was probably meant."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            return self.fail(f"{value!r} is not the number of a run; {_meant(str(value)) or LIST}", param, ctx)


RUN = RunNumber()


def run_or_name(value: str, names: Iterable[str] = ()) -> int | None:
    """Return the number of a run; None for one of the names, and for a file.

    Fails for a value that is neither and probably means a run or a name.
    """
    if value in names or Path(value).exists():
        return None
    if value.isascii() and value.isdecimal():
        return int(value)
    meant = _meant(value) or did_you_mean(value, names)
    if meant and not {".", "/", "\\"} & {*value.strip(".")}:
        raise click.UsageError(f"{value!r} is neither a file nor the number of a run; {meant}")
    return None


def _meant(value: str) -> str | None:
    """Return a hint for ``#12`` and ``run 12``."""
    match = _NUMBER.fullmatch(value.strip())
    return f"did you mean `{match[1]}`?" if match else None
