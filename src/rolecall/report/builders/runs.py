"""What a run did, as lines: what was done first, what to do next last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rolecall.model.paste import shell_word
from rolecall.model.run import Run, RunReport, Step, StepState
from rolecall.report.line import Line, Span, Style, line
from rolecall.report.phrases import count, visible

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
    yield line(_headline(run), _style(run))
    if report.meanwhile:
        yield line(f"Right now: {visible(report.meanwhile)}", "warn")
    yield from _steps([step for step in run.steps if step.state in _BAD])
    if run.human:
        yield line(f"{count(len(run.human), 'step')} for a person to take:", "warn")
        yield from _steps(run.human)
        yield line(f"When one is done: rolecall done {run.id} {run.human[0].number}", "dim", indent=2)
    if report.waiting:
        one = len(report.waiting) == 1
        yield line(f"{count(len(report.waiting), 'change')} still {'waits' if one else 'wait'} for the IdP.", "dim")
    if run.outcome in ("incomplete", "interrupted", "open"):
        yield _ways(run, env)


def _headline(run: Run) -> str:
    if run.outcome == "nothing":
        return f"Nothing to do (run {run.id})."
    steps = [step for step in run.steps if step.state != "human"]
    counts = Counter(step.state for step in steps)
    done = counts.pop("done", 0) + counts.pop("attested", 0)
    if not steps:
        return f"Nothing that rolecall could write (run {run.id})."
    if done == len(steps):
        return f"Done: {count(done, 'step')} (run {run.id})."
    rest = [f"{number:,} {_WORDS[state]}{_why(steps, state)}" for state, number in sorted(counts.items()) if number]
    return f"{done:,} of {count(len(steps), 'step')} done, {', '.join(rest)} (run {run.id})."


def _why(steps: Sequence[Step], state: StepState) -> str:
    """What all of them say; the advice that comes after it stands with each step."""
    said = {step.problem.partition(". ")[0] for step in steps if step.state == state and step.problem}
    return f" ({visible(said.pop())})" if len(said) == 1 else ""


def _style(run: Run) -> Style:
    return "ok" if run.outcome in ("done", "nothing") else "error"


def _steps(steps: Sequence[Step]) -> Iterator[Line]:
    for step in steps[:_MOST]:
        told = f": {visible(step.problem)}" if step.problem else ""
        state = "" if step.state == "human" else f" {_WORDS.get(step.state, step.state)}"
        where = Span(f"{step.number:>4}  {step.action} {visible(step.address)}", "bold")
        yield Line((where, Span(f"{state}{told}")), hang=8)
    if len(steps) > _MOST:
        yield line(f"and {len(steps) - _MOST:,} more", "dim", indent=6)


def _ways(run: Run, env: str | None) -> Line:
    at = f" -e {shell_word(env)}" if env else ""
    ways = f"Go on: rolecall apply{at} · Go back: rolecall rollback {run.id} · Details: rolecall show {run.id}"
    return line(ways, hang=2)
