"""Says everything that is wrong with a config, offline."""

from __future__ import annotations

from rolecall.desired.schema import judge
from rolecall.desired.sources import Sources
from rolecall.errors import Problem


def validate(sources: Sources) -> list[Problem]:
    """All problems of sources, errors and warnings, in the order of the files."""
    problems = [*sources.problems]
    if sources.documents:
        problems += judge(sources.effective, sources).problems
    return problems
