"""Finds every problem of a configuration, offline."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rolecall.desired.check.names import check_names
from rolecall.desired.check.policy import check_policy
from rolecall.desired.check.schema import check_schema
from rolecall.desired.check.sections import check_sections
from rolecall.desired.check.targets import check_targets
from rolecall.desired.load.read import load, load_each
from rolecall.desired.load.sources import Sources
from rolecall.errors import Problem, Where

CHECKS = (check_sections, check_names, check_targets, check_policy)


def validate(sources: Sources) -> list[Problem]:
    """Return all problems of sources, errors and warnings, each once, in the order of the files.

    Rules are checked without the parts that the schema refuses, so that one mistake is reported once.
    """
    problems = list(sources.problems)
    if sources.documents:
        sound, refused = check_schema(sources.effective, sources)
        problems += refused
        if not any(problem.code == "version" for problem in refused):
            for check in CHECKS:
                problems += check(sound, sources)
    return _in_order(problems, sources.files)


def validate_repo(root: Path, env: str | None = None, main: str | None = None) -> list[Problem]:
    """Return all problems of the configuration in ``root``: with one overlay, or with each one when ``env`` is None."""
    each = load_each(root, main) if env is None else [load(root, env, main)]
    files = tuple(dict.fromkeys(name for sources in each for name in sources.files))
    return _in_order((problem for sources in each for problem in validate(sources)), files)


def _in_order(problems: Iterable[Problem], files: tuple[str, ...]) -> list[Problem]:
    rank = {name: number for number, name in enumerate(files)}

    def place(problem: Problem) -> tuple[int, str, int, int]:
        where = problem.where or Where("")
        return rank.get(where.file, len(rank)), where.file, where.line, where.column

    return sorted(dict.fromkeys(problems), key=place)
