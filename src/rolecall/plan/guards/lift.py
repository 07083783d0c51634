"""Allowances: which hold, what they cover, and which were never needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from rolecall.errors import Problem
from rolecall.model.policy import Allow, Policy
from rolecall.plan.guards.case import Finding, at
from rolecall.plan.resolve import covers
from rolecall.plan.value import GuardResult


class Lifted(NamedTuple):
    """A verdict, and the allowances that made it what it is."""

    result: GuardResult
    used: tuple[Allow, ...] = ()


def in_force(policy: Policy, applied: Policy | None, once: Iterable[Allow], as_of: date) -> tuple[Allow, ...]:
    """The allowances that count on a day: the config's as far as they were applied before, and this run's own.

    A new or wider one in the config holds from the next plan on; with nothing applied yet the config's count.
    """
    standing = policy.allow if applied is None else tuple(_shared(policy.allow, applied.allow))
    return tuple(entry for entry in (*standing, *once) if holds(entry, as_of))


def holds(entry: Allow, as_of: date) -> bool:
    """``until`` is the last day."""
    return entry.until is None or as_of <= entry.until


def lift(name: str, finding: Finding, allows: Sequence[Allow]) -> Lifted:
    """The verdict once allowances have taken away what they cover."""
    used: list[Allow] = []
    rest = list(finding.items)
    if finding.verdict in ("review", "block") and not finding.firm:
        for entry in (entry for entry in allows if entry.guard == name):
            covered = [item for item in rest if entry.target is None or _within(item.because, entry.target)]
            if covered and sum(item.size for item in covered) <= entry.up_to:
                used.append(entry)
                rest = [item for item in rest if item not in covered]
    left = finding.left(sum(item.size for item in rest)) if used else finding.verdict
    verdict = "allowed" if used and left == "pass" else left
    return Lifted(_result(name, finding._replace(verdict=verdict), allows, used), tuple(used))


def idle(policy: Policy, once: Iterable[Allow], used: Iterable[Allow], as_of: date) -> list[Problem]:
    """A warning for each allowance that has expired, or that nothing needed."""
    taken = {(entry.guard, entry.target, entry.source) for entry in used}
    found = []
    for entry in (*policy.allow, *once):
        what = f"the allowance for {entry.guard}{f' of {entry.target}' if entry.target else ''}"
        if not holds(entry, as_of):
            message = f"{what} held through {entry.until}"
            found.append(Problem("allow_expired", message, entry.source, "delete the entry", "warning"))
        elif (entry.guard, entry.target, entry.source) not in taken:
            hint = "delete the entry" if entry.source else "leave the flag out"
            found.append(Problem("allow_unused", f"{what} is not needed", entry.source, hint, "warning"))
    return found


def _shared(config: Sequence[Allow], applied: Sequence[Allow]) -> Iterable[Allow]:
    before = {(entry.guard, entry.target): entry for entry in applied}
    for entry in config:
        known = before.get((entry.guard, entry.target))
        if known is not None:
            ends = [end for end in (entry.until, known.until) if end is not None]
            yield entry._replace(up_to=min(entry.up_to, known.up_to), until=min(ends, default=None))


def _within(because: tuple[str, ...], target: str) -> bool:
    return bool(because) and all(covers((target,), address) for address in because)


def _result(name: str, finding: Finding, allows: Sequence[Allow], used: Sequence[Allow]) -> GuardResult:
    message = finding.message
    if used:
        message += "".join(f" Allowed up to {entry.up_to:,}: {entry.reason}{at(entry.source)}." for entry in used)
    elif finding.verdict in ("review", "block"):
        short = [entry for entry in allows if entry.guard == name and not finding.firm]
        message += "".join(f" An allowance{at(entry.source)} covers {_covers(entry)}." for entry in short)
    ways = _ways(name, finding) if finding.verdict in ("review", "block", "not judged") else ()
    return GuardResult(
        name,
        finding.verdict,
        finding.limit,
        finding.actual,
        message,
        finding.source,
        finding.found,
        finding.target,
        ways,
    )


def _covers(entry: Allow) -> str:
    return f"only {entry.up_to:,}{f' of {entry.target}' if entry.target else ''}"


def _ways(name: str, finding: Finding) -> tuple[str, ...]:
    if finding.verdict == "not judged":
        return finding.fixes or ("Read the people, and plan again.",)
    ways = list(finding.fixes)
    if finding.verdict == "review":
        ways.append("If it is meant, say so at the prompt or with `--approve DIGEST`.")
    if not finding.firm:
        ways.append(f"Allow it once with `--allow {name}={finding.found}`, or for a while with an `allow` entry.")
    return tuple(ways)
