"""Runs: what an apply did and what to do next, past runs, and a manual step that was recorded."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rolecall.model.paste import shell_word
from rolecall.model.run import Approval, Run, RunOutcome, RunReport, Step, StepState
from rolecall.report.line import Line, Span, Spans, Style, line
from rolecall.report.phrases import cells, count, visible

_BAD: tuple[StepState, ...] = ("failed", "moved", "refused", "unknown")
_WORDS: dict[StepState, str] = {
    "failed": "failed",
    "moved": "moved by somebody else",
    "refused": "refused",
    "unknown": "unknown",
    "not_done": "not done",
    "not_tried": "not tried",
    "open": "not settled",
}
_MOST = 20


def run_lines(report: RunReport, env: str | None = None) -> Iterator[Line]:
    """The end of an apply: what is done and what is not, who is in between, and how to go on or back."""
    if report.run is None:
        yield line("Nothing to do.", "bold")
        return
    run = report.run
    yield from (line(visible(note), "dim") for note in report.notes)
    yield line(_result(run), _result_style(run))
    if report.meanwhile:
        yield line(f"Right now: {visible(report.meanwhile)}", "warn")
    yield from _step_lines([step for step in run.steps if step.state in _BAD])
    if run.human:
        yield line(f"{_manual_words(run.human)}:", "warn")
        yield from _step_lines(run.human)
        yield line(f"Do them: rolecall runbook {run.id}", "dim", indent=2)
        yield line(f"Report one done: rolecall done {run.id} {run.human[0].label}", "dim", indent=2)
    if report.waiting:
        verb = "waits" if len(report.waiting) == 1 else "wait"
        yield line(f"{count(len(report.waiting), 'change')} still {verb} for the IdP.", "dim")
    if run.outcome in ("incomplete", "interrupted", "open"):
        yield _next(run, env)


def _result(run: Run) -> str:
    if run.outcome == "nothing":
        return f"Nothing to do (run {run.id})."
    steps = [step for step in run.steps if step.state != "human"]
    counts = Counter(step.state for step in steps)
    done = counts.pop("done", 0) + counts.pop("attested", 0)
    if not steps:
        return f"Nothing that rolecall could write (run {run.id})."
    if done == len(steps):
        return f"Done: {count(done, 'step')} (run {run.id})."
    undone = [
        f"{number:,} {_WORDS[state]}{_common_problem(steps, state)}"
        for state, number in sorted(counts.items())
        if number
    ]
    return f"{done:,} of {count(len(steps), 'step')} done, {', '.join(undone)} (run {run.id})."


def _common_problem(steps: Sequence[Step], state: StepState) -> str:
    """What all of them say; the advice that comes after it stands with each step."""
    reasons = {step.problem.partition(". ")[0] for step in steps if step.state == state and step.problem}
    return f" ({visible(reasons.pop())})" if len(reasons) == 1 else ""


def _result_style(run: Run) -> Style:
    return "ok" if run.outcome in ("done", "nothing") else "error"


def _step_lines(steps: Sequence[Step]) -> Iterator[Line]:
    for step in steps[:_MOST]:
        problem = f": {visible(step.problem)}" if step.problem else ""
        state = "" if step.state == "human" else f" {_WORDS.get(step.state, step.state)}"
        where = Span(f"{step.label:>4}  {step.action} {visible(step.address)}", "bold")
        yield Line((where, Span(f"{state}{problem}")), hang=8)
    if len(steps) > _MOST:
        yield line(f"and {len(steps) - _MOST:,} more", "dim", indent=6)


def _next(run: Run, env: str | None) -> Line:
    at = f" -e {shell_word(env)}" if env else ""
    ways = f"Go on: rolecall apply{at} · Go back: rolecall rollback {run.id} · Details: rolecall show {run.id}"
    return line(ways, hang=2)


_READ: Mapping[bool | None, tuple[str, Style]] = {
    True: ("The org shows it.", "ok"),
    False: ("The org does not show it: what was read there is something else.", "warn"),
    None: ("It could not be read, so nobody can tell whether the org shows it.", "warn"),
}


_WRITTEN: Mapping[bool | None, tuple[str, Style]] = {
    True: ("That is what the step asks for, on your word: nobody can look at the org from here.", "ok"),
    False: ("That is not what the step asks for: the next plan asks for it again.", "warn"),
    None: ("The section was never read whole: run `rolecall observe`.", "warn"),
}


def attested_lines(
    run: Run, steps: Sequence[Step], *, confirmed: bool | None, changed: str | None = None
) -> Iterator[Line]:
    """Steps that were reported done, and whether the org shows them, which is the same for all of them.

    ``changed`` is the file that stands for an observed org and that says so now.
    """
    for step in steps[:_MOST]:
        yield line(f"Recorded: step {step.label} of run {run.id}, {step.action} {visible(step.address)}.", "bold")
    if len(steps) > _MOST:
        yield line(f"and {len(steps) - _MOST:,} more", "dim", indent=2)
    if changed is not None:
        yield line(f"{visible(changed)} says so now: commit it.")
    text, style = _WRITTEN[confirmed] if changed is not None else _READ[confirmed]
    yield line(text, style)


def manual_steps_left(run: Run) -> Line:
    """Return which manual steps of a run are not reported done."""
    if run.human:
        return line(f"{_manual_words(run.human)} left: {_numbers(run)}.")
    return line("No manual step of the run is left.")


def _manual_words(steps: Sequence[Step]) -> str:
    """Return ``1 manual step``, or ``2 manual steps with 5 changes`` if some of them have items."""
    visits = len({step.place[0] for step in steps})
    changes = f" with {count(len(steps), 'change')}" if len(steps) > visits else ""
    return f"{count(visits, 'manual step')}{changes}"


def _numbers(run: Run) -> str:
    more = ", …" if len(run.human) > _MOST else ""
    return ", ".join(step.label for step in run.human[:_MOST]) + more


_STYLES: dict[RunOutcome, Style] = {
    "open": "error",
    "done": "ok",
    "nothing": "dim",
    "incomplete": "error",
    "interrupted": "warn",
}
_STEP_STYLES: dict[str, Style] = {"done": "ok", "attested": "ok", "human": "warn", "not_tried": "dim"}


def runs_lines(runs: Sequence[Run]) -> Iterator[Line]:
    """One line a run, newest first."""
    if not runs:
        yield line("No runs yet.", "dim")
    for run in runs:
        who = " · ".join(visible(part) for part in (run.facts.actor, run.facts.org_name, run.facts.env) if part)
        spans: Spans = (
            Span(f"{run.id:>5}  ", "bold"),
            Span(f"{_moment(run.started_at)}  {run.kind:<8}  "),
            Span(f"{run.outcome:<11}", _STYLES[run.outcome]),
            Span(f"  {_progress(run)}  {who}"),
        )
        yield Line(spans, hang=7, tail=(Span(run.digest[:16], "dim"),) if run.digest else ())


def _progress(run: Run) -> str:
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
        head = Span(f"{step.label:>4}  {step.action:<8}{visible(step.address)}{pad}")
        yield Line((head, Span(step.state, _STEP_STYLES.get(step.state, "error")), Span(_because(step), "dim")), hang=8)


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
        "step": step.label,
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
    parts = [step.problem, f"by {step.by}" if step.by else None, step.evidence]
    text = " · ".join(visible(part) for part in parts if part)
    return f"  {text}" if text else ""


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
