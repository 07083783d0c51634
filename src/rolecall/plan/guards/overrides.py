"""Allowances: which hold, what they cover, and which were never needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from rolecall.errors import Problem
from rolecall.model.policy import Allow, Policy
from rolecall.model.settings import Address
from rolecall.plan.guards.guard import NAME_PEOPLE, Finding, Item, at, place
from rolecall.plan.resolve import covers
from rolecall.plan.value import GuardResult

Matches = Callable[[str, Address], bool]
"""Whether a target, an address or a glob, means the entry at an address."""


def _matches(target: str, at: Address) -> bool:
    return covers((target,), at)


class Overridden(NamedTuple):
    """A verdict, and the allowances that made it what it is."""

    result: GuardResult
    used: tuple[Allow, ...] = ()


class _Taken(NamedTuple):
    """An allowance, and how many of what the guard found it takes off."""

    entry: Allow
    number: int


def in_force(
    policy: Policy, applied: Policy | None, once: Iterable[Allow], as_of: date, meant: Callable[[str], str] = str
) -> tuple[Allow, ...]:
    """The allowances that count on a day: the config's as far as they were applied before, and this run's own.

    A new or wider one in the config holds from the next plan on; with nothing applied yet the config's count.
    ``meant`` gives the address that a target means now, so that an entry is known again after a rename.
    """
    standing = policy.allow if applied is None else tuple(_shared(policy.allow, applied.allow, meant))
    return tuple(entry for entry in (*standing, *once) if holds(entry, as_of))


def holds(entry: Allow, as_of: date) -> bool:
    """``until`` is the last day."""
    return entry.until is None or as_of <= entry.until


def apply_overrides(name: str, finding: Finding, allows: Sequence[Allow], means: Matches = _matches) -> Overridden:
    """The verdict once allowances have taken away what they cover. ``means`` says whether a target means an address."""
    used: tuple[_Taken, ...] = ()
    remaining = finding.items
    if finding.verdict in ("review", "block") and not finding.firm:
        used, remaining = _taken([entry for entry in allows if entry.guard == name], remaining, means)
    left = finding.verdict_after(sum(item.size for item in remaining)) if used else finding.verdict
    verdict = "allowed" if used and left == "pass" else left
    result = _result(name, finding._replace(verdict=verdict), allows, used, sum(item.size for item in remaining))
    return Overridden(result, tuple(entry for entry, _ in used))


def _taken(
    allows: Iterable[Allow], remaining: tuple[Item, ...], means: Matches
) -> tuple[tuple[_Taken, ...], tuple[Item, ...]]:
    """The allowances that are large enough for all they are about, and what is left over; in whatever order they come,
    for what one takes off may make another large enough."""
    used: list[_Taken] = []
    waiting = list(allows)
    while taken := next((entry for entry in waiting if 0 < _about(entry, remaining, means) <= entry.up_to), None):
        waiting.remove(taken)
        used.append(_Taken(taken, _about(taken, remaining, means)))
        remaining = tuple(item for item in remaining if not _covered(taken, item, means))
    return tuple(used), remaining


def _about(entry: Allow, items: Iterable[Item], means: Matches) -> int:
    return sum(item.size for item in items if _covered(entry, item, means))


def _covered(entry: Allow, item: Item, means: Matches) -> bool:
    target = entry.target
    return target is None or (bool(item.because) and all(means(target, at) for at in item.because))


def idle(
    policy: Policy,
    once: Iterable[Allow],
    used: Iterable[Allow],
    as_of: date,
    *,
    cut: bool = False,
    unjudged: Collection[str] = (),
) -> list[Problem]:
    """A warning for each allowance that has expired, or that nothing needed. What a plan that is ``cut`` did not need
    may well be for the rest, and nobody knows of a guard that was ``unjudged``."""
    taken = {(entry.guard, entry.target, entry.source) for entry in used}
    warnings = []
    for entry in (*policy.allow, *once):
        what = f"the allowance for {entry.guard}{f' of {entry.target}' if entry.target else ''}"
        if not holds(entry, as_of):
            message = f"{what} held through {entry.until}"
            warnings.append(Problem("allow_expired", message, entry.source, "delete the entry", "warning"))
        elif entry.guard in unjudged or (cut and entry.source):
            continue
        elif (entry.guard, entry.target, entry.source) not in taken:
            hint = "delete the entry" if entry.source else "leave the flag out"
            warnings.append(Problem("allow_unused", f"{what} is not needed", entry.source, hint, "warning"))
    return warnings


def _shared(config: Sequence[Allow], applied: Sequence[Allow], meant: Callable[[str], str]) -> Iterable[Allow]:
    def key(entry: Allow) -> tuple[str, str]:
        return entry.guard, meant(entry.target or "")

    before = {key(entry): entry for entry in applied}
    for entry in config:
        known = before.get(key(entry))
        if known is not None:
            ends = [end for end in (entry.until, known.until) if end is not None]
            yield entry._replace(up_to=min(entry.up_to, known.up_to), until=min(ends, default=None))


def _result(
    name: str, finding: Finding, allows: Sequence[Allow], used: Sequence[_Taken], remaining: int
) -> GuardResult:
    message = finding.message
    if used:
        message += f" {' '.join(map(_takes, used))} {_remains(finding, remaining)}"
    elif finding.verdict in ("review", "block"):
        short = [entry for entry in allows if entry.guard == name and not finding.firm]
        message += "".join(f" An allowance{at(entry.source)} covers {_covers(entry)}." for entry in short)
    ways = _ways(name, finding, remaining) if finding.verdict in ("review", "block", "not judged") else ()
    return GuardResult(
        name,
        finding.verdict,
        finding.limit,
        finding.actual,
        message,
        finding.source,
        finding.total,
        finding.target,
        ways,
    )


def _takes(taken: _Taken) -> str:
    """What an allowance takes off, of how many it may, and why."""
    entry, number = taken
    whose = f" for {entry.target}" if entry.target else ""
    ends = f" through {entry.until}" if entry.until else ""
    why = "".join(f"; {text}" for text in (entry.reason, place(entry.source)) if text)
    return f"An allowance takes off {number:,} (up to {entry.up_to:,}{whose}{ends}{why})."


def _remains(finding: Finding, remaining: int) -> str:
    if not remaining:
        return "None is left."
    passes = ", within the limit" if finding.verdict == "allowed" else ", over the limit still"
    return f"{remaining:,} left{passes}."


def _covers(entry: Allow) -> str:
    return f"only {entry.up_to:,}{f' of {entry.target}' if entry.target else ''}"


def _ways(name: str, finding: Finding, remaining: int) -> tuple[str, ...]:
    if finding.verdict == "not judged":
        return finding.fixes or (NAME_PEOPLE,)
    ways = list(finding.fixes)
    if finding.firm:
        return (*ways, *(("No allowance lifts this.",) if finding.verdict == "block" else ()))
    if finding.verdict == "review":
        ways.append("If it is meant, say so at the prompt or with `--approve DIGEST`.")
    ways.append(
        f"Allow it once with `--allow {name}={remaining}`, or for a while with an `allow` entry{_entry(finding)}."
    )
    return tuple(ways)


def _entry(finding: Finding) -> str:
    return f" for `{finding.target}`" if finding.target and len(finding.items) == 1 else ""
