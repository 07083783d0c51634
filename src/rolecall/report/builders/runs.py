"""Report runs: what an apply did and what to do next, past runs, and manual steps that are reported done."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rolecall.codec.evidence import encode_finding
from rolecall.model.evidence import NO_FINDINGS, Finding, Findings
from rolecall.model.paste import shell_word
from rolecall.model.run import Approval, Run, RunOutcome, RunReport, Step, StepState
from rolecall.report.builders.confirmations import STATES, finding_words
from rolecall.report.document import Document, Listing, NextStep, Note, Row, Tone
from rolecall.report.line import Line, Style, line
from rolecall.report.phrases import cells, count, listed, visible

_BAD: tuple[StepState, ...] = ("failed", "moved", "refused", "unknown")
_WORDS: dict[StepState, str] = {
    "failed": "failed",
    "moved": "changed by someone else",
    "refused": "refused",
    "unknown": "with an unknown result",
    "not_done": "not done",
    "not_tried": "not tried",
    "open": "unresolved",
}
_MOST = 20


def run_document(report: RunReport, env: str | None = None) -> Document:
    """Return the end of an apply: what is done and what is not, what that means for users now, and what to do next."""
    lines = tuple(_run_rows(report))
    return Document("run", listings=(Listing(lines),), next_steps=tuple(_next_steps(report, env)))


def _run_rows(report: RunReport) -> Iterator[Row]:
    yield from (_sentence(visible(note), "dim") for note in report.notes)
    if report.run is None:
        yield from [] if report.notes else [_sentence("Nothing to do.", "strong")]
        return
    run = report.run
    yield _sentence(_result(run), "ok" if run.outcome in ("done", "nothing") else "error")
    if report.meanwhile:
        yield _sentence(f"Right now: {visible(report.meanwhile)}", "warn")
    yield from _step_rows([step for step in run.steps if step.state in _BAD])
    if run.human:
        yield _sentence(f"{_manual_words(run.human)}:", "warn")
        yield from _step_rows(run.human)
    if report.waiting:
        are = "is" if len(report.waiting) == 1 else "are"
        yield _sentence(f"{count(len(report.waiting), 'change')} {are} pending in the IdP.", "dim")


def _sentence(text: str, tone: Tone) -> Row:
    return Row((Note(text, tone),))


def _result(run: Run) -> str:
    if run.outcome == "nothing":
        return f"Nothing to do (run {run.id})."
    steps = [step for step in run.steps if step.state != "human"]
    counts = Counter(step.state for step in steps)
    done = counts.pop("done", 0) + counts.pop("attested", 0)
    if not steps:
        return f"rolecall wrote nothing: all changes are manual steps (run {run.id})."
    if done == len(steps):
        return f"Done: {count(done, 'step')} (run {run.id})."
    undone = [
        f"{number:,} {_WORDS[state]}{_common_problem(steps, state)}"
        for state, number in sorted(counts.items())
        if number
    ]
    return f"{done:,} of {count(len(steps), 'step')} done, {', '.join(undone)} (run {run.id})."


def _common_problem(steps: Sequence[Step], state: StepState) -> str:
    """Return the problem that all steps in a state have; what to do about it is with each step."""
    reasons = {step.problem.partition(". ")[0] for step in steps if step.state == state and step.problem}
    return f" ({visible(reasons.pop())})" if len(reasons) == 1 else ""


def _step_rows(steps: Sequence[Step]) -> Iterator[Row]:
    for step in steps[:_MOST]:
        state = [] if step.state == "human" else [_WORDS.get(step.state, step.state)]
        details = ": ".join([*state, *([visible(step.problem)] if step.problem else [])])
        address = Note(f"{step.label:>4}  {step.action} {visible(step.address)}", "strong")
        yield Row((address, Note(details)) if details else (address,))
    if len(steps) > _MOST:
        yield Row((Note(f"{len(steps) - _MOST:,} more", "dim"),), depth=3)


def _next_steps(report: RunReport, env: str | None) -> Iterator[NextStep]:
    run = report.run
    if run is None:
        return
    at = f" -e {shell_word(env)}" if env else ""
    if run.human:
        first = run.human[0].label
        yield NextStep("For instructions for the manual steps", command=f"rolecall runbook {run.id}")
        yield NextStep("When one is done", command=f"rolecall done {run.id} {first}")
    if run.outcome in ("incomplete", "interrupted", "open"):
        yield NextStep("To continue", command=f"rolecall apply{at}")
        yield NextStep("To undo this run", command=f"rolecall rollback {run.id}")
        yield NextStep("For details", command=f"rolecall show {run.id}")


_READ: Mapping[bool | None, tuple[str, Style]] = {
    True: ("Verified: the org has this value.", "ok"),
    False: ("Not verified: the org has another value.", "warn"),
    None: ("Not verified: the org could not be read.", "warn"),
}


_WRITTEN: Mapping[bool | None, tuple[str, Style]] = {
    True: ("Reported done; rolecall cannot read this org to verify it.", "ok"),
    False: ("This is not the value in the step, so the next plan asks for it again.", "warn"),
    None: ("This section was never read completely. To read it: rolecall observe", "warn"),
}


def attested_lines(
    run: Run,
    steps: Sequence[Step],
    *,
    confirmed: bool | None,
    changed: str | None = None,
    finding: Finding | None = None,
) -> Iterator[Line]:
    """Yield steps that were reported done, and whether the org has their values, which is the same for all of them.

    ``changed`` is the updated file of an observed org. ``finding`` is what the audit log shows of all of them.
    """
    for step in steps[:_MOST]:
        yield line(f"Recorded: step {step.label} of run {run.id}, {step.action} {visible(step.address)}.", "bold")
    if len(steps) > _MOST:
        yield line(f"and {len(steps) - _MOST:,} more", "dim", indent=2)
    if changed is not None:
        yield line(f"Updated {visible(changed)}. Commit it.")
    text, style = _WRITTEN[confirmed] if changed is not None else _READ[confirmed]
    proven = finding is not None and finding.status == "confirmed"
    if not (proven and changed is not None and confirmed):
        yield line(text, style)
    if finding is not None:
        finding_text = finding_words(finding, max((step.at for step in steps if step.at), default=None))
        yield line(f"{finding_text[0].upper()}{finding_text[1:]}.", "ok" if proven else "dim")


def recorded_for(by: str) -> Line:
    """Return who is recorded as the user who did the steps, where no one was named."""
    return line(f"Recorded as done by {visible(by)}. To record another user: --by EMAIL", "dim")


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
    return listed((step.label for step in run.human), _MOST)


_OUTCOMES: dict[RunOutcome, Tone] = {
    "open": "error",
    "done": "ok",
    "nothing": "dim",
    "incomplete": "error",
    "interrupted": "warn",
}
_STATE_WORDS: dict[StepState, str] = {**_WORDS, "attested": "reported done", "human": "manual step"}
"""States of steps in text; JSON has their names."""
_STATES: dict[str, Tone] = {"done": "ok", "attested": "ok", "human": "warn", "not_tried": "dim"}


def history_document(runs: Sequence[Run]) -> Document:
    """Return a row for each run, newest first."""
    lines = tuple(map(_history_row, runs)) or (_sentence("No runs yet.", "dim"),)
    return Document("history", listings=(Listing(lines, (5, 16, 8, 11)),))


def _history_row(run: Run) -> Row:
    who = " · ".join(visible(part) for part in (run.facts.actor, run.facts.org_name, run.facts.env) if part)
    return Row(
        (
            Note(f"{run.id:>5}", "strong"),
            Note(_moment(run.started_at)),
            Note(run.kind),
            _outcome(run),
            Note(_progress(run)),
            Note(who),
        ),
        run.digest[:16] if run.digest else "",
    )


def _outcome(run: Run) -> Note:
    """Return the outcome of a run as a word; that of a run with open manual steps is not ``done``."""
    return Note("steps open", "warn") if _awaits_steps(run) else Note(run.outcome, _OUTCOMES[run.outcome])


def _awaits_steps(run: Run) -> bool:
    """Return whether rolecall is done with a run, but not all of its manual steps are."""
    return run.outcome == "done" and bool(run.human)


def _progress(run: Run) -> str:
    """Return how many changes are done and how many manual steps are open, or the message of a run without steps."""
    if not run.steps and run.message:
        return visible(run.message)
    done = run.count("done", "attested")
    if not run.human:
        return f"{done:,} of {count(len(run.steps), 'step')}"
    return f"{done:,} of {count(len(run.steps), 'change')} done, {len(run.human):,} open"


def recorded_run_document(run: Run, findings: Findings = NO_FINDINGS) -> Document:
    """Return everything that is recorded of one run, and what the audit log shows of its manual steps."""
    facts = [Row((Note(f"{name}:", "dim"), Note(visible(value))), depth=1) for name, value in _facts(run)]
    facts += [Row((Note(visible(run.message), "warn"),), depth=1)] if run.message else []
    wide = max((cells(visible(step.address)) for step in run.steps), default=0)
    steps = tuple(_step_row(step, findings.get((run.id, step.number))) for step in run.steps)
    listings = Listing(tuple(facts), (12,)), Listing(steps, (4, 6, wide), "Steps")
    title = f"Run {run.id}: {run.kind} of {visible(run.facts.org_name)} ({visible(run.org_id)})"
    return Document("run", title=title, listings=listings, next_steps=tuple(_manual_next(run)))


def _manual_next(run: Run) -> Iterator[NextStep]:
    """Yield what to do with the open manual steps of a recorded run."""
    if run.human:
        yield NextStep("For instructions for the manual steps", command=f"rolecall runbook {run.id}")
        yield NextStep("When all of them are done", command=f"rolecall done {run.id} all")


def _step_row(step: Step, finding: Finding | None) -> Row:
    state = Note(_STATE_WORDS.get(step.state, step.state.replace("_", " ")), _STATES.get(step.state, "error"))
    if finding is not None:
        state = Note(*STATES[finding.status])
    details = _details(step, finding)
    first = (Note(f"{step.label:>4}"), Note(step.action), Note(visible(step.address)), state)
    return Row((*first, Note(details, "dim")) if details else first)


def runs_json(runs: Iterable[Run], findings: Findings = NO_FINDINGS) -> str:
    """Return ``{"runs": [...]}``, each with everything but the plan itself."""
    return json.dumps({"runs": [run_json(run, findings) for run in runs]}, indent=2) + "\n"


def run_json(run: Run, findings: Findings = NO_FINDINGS) -> dict[str, Any]:
    """Return one run, and what the audit log shows of its manual steps. Times are RFC 3339, UTC."""
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
        "steps": [_step_json(step, findings.get((run.id, step.number))) for step in run.steps],
    }


def _step_json(step: Step, finding: Finding | None) -> dict[str, Any]:
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
        "audit": None if finding is None else encode_finding(finding),
    }


def _approval_json(approval: Approval) -> dict[str, Any]:
    return {**approval._asdict(), "at": approval.at.isoformat() if approval.at else None}


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    ended = f", ended {_moment(run.ended_at)}" if run.ended_at else ""
    yield "outcome", _progress(run) if _awaits_steps(run) else run.outcome
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
        yield "override", f"{lift.guard} up to {lift.up_to} ({lift.reason})"


def _details(step: Step, finding: Finding | None) -> str:
    shown = None if finding is None else finding_words(finding, step.at)
    parts = [step.problem, f"by {step.by}" if step.by else None, step.evidence, shown]
    return " · ".join(visible(part) for part in parts if part)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
