"""Past runs: a list, one in full, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from rolecall.model.run import Approval, Run, RunOutcome, Step
from rolecall.report.line import Line, Span, Spans, Style, line
from rolecall.report.phrases import cells, count, visible

_STYLES: dict[RunOutcome, Style] = {
    "open": "error",
    "done": "ok",
    "nothing": "dim",
    "incomplete": "error",
    "interrupted": "warn",
}
_STEP: dict[str, Style] = {"done": "ok", "attested": "ok", "human": "warn", "not_tried": "dim"}


def runs_lines(runs: Sequence[Run]) -> Iterator[Line]:
    """One line a run, newest first."""
    if not runs:
        yield line("No runs yet.", "dim")
    for run in runs:
        who = " · ".join(visible(part) for part in (run.facts.actor, run.facts.org_name, run.facts.env) if part)
        told: Spans = (
            Span(f"{run.id:>5}  ", "bold"),
            Span(f"{_moment(run.started_at)}  {run.kind:<8}  "),
            Span(f"{run.outcome:<11}", _STYLES[run.outcome]),
            Span(f"  {_what(run)}  {who}"),
        )
        yield Line(told, hang=7, tail=(Span(run.digest[:16], "dim"),) if run.digest else ())


def _what(run: Run) -> str:
    """What came of it: steps, or what a run without any has to say."""
    if not run.steps and run.message:
        return visible(run.message)
    steps = [step for step in run.steps if step.state != "human"]
    done = sum(step.state in ("done", "attested") for step in steps)
    return f"{done:,} of {count(len(steps), 'step')}"


def run_in_full(run: Run) -> Iterator[Line]:
    """Everything that is remembered of one run."""
    yield line(f"Run {run.id}: {run.kind} of {visible(run.facts.org_name)} ({visible(run.org_id)})", "head")
    for name, value in _facts(run):
        yield Line((Span(f"{name + ':':<14}", "dim"), Span(visible(value))), indent=2, hang=16)
    if run.message:
        yield line(visible(run.message), "warn", indent=2, hang=2)
    yield line()
    wide = max((cells(visible(step.address)) for step in run.steps), default=0)
    for step in run.steps:
        pad = " " * (wide - cells(visible(step.address)) + 2)
        head = Span(f"{step.number:>4}  {step.action:<8}{visible(step.address)}{pad}")
        yield Line((head, Span(step.state, _STEP.get(step.state, "error")), Span(_because(step), "dim")), hang=8)


def runs_json(runs: Iterable[Run]) -> str:
    """``{"runs": [...]}``, each with everything but the plan itself."""
    return json.dumps({"runs": [run_json(run) for run in runs]}, indent=2) + "\n"


def run_json(run: Run) -> dict[str, Any]:
    """One run. Times are RFC 3339, UTC."""
    return {
        "id": run.id,
        "org_id": run.org_id,
        "kind": run.kind,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "outcome": run.outcome,
        "digest": run.digest,
        "message": run.message,
        "hash": run.hash,
        "facts": run.facts._asdict(),
        "lifts": [
            {"guard": lift.guard, "for": lift.target, "up_to": lift.up_to, "reason": lift.reason} for lift in run.lifts
        ],
        "approvals": [_approval_json(approval) for approval in run.approvals],
        "steps": [_step_json(step) for step in run.steps],
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "number": step.number,
        "address": step.address,
        "action": step.action,
        "via": step.via,
        "state": step.state,
        "problem": step.problem,
        "by": step.by,
        "evidence": step.evidence,
        "at": step.at.isoformat() if step.at else None,
    }


def _approval_json(approval: Approval) -> dict[str, Any]:
    return {**approval._asdict(), "at": approval.at.isoformat() if approval.at else None}


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    ended = f", ended {_moment(run.ended_at)}" if run.ended_at else ""
    yield "outcome", run.outcome
    yield "started", f"{_moment(run.started_at)}{ended} UTC"
    for name in ("env", "actor", "caller", "host", "commit", "branch", "remote", "pull_request", "ci_run", "config"):
        if value := getattr(run.facts, name):
            yield name, str(value)
    if run.digest:
        yield "digest", run.digest
    for approval in run.approvals:
        source = f", {approval.source}" if approval.source else ""
        yield "approved by", f"{approval.by}{source}{f', {approval.url}' if approval.url else ''}"
    for lift in run.lifts:
        yield "lifted", f"{lift.guard} up to {lift.up_to} ({lift.reason})"


def _because(step: Step) -> str:
    said = [step.problem, f"by {step.by}" if step.by else None, step.evidence]
    told = " · ".join(visible(text) for text in said if text)
    return f"  {told}" if told else ""


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
