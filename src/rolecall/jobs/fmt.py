"""Format the files of a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rolecall.desired.edit.format import formatted, renamed
from rolecall.desired.load.files import environments
from rolecall.desired.load.read import load
from rolecall.errors import ConfigError, Problem
from rolecall.model.desired import Applied, Desired
from rolecall.model.live import Live
from rolecall.plan.diff.entries import RENAMED
from rolecall.plan.diff.identity import identify
from rolecall.source.files import read_file


class Rewritten(NamedTuple):
    """A file whose text changes. ``name`` is relative to the config's folder."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Formatted:
    """The files that change, and the problems of those that could not be read or formatted."""

    files: tuple[Rewritten, ...]
    problems: tuple[Problem, ...]


def fmt(root: Path, main: str, names: Mapping[str, str] | None = None) -> Formatted:
    """Format each YAML file of the config in ``root``, overlays too. ``names`` are keys to rename, old -> new."""
    files: list[Rewritten] = []
    problems: list[Problem] = []
    for name in _names(root, main, problems):
        try:
            before = read_file(root / name, name).decode()
            after = formatted(renamed(before, names) if names else before, name)
        except ConfigError as error:
            problems += error.problems
        except UnicodeDecodeError:
            problems.append(Problem("encoding", f"{name} is not UTF-8 text", None, "save it as UTF-8"))
        else:
            if after != before:
                files.append(Rewritten(name, before, after))
    return Formatted(tuple(files), tuple(problems))


def new_names(desired: Desired, live: Live, applied: Applied) -> dict[str, str]:
    """Return the groups that the IdP renamed, found by their ids: key in the configuration -> current name."""
    identity = identify(desired, live, applied)
    return {key: identity.names[key] for key, problem in identity.problems.items() if problem.code == RENAMED}


def _names(root: Path, main: str, problems: list[Problem]) -> list[str]:
    """Return the YAML files that could be read; add to the problems why others could not."""
    names: dict[str, None] = {}
    for env in (None, *environments(root)):
        sources = load(root, env, main)
        names.update(dict.fromkeys(sources.files))
        errors = (problem for problem in sources.problems if problem.severity == "error" and problem.where is not None)
        problems += (
            problem
            for problem in errors
            if problem.where and problem.where.file not in sources.files and problem not in problems
        )
    return [name for name in names if not name.endswith(".json")]
