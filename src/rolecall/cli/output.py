"""Write plans and drift reports to stdout and files, in several formats.

This also decides how users are shown in each of them, and keeps the secret for masking.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rolecall.cli.console import Console, stdout
from rolecall.cli.messages import remark, tell
from rolecall.cli.options import InRepository, Invocation, in_repository
from rolecall.errors import ConfigError, Problem, Where

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.drift.value import DriftReport
    from rolecall.jobs.plan import Planned
    from rolecall.plan.saved.privacy import Shown
    from rolecall.plan.value import Plan


def render_plan(plan: Plan, form: str, at: InRepository, plan_digest: str, saved: str = "") -> str:
    """Return a plan, already redacted, in one format. ``at`` is where its config is in the repository, ``saved`` the
    file that the plan is in."""
    if form == "json":
        from rolecall.jobs.saved import plan_json

        return plan_json(plan)
    from rolecall.report.builders.plan import plan_document
    from rolecall.report.renderers import render_document

    return render_document(plan_document(plan, plan_digest, saved), form, at.folder, at.main)


class Sinks(NamedTuple):
    """The places that a plan is written to: stdout in one format, files in others, and the file of the saved plan."""

    form: str = "text"
    reports: tuple[tuple[str, Path], ...] = ()
    out: Path | None = None
    people: Shown | None = None


def present(call: Invocation, config: Config, planned: Planned, sinks: Sinks, promised: Sequence[Any] = ()) -> bool:
    """Write a plan to all its sinks; return whether an assertion does not hold. Those are reported on stderr, last."""
    from rolecall.jobs.assertions import broken
    from rolecall.jobs.saved import plan_json
    from rolecall.outside.files import write_file
    from rolecall.plan.saved.digest import digest
    from rolecall.report.builders.next_steps import from_a_file

    plan, configured = planned.plan, config.reports_people
    outside = redacted(call, plan, shown(call, sinks.people, configured, terminal=False), config.root)
    if sinks.out is not None:
        write_file(sinks.out, plan_json(outside))
    at, saved, key = in_repository(call), "" if sinks.out is None else str(sinks.out), digest(plan)
    reported = saved if from_a_file(plan) else ""
    for form, path in sinks.reports:
        write_file(path, render_plan(outside, form, at, key, reported))
    out = stdout(call.environ, color=call.color)
    inside = redacted(call, plan, shown(call, sinks.people, configured, terminal=out.terminal), config.root)
    text = sinks.form == "text"
    show_plan(out, inside, sinks.form, at, verbose=call.verbosity > 0, saved=saved if text else reported, key=key)
    if sinks.out is not None:
        report_saved(call, out, plan, sinks.out, text=text, shown=True)
    problems = broken(plan, promised)
    if problems:
        tell(problems, as_json=call.log_format == "json", color=call.color)
    return bool(problems)


def report_saved(call: Invocation, out: Console, plan: Plan, path: Path, *, text: bool, shown: bool = False) -> None:
    """Say where a plan was saved and how to apply it: on stdout if that has text, else on stderr.

    ``shown``: the plan is above, with the command that applies the file.
    """
    from rolecall.model.paste import shell_word
    from rolecall.plan.commands import env_flag
    from rolecall.plan.saved.digest import digest, short
    from rolecall.plan.saved.summary import needs_approval
    from rolecall.report.builders.next_steps import apply_command
    from rolecall.report.line import line

    saved = f"Saved the plan to {path}."
    key = digest(plan)
    can_apply = needs_approval(plan) and bool(apply_command(plan, key))
    command = f"rolecall apply{env_flag(plan.org)} {shell_word(str(path))} --approve {short(key)}"
    next_step = f"To apply exactly this plan: {command}" if can_apply else ""
    if text:
        more = next_step and not shown
        out.lines([line(saved, "ok"), *([line(next_step)] if more else [])])
    elif call.verbosity >= 0:
        remark("plan_saved", f"{saved} {next_step}".rstrip(), as_json=call.log_format == "json")


def show_plan(
    out: Console,
    plan: Plan,
    form: str = "text",
    at: InRepository = InRepository(),
    *,
    brief: bool = False,
    verbose: bool = False,
    saved: str = "",
    applies: bool = False,
    key: str = "",
) -> None:
    """Print a plan that shows of users what it may: ``brief`` only its summary, ``verbose`` with details. ``saved`` is
    the file that it is in. ``applies``: it is applied next, so how to apply it is left out. ``key`` is its digest,
    computed if it is missing."""
    from rolecall.plan.saved.digest import digest

    key = key or digest(plan)
    if form != "text":
        out.text(render_plan(plan, form, at, key, saved))
        return
    from rolecall.report.builders.plan import plan_document
    from rolecall.report.renderers.text import brief_lines, document_lines

    document = plan_document(plan, key, saved)
    if applies:
        document = replace(document, next_steps=())
    out.lines(lambda width: brief_lines(document) if brief else document_lines(document, width, verbose=verbose))


def show_drift(
    call: Invocation, config: Config, report: DriftReport, form: str, people: Shown | None, *, reverts: bool = False
) -> None:
    """Write a drift report to stdout in one format. ``reverts``: the plan that reverts it is saved next."""
    from rolecall.report.builders.drift import drift_document

    out = stdout(call.environ, color=call.color)
    mode = shown(call, people, config.reports_people, terminal=out.terminal)
    redacted_report = redacted_drift(call, config, report, mode)
    if form != "text":
        out.text(render_drift(redacted_report, form, in_repository(call)))
        return
    from rolecall.report.renderers.text import document_lines

    document = drift_document(redacted_report, reverts=reverts)
    out.lines(lambda width: document_lines(document, width))


def write_drift_reports(
    call: Invocation, config: Config, report: DriftReport, reports: Sequence[tuple[str, Path]], people: Shown | None
) -> None:
    """Write a drift report to files, each in its format."""
    from rolecall.outside.files import write_file

    if reports:
        redacted_report = redacted_drift(
            call, config, report, shown(call, people, config.reports_people, terminal=False)
        )
        at = in_repository(call)
        for form, path in reports:
            write_file(path, render_drift(redacted_report, form, at))


def redacted_drift(call: Invocation, config: Config, report: DriftReport, mode: Shown) -> DriftReport:
    """Return a drift report with users shown as ``mode`` says."""
    from rolecall.drift.privacy import redact_report

    return redact_report(report, mode, mask_key(call, config.root) if mode == "masked" else b"")


def render_drift(report: DriftReport, form: str, at: InRepository) -> str:
    """Return a drift report, already redacted, in one format. ``at`` is where its config is in the repository."""
    if form == "json":
        import json

        from rolecall.drift.encode import encode_report

        return json.dumps(encode_report(report), ensure_ascii=False, indent=1) + "\n"
    from rolecall.report.builders.drift import drift_document
    from rolecall.report.renderers import render_document

    return render_document(drift_document(report), form, at.folder, at.main)


STATE = ".rolecall"
_KEY_BYTES = 32


def shown(call: Invocation, flag: Shown | None, config_says: Shown | None, *, terminal: bool) -> Shown:
    """Return how users are shown: as ``--people`` says, else in CI as the config says or as counts, else as names.

    Outside of CI the config decides for files and pipes only, not for a terminal.
    """
    if flag is not None:
        return flag
    if call.ci:
        return config_says or "counts"
    return "names" if terminal else config_says or "names"


def redacted(call: Invocation, plan: Plan, mode: Shown, root: Path) -> Plan:
    """Return a plan with users shown as ``mode`` says."""
    from rolecall.plan.saved.privacy import redact

    return redact(plan, mode, mask_key(call, root) if mode == "masked" else b"")


def mask_key(call: Invocation, root: Path) -> bytes:
    """Return the key for masking users: ``ROLECALL_MASK_KEY``, or a file on this machine, created when first needed."""
    if set_key := call.environ.get("ROLECALL_MASK_KEY"):
        return set_key.encode("utf-8", "surrogateescape")
    path = root / STATE / "mask.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        hint = "delete this file; rolecall then creates a new key, and the alias of every user changes"
        message = "the key in this file is too short to mask users"
        raise ConfigError(Problem("mask_key", message, Where(str(path)), hint))
    return key


def _make_key(path: Path) -> None:
    """Create the key file atomically, so that another process never reads a part of it."""
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
