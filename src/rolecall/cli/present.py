"""Puts a plan before people and machines: stdout, a saved plan, report files, each with the people it may show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.cli.console import Console, stdout
from rolecall.cli.messages import tell
from rolecall.cli.options import InRepository, Invocation, in_repository
from rolecall.cli.people import redacted, shown
from rolecall.cli.sinks import render
from rolecall.plan.saved.digest import digest
from rolecall.plan.saved.privacy import Shown
from rolecall.plan.value import Plan

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.jobs.plan import Planned


class Sinks(NamedTuple):
    """Where a plan goes: stdout in one format, files in others, and the saved plan."""

    form: str = "text"
    reports: tuple[tuple[str, Path], ...] = ()
    out: Path | None = None
    people: Shown | None = None


def present(call: Invocation, config: Config, made: Planned, sinks: Sinks, promised: Sequence[Any] = ()) -> bool:
    """Write a plan to all its sinks. Answers whether a promise was broken; those are told on stderr, last."""
    from rolecall.jobs.plan import broken
    from rolecall.jobs.saved import plan_json
    from rolecall.outside.files import write_file

    plan, said = made.plan, config.reports_people
    outside = redacted(call, plan, shown(call, sinks.people, said, terminal=False), config.root)
    if sinks.out is not None:
        write_file(sinks.out, plan_json(outside))
    at = in_repository(call)
    for form, path in sinks.reports:
        write_file(path, render(outside, form, at, digest(plan)))
    out = stdout(call.environ, color=call.color)
    inside = redacted(call, plan, shown(call, sinks.people, said, terminal=out.terminal), config.root)
    show(out, inside, sinks.form, at)
    problems = broken(plan, promised)
    if problems:
        tell(problems, as_json=call.log_format == "json", color=call.color)
    return bool(problems)


def show(
    out: Console, plan: Plan, form: str = "text", at: InRepository = InRepository(), *, brief: bool = False
) -> None:
    """Print a plan that shows of people what it may; ``brief`` for somebody who has seen it."""
    if form != "text":
        out.text(render(plan, form, at, digest(plan)))
        return
    from rolecall.report.builders.plan import walk
    from rolecall.report.renderers.text import brief_lines, plan_lines

    walked = walk(plan, digest(plan))
    out.lines(lambda width: brief_lines(walked) if brief else plan_lines(walked, width))
