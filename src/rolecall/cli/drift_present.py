"""Puts what a look for drift found before people and machines, with the people it may show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rolecall.cli.console import stdout
from rolecall.cli.options import InRepository, Invocation, in_repository
from rolecall.cli.people import mask_key, shown
from rolecall.desired import Config
from rolecall.drift.privacy import redact_found
from rolecall.drift.value import DriftReport
from rolecall.plan.saved.privacy import Shown
from rolecall.report.builders.drift import drift_walk


def show_found(call: Invocation, config: Config, found: DriftReport, form: str, people: Shown | None) -> None:
    """Print it in one format."""
    out = stdout(call.environ, color=call.color)
    mode = shown(call, people, config.reports_people, terminal=out.terminal)
    told = redacted_found(call, config, found, mode)
    if form != "text":
        out.text(render(told, form, in_repository(call)))
        return
    from rolecall.report.renderers.drift_text import drift_lines

    walked = drift_walk(told)
    out.lines(lambda width: drift_lines(walked, width))


def write_reports(
    call: Invocation, config: Config, found: DriftReport, reports: Sequence[tuple[str, Path]], people: Shown | None
) -> None:
    """Write it to files, each in its format."""
    from rolecall.outside.files import write_file

    if reports:
        told = redacted_found(call, config, found, shown(call, people, config.reports_people, terminal=False))
        at = in_repository(call)
        for form, path in reports:
            write_file(path, render(told, form, at))


def redacted_found(call: Invocation, config: Config, found: DriftReport, mode: Shown) -> DriftReport:
    """What a sink may show of it."""
    return redact_found(found, mode, mask_key(call, config.root) if mode == "masked" else b"")


def render(found: DriftReport, form: str, at: InRepository) -> str:
    """Return what was found, already redacted, in one format. ``at`` is where its config is in the repository."""
    if form == "json":
        import json

        from rolecall.drift.encode import encode_found

        return json.dumps(encode_found(found), ensure_ascii=False, indent=1) + "\n"
    walked = drift_walk(found)
    if form == "text":
        from rolecall.report.line import plain
        from rolecall.report.renderers.drift_text import drift_lines

        return plain(drift_lines(walked))
    if form == "markdown":
        from rolecall.report.renderers.drift_markdown import drift_markdown

        return drift_markdown(walked)
    if form == "html":
        from rolecall.report.renderers.drift_html import drift_html

        return drift_html(walked)
    from rolecall.report.drift_findings import drift_csv, drift_findings, drift_gitlab, drift_suites

    if form == "csv":
        return drift_csv(found)
    if form == "gitlab":
        return drift_gitlab(walked)
    if form == "junit":
        from rolecall.report.renderers.junit import junit

        return junit(drift_suites(walked))
    if form == "github":
        from rolecall.report.renderers.github import github_annotations

        return github_annotations(drift_findings(walked), at.folder)
    from rolecall.report.renderers.sarif import sarif

    return sarif(drift_findings(walked), at.folder, at.main)
