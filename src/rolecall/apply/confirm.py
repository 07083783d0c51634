"""Hold what a run's steps are said to have done against the closing read: *done* is only what that read confirms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolecall.apply.recover import look_up
from rolecall.apply.steps import Numbered, Sender, satisfies
from rolecall.errors import OrgError
from rolecall.live.port import Org
from rolecall.model.change import Change
from rolecall.model.comparison import unread_fields
from rolecall.model.kinds import split_address
from rolecall.model.live import Live
from rolecall.model.run import Ended, Step

_OLD_VALUE = "the org answered that it is done, but still has the old value and its audit log does not show the write"
_NEITHER = "the org answered that it is done, but has another value and its audit log does not show the write"
_NO_LOG = "the org answered that it is done, but has another value, and its audit log could not be read"
_NOT_READ = "the org did not confirm the write, and could not be read at the end of the run"


async def confirm(run: int, sender: Sender, steps: Sequence[Numbered], org: Org, live: Live) -> list[Ended]:
    """Return how steps ended where the closing read ``live`` says otherwise than their answers.

    A step without an answer is done when its value is in effect. When it is not, the write may still be on its way.
    A step answered as done whose value is not in effect stays done only if the audit log has the write.
    """
    corrected = []
    for step in steps:
        ended = sender.ended.get(step.number)
        if ended is None:
            continue
        if ended.state == "unknown":
            looked_up = await look_up(_as_step(run, step, sender), org, live)
            corrected += [looked_up] if looked_up.state == "done" else []
        elif ended.state == "done" and not _in_effect(live, step.change):
            corrected += await _denied(step, sender, org, live)
    return corrected


def unconfirmed(sender: Sender) -> list[Ended]:
    """Return, as unknown, the steps taken for done without the org's confirmation; for an org that cannot be read."""
    return [
        Ended(number, sender.ended[number].address, "unknown", problem=_NOT_READ)
        for number in sorted(sender.inferred)
        if sender.done(number)
    ]


def changed_since(live: Live, done: Sequence[Change], already: Sequence[Change] = ()) -> Iterator[str]:
    """Yield a line for each address that is no longer as its step left it, or as it was found at the start."""
    for step in done:
        if absent := _absent(live, step):
            yield f"{step.address} was written; the read after it does not have {', '.join(absent)}."
        elif not _in_effect(live, step):
            yield f"{step.address} was written, and somebody changed it again before the run ended."
    for change in already:
        if not _in_effect(live, change):
            yield f"{change.address} was as planned when the run began, and was changed again before it ended."


def _absent(live: Live, change: Change) -> tuple[str, ...]:
    """Return the fields of the change that the read of its address does not have."""
    value = live.value_now(change.address, change.id)
    return () if value is None or change.after is None else unread_fields(value, change.after)


def _in_effect(live: Live, change: Change) -> bool:
    """Whether the value is the change's; also if its section was not read completely."""
    covered = live.covered(split_address(change.address)[0]).state == "complete"
    return not covered or satisfies(live.value_now(change.address, change.id), change.after)


async def _denied(step: Numbered, sender: Sender, org: Org, live: Live) -> list[Ended]:
    """Return the corrected end of a step answered as done; nothing if the log has its write."""
    value = live.value_now(step.change.address, step.change.id)
    try:
        event = await org.find(sender.key(step.number))
    except OrgError:
        return [Ended(step.number, step.change.address, "unknown", value, problem=_NO_LOG)]
    if event is not None and event.key == sender.key(step.number):
        return []
    if satisfies(value, step.change.before):
        return [Ended(step.number, step.change.address, "not_done", value, problem=_OLD_VALUE)]
    return [Ended(step.number, step.change.address, "unknown", value, problem=_NEITHER)]


def _as_step(run: int, step: Numbered, sender: Sender) -> Step:
    change = step.change
    return Step(
        run,
        step.number,
        change.address,
        change.action,
        change.via,
        change.before,
        change.after,
        "unknown",
        key=sender.key(step.number),
        id=change.id,
    )
