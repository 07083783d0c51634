"""What `done` says: the word recorded, whether the org shows it, and what is left."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.run import Run, Step
from rolecall.report.line import Line, line
from rolecall.report.phrases import count, visible

_SEEN = {
    True: ("The org shows it.", "ok"),
    False: ("The org does not show it: what was read there is something else.", "warn"),
    None: ("It could not be read, so nobody can tell whether the org shows it.", "warn"),
}


_WRITTEN = {
    True: ("That is what the step asks for, on your word: nobody can look at the org from here.", "ok"),
    False: ("That is not what the step asks for: the next plan asks for it again.", "warn"),
    None: ("The section was never read whole: run `rolecall observe`.", "warn"),
}


def attested_lines(run: Run, step: Step, *, seen: bool | None, changed: str | None = None) -> Iterator[Line]:
    """The step, what was seen of it, and how many steps of the run still wait for a person.

    ``changed`` is the file that stands for an observed org and that says so now.
    """
    yield line(f"Recorded: step {step.number} of run {run.id}, {step.action} {visible(step.address)}.", "bold")
    if changed is not None:
        yield line(f"{visible(changed)} says so now: commit it.")
    words, style = _WRITTEN[seen] if changed is not None else _SEEN[seen]
    yield line(words, "ok" if style == "ok" else "warn")
    if run.human:
        yield line(f"{count(len(run.human), 'step')} of the run still for a person: {_numbers(run)}.")
    else:
        yield line("No step of the run is left for a person.")


def _numbers(run: Run) -> str:
    return ", ".join(str(step.number) for step in run.human[:20])
