"""Use case `rollback`: an ordinary plan that puts back what a run found, through the same guards as any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rolecall.errors import Misuse, Problem
from rolecall.jobs.plan import Planned, PlanRequest, plan
from rolecall.model.desired import Applied, Desired
from rolecall.model.fields import overlay
from rolecall.model.kinds import KINDS, split_address, value_at
from rolecall.model.run import Run, Step
from rolecall.model.settings import BLANK, UNSET, Address, Settings, Value

_TOUCHED = frozenset(("done", "attested", "failed", "unknown", "open"))
"""How a step may have ended that may have changed the org; what it did not change, the plan finds unchanged."""


class Target(NamedTuple):
    """What going back means: the desired state, the addresses it is about, and what cannot be put back."""

    desired: Desired
    addresses: tuple[Address, ...]
    problems: tuple[Problem, ...]


def target(run: Run, applied: Applied, config: Desired) -> Target:
    """The state before a run. Raises Misuse for a run that changed nothing.

    All that was applied since stays asked for as it is, so that nothing else is let go; policy and intents are the
    config's.
    """
    steps = _first_by_address(step for step in run.steps if step.state in _TOUCHED)
    if not steps:
        raise Misuse(Problem("nothing_done", f"run {run.id} changed nothing, so there is nothing to put back"))
    restorable = {at: step for at, step in steps.items() if step.action != "upgrade"}
    problems = tuple(_cannot(run, step) for step in steps.values() if step.action == "upgrade")
    problems += tuple(_by_hand(run, step) for step in run.steps if step.state == "human")
    removed = [at for at, step in restorable.items() if step.before is None and at.startswith("domains/")]
    intents = {**config.intents, **{at: config.intent(at)._replace(remove=True) for at in removed}}
    for at in restorable.keys() - set(removed):
        intents[at] = config.intent(at)._replace(remove=False, expires=None, previously=())
    settings = _settings(applied.settings, restorable)
    return Target(Desired(settings, intents, config.policy, config.places), tuple(restorable), problems)


async def rollback(request: PlanRequest, run: Run) -> Planned:
    """The plan that goes back. ``request`` is that of an ordinary plan; its targets are replaced."""
    back = target(run, request.applied(run.org_id), request.wanted.desired)
    wanted = replace(
        request.wanted,
        desired=back.desired,
        pin=run.org_id,
        warnings=(*request.wanted.warnings, *back.problems),
        references=None,
    )
    planned = await plan(replace(request, wanted=wanted, targets=tuple(map(literal, back.addresses)), typed=False))
    changes = tuple(replace(change, reason="rollback") for change in planned.plan.changes)
    return replace(planned, plan=replace(planned.plan, changes=changes))


def _first_by_address(steps: Iterable[Step]) -> dict[Address, Step]:
    """The first step of each address: what it found is what stood there before the run."""
    found: dict[Address, Step] = {}
    for step in steps:
        found.setdefault(step.address, step)
    return found


def _settings(base: Settings, steps: Mapping[Address, Step]) -> Settings:
    sections = {kind.section: dict(_section(base, kind.section, kind.keyed, steps)) for kind in KINDS}
    said: dict[str, Any] = {
        kind.section: sections[kind.section] if kind.keyed else sections[kind.section][None]
        for kind in KINDS
        if sections[kind.section] or getattr(base, kind.section) is not UNSET
    }
    return Settings(**said)


def _section(base: Settings, section: str, keyed: bool, steps: Mapping[Address, Step]) -> Iterator[tuple[Any, Value]]:
    held = getattr(base, section)
    entries: dict[Any, Any] = {} if held is UNSET else dict(held) if keyed else {None: held}
    for at, step in steps.items():
        kind, key = split_address(at)
        if kind != section:
            continue
        if step.before is None:
            entries.pop(key, None)
            if section == "idp_groups":
                entries[key] = BLANK
        else:
            known = value_at(base, at)
            entries[key] = step.before if known is None else overlay(known, step.before)
    return iter(entries.items())


def _cannot(run: Run, step: Step) -> Problem:
    message = f"run {run.id} upgraded the endpoint, and there is no way back from that (R20)"
    return Problem("not_restorable", message, None, "the rest can be put back", "warning")


def _by_hand(run: Run, step: Step) -> Problem:
    message = f"run {run.id} left {step.address} to a person, and nobody said whether it was done"
    hint = f"if it was, put it back by hand, or say so first: rolecall done {run.id} {step.number}"
    return Problem("not_restorable", message, None, hint, "warning")


def literal(at: Address) -> str:
    """An address as a glob that matches it alone."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in at)
