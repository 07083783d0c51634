"""The formats a plan can be written in, by name: to stdout, or to files, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rolecall.cli.options import InRepository

if TYPE_CHECKING:
    from rolecall.plan.value import Plan

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")


def report_option(value: str, formats: Sequence[str] = FORMATS) -> tuple[str, Path]:
    """``FORMAT=PATH`` of ``--report``."""
    form, equals, path = value.partition("=")
    if not equals or not path or form not in formats:
        raise click.BadParameter(f"write FORMAT=PATH, with FORMAT one of {', '.join(formats)}", param_hint="--report")
    return form, Path(path)


def render(plan: Plan, form: str, at: InRepository, digest: str) -> str:
    """Return a plan, already redacted, in one format. ``at`` is where its config is in the repository."""
    return _SINKS[form](plan, at, digest)


def _text(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.line import plain
    from rolecall.report.renderers.text import plan_lines

    return plain(plan_lines(walk(plan, digest)))


def _json(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.jobs.saved import plan_json

    return plan_json(plan)


def _markdown(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.renderers.markdown import markdown

    return markdown(walk(plan, digest))


def _html(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.html import html

    return html(walk(plan, digest))


def _gitlab(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.renderers.gitlab import gitlab

    return gitlab(plan)


def _csv(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.people_csv import people_csv

    return people_csv(plan)


def _junit(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.renderers.junit import junit, plan_suites

    return junit(plan_suites(walk(plan, digest)))


def _github(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.findings import of_plan
    from rolecall.report.renderers.github import github_annotations

    return github_annotations(of_plan(walk(plan, digest)), at.folder)


def _sarif(plan: Plan, at: InRepository, digest: str) -> str:
    from rolecall.report.builders.plan import walk
    from rolecall.report.findings import of_plan
    from rolecall.report.renderers.sarif import sarif

    return sarif(of_plan(walk(plan, digest)), at.folder, at.main)


_SINKS: Mapping[str, Callable[[Plan, InRepository, str], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "gitlab": _gitlab,
    "csv": _csv,
    "junit": _junit,
    "github": _github,
    "sarif": _sarif,
}
