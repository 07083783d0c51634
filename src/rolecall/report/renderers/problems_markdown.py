"""Problems of a config as Markdown, for a comment or a job's summary."""

from __future__ import annotations

from collections.abc import Sequence

from rolecall.errors import Problem
from rolecall.report.builders.problems import problems_summary
from rolecall.report.findings import of_problems
from rolecall.report.phrases import place
from rolecall.report.renderers.markdown_text import COMMENT, RESERVE, Budget, code, marker, md, told


def problems_markdown(problems: Sequence[Problem], limit: int = COMMENT) -> str:
    """At most ``limit`` characters: a line for each problem, errors first; what does not fit is counted."""
    out = Budget(limit - RESERVE)
    failed = any(problem.severity == "error" for problem in problems)
    out.add(f"{marker('validate', '', None)}\n### {'⛔' if failed else '✅'} {md(problems_summary(problems))}\n\n")
    for finding in of_problems(problems):
        sign = "⛔" if finding.level == "error" else "⚠️"
        out.add(f"- {sign} {told(finding.message)} {code(place(finding.where))}\n")
    return "".join((*out.blocks, out.cut_words()))
