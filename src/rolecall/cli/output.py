"""Puts a plan, or what a look for drift found, before people and machines: stdout, files of several formats.

What each of these may show of people, and the secret that masks are made with, is decided here too.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rolecall.cli.console import Console, stdout
from rolecall.cli.messages import tell
from rolecall.cli.options import InRepository, Invocation, in_repository
from rolecall.errors import ConfigError, Problem, Where

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.drift.value import DriftReport
    from rolecall.jobs.plan import Planned
    from rolecall.plan.saved.privacy import Shown
    from rolecall.plan.value import Plan

FORMATS = ("text", "json", "markdown", "html", "github", "gitlab", "junit", "sarif", "csv")


def report_option(value: str, formats: Sequence[str] = FORMATS) -> tuple[str, Path]:
    """``FORMAT=PATH`` of ``--report``."""
    form, equals, path = value.partition("=")
    if not equals or not path or form not in formats:
        raise click.BadParameter(f"write FORMAT=PATH, with FORMAT one of {', '.join(formats)}", param_hint="--report")
    return form, Path(path)


def render_plan(plan: Plan, form: str, at: InRepository, plan_digest: str) -> str:
    """Return a plan, already redacted, in one format. ``at`` is where its config is in the repository."""
    if form == "json":
        from rolecall.jobs.saved import plan_json

        return plan_json(plan)
    from rolecall.report.builders.plan import plan_document
    from rolecall.report.renderers import render_document

    return render_document(plan_document(plan, plan_digest), form, at.folder, at.main)


class Sinks(NamedTuple):
    """Where a plan goes: stdout in one format, files in others, and the saved plan."""

    form: str = "text"
    reports: tuple[tuple[str, Path], ...] = ()
    out: Path | None = None
    people: Shown | None = None


def present(call: Invocation, config: Config, planned: Planned, sinks: Sinks, promised: Sequence[Any] = ()) -> bool:
    """Write a plan to all its sinks. Answers whether a promise was broken; those are told on stderr, last."""
    from rolecall.jobs.plan import broken
    from rolecall.jobs.saved import plan_json
    from rolecall.outside.files import write_file
    from rolecall.plan.saved.digest import digest

    plan, configured = planned.plan, config.reports_people
    outside = redacted(call, plan, shown(call, sinks.people, configured, terminal=False), config.root)
    if sinks.out is not None:
        write_file(sinks.out, plan_json(outside))
    at = in_repository(call)
    for form, path in sinks.reports:
        write_file(path, render_plan(outside, form, at, digest(plan)))
    out = stdout(call.environ, color=call.color)
    inside = redacted(call, plan, shown(call, sinks.people, configured, terminal=out.terminal), config.root)
    show_plan(out, inside, sinks.form, at, verbose=call.verbosity > 0)
    problems = broken(plan, promised)
    if problems:
        tell(problems, as_json=call.log_format == "json", color=call.color)
    return bool(problems)


def show_plan(
    out: Console,
    plan: Plan,
    form: str = "text",
    at: InRepository = InRepository(),
    *,
    brief: bool = False,
    verbose: bool = False,
) -> None:
    """Print a plan that shows of users what it may: ``brief`` only its summary, ``verbose`` with details."""
    from rolecall.plan.saved.digest import digest

    if form != "text":
        out.text(render_plan(plan, form, at, digest(plan)))
        return
    from rolecall.report.builders.plan import plan_document
    from rolecall.report.renderers.text import brief_lines, document_lines

    document = plan_document(plan, digest(plan))
    out.lines(lambda width: brief_lines(document) if brief else document_lines(document, width, verbose=verbose))


def show_drift(call: Invocation, config: Config, report: DriftReport, form: str, people: Shown | None) -> None:
    """Print it in one format."""
    from rolecall.report.builders.drift import drift_document

    out = stdout(call.environ, color=call.color)
    mode = shown(call, people, config.reports_people, terminal=out.terminal)
    redacted_report = redacted_drift(call, config, report, mode)
    if form != "text":
        out.text(render_drift(redacted_report, form, in_repository(call)))
        return
    from rolecall.report.renderers.text import document_lines

    document = drift_document(redacted_report)
    out.lines(lambda width: document_lines(document, width))


def write_drift_reports(
    call: Invocation, config: Config, report: DriftReport, reports: Sequence[tuple[str, Path]], people: Shown | None
) -> None:
    """Write it to files, each in its format."""
    from rolecall.outside.files import write_file

    if reports:
        redacted_report = redacted_drift(
            call, config, report, shown(call, people, config.reports_people, terminal=False)
        )
        at = in_repository(call)
        for form, path in reports:
            write_file(path, render_drift(redacted_report, form, at))


def redacted_drift(call: Invocation, config: Config, report: DriftReport, mode: Shown) -> DriftReport:
    """What a sink may show of it."""
    from rolecall.drift.privacy import redact_found

    return redact_found(report, mode, mask_key(call, config.root) if mode == "masked" else b"")


def render_drift(report: DriftReport, form: str, at: InRepository) -> str:
    """Return what was found, already redacted, in one format. ``at`` is where its config is in the repository."""
    if form == "json":
        import json

        from rolecall.drift.encode import encode_found

        return json.dumps(encode_found(report), ensure_ascii=False, indent=1) + "\n"
    from rolecall.report.builders.drift import drift_document
    from rolecall.report.renderers import render_document

    return render_document(drift_document(report), form, at.folder, at.main)


STATE = ".rolecall"
_KEY_BYTES = 32


def shown(call: Invocation, flag: Shown | None, config_says: Shown | None, *, terminal: bool) -> Shown:
    """``--people`` decides; else counts in a pipeline unless the config says otherwise; else names.

    What the config says is for reports outside a terminal.
    """
    if flag is not None:
        return flag
    if call.ci:
        return config_says or "counts"
    return "names" if terminal else config_says or "names"


def redacted(call: Invocation, plan: Plan, mode: Shown, root: Path) -> Plan:
    """The plan as a sink may show it."""
    from rolecall.plan.saved.privacy import redact

    return redact(plan, mode, mask_key(call, root) if mode == "masked" else b"")


def mask_key(call: Invocation, root: Path) -> bytes:
    """The key of masks: ``ROLECALL_MASK_KEY``, or a file of this machine's own, made when first needed."""
    if set_key := call.environ.get("ROLECALL_MASK_KEY"):
        return set_key.encode("utf-8", "surrogateescape")
    path = root / STATE / "mask.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        hint = "delete it; a new one is made, and masks change"
        raise ConfigError(Problem("mask_key", "is too short to hide anybody", Where(str(path)), hint))
    return key


def _make_key(path: Path) -> None:
    """Whole or not at all: whoever looks meanwhile must not take half a key, or none, for one."""
    import secrets

    path.parent.mkdir(parents=True, exist_ok=True)
    new_file = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    try:
        os.link(new_file, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        new_file.replace(path)
    new_file.unlink(missing_ok=True)
