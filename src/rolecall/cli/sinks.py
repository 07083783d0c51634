"""The formats a plan can be written in, by name: to stdout, or to files, several at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rolecall.plan.value import Plan

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")


def report_option(value: str, formats: Sequence[str] = FORMATS) -> tuple[str, Path]:
    """``FORMAT=PATH`` of ``--report``."""
    form, equals, path = value.partition("=")
    if not equals or not path or form not in formats:
        raise click.BadParameter(f"write FORMAT=PATH, with FORMAT one of {', '.join(formats)}", param_hint="--report")
    return form, Path(path)


def render(plan: Plan, form: str, folder: str, digest: str) -> str:
    """A plan, already redacted, in one format. ``folder`` leads from the repository's root to the config's."""
    return _SINKS[form](plan, folder, digest)


def _text(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.line import plain
    from rolecall.report.text import plan_lines
    from rolecall.report.walk import walk

    return plain(plan_lines(walk(plan, digest)))


def _json(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.jobs.saved import plan_json

    return plan_json(plan)


def _markdown(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.markdown import markdown
    from rolecall.report.walk import walk

    return markdown(walk(plan, digest))


def _html(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.html import html
    from rolecall.report.walk import walk

    return html(walk(plan, digest))


def _gitlab(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.gitlab import gitlab

    return gitlab(plan)


def _csv(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.people_csv import people_csv

    return people_csv(plan)


def _junit(plan: Plan, folder: str, digest: str) -> str:
    from rolecall.report.junit import junit, plan_suites
    from rolecall.report.walk import walk

    return junit(plan_suites(walk(plan, digest)))


def _found(name: str, function: str) -> Callable[[Plan, str, str], str]:
    def sink(plan: Plan, folder: str, digest: str) -> str:
        from rolecall.report.findings import of_plan
        from rolecall.report.walk import walk

        made: str = getattr(import_module(f"rolecall.report.{name}"), function)(of_plan(walk(plan, digest)), folder)
        return made

    return sink


_SINKS: Mapping[str, Callable[[Plan, str, str], str]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "html": _html,
    "gitlab": _gitlab,
    "csv": _csv,
    "junit": _junit,
    "github": _found("github", "github_annotations"),
    "sarif": _found("sarif", "sarif"),
}
