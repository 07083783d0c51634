"""A look for drift as one HTML file that asks for nothing from anywhere."""

from __future__ import annotations

from rolecall.report.builders.drift import DriftWalk
from rolecall.report.builders.drift_sentences import ways_on
from rolecall.report.builders.header import REHEARSAL
from rolecall.report.findings import of_problems
from rolecall.report.html.base import page


def drift_html(walked: DriftWalk) -> str:
    """The whole file."""
    rehearsal = REHEARSAL if walked.banner.startswith(REHEARSAL) else ""
    warnings = of_problems(walked.warnings)
    ways = tuple(ways_on(walked.found))
    return page("drift.html.jinja", walk=walked, found=walked.found, warnings=warnings, ways=ways, rehearsal=rehearsal)
