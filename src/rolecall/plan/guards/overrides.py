"""Apply overrides (`allow` in the config, `--allow` for one run) to the verdicts of guards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from rolecall.errors import Problem
from rolecall.model.policy import Allow, Policy
from rolecall.model.settings import Address
from rolecall.plan.dates import day
from rolecall.plan.guards.guard import NAME_PEOPLE, Finding, Item
from rolecall.plan.resolve import covers, is_plain
from rolecall.plan.value import Detail, GuardResult

Matches = Callable[[str, Address], bool]
"""Return whether a target, an address or a glob, matches an address."""


def _matches(target: str, at: Address) -> bool:
    return covers((target,), at)


class Overridden(NamedTuple):
    """A verdict, and the overrides that led to it."""

    result: GuardResult
    used: tuple[Allow, ...] = ()


class _Use(NamedTuple):
    """An override, and how much of what the guard counts it covers."""

    entry: Allow
    number: int


def in_force(
    policy: Policy,
    applied: Policy | None,
    once: Iterable[Allow],
    as_of: date,
    current: Callable[[str], str] = str,
) -> tuple[Allow, ...]:
    """Return the overrides in effect on a day: those of the config as far as they were applied before, and those of
    this run.

    A new or wider one in the config takes effect from the next plan; all do where nothing was applied yet. ``current``
    returns the address that a target has now, so that an entry is recognized after a rename.
    """
    configured = policy.allow if applied is None else tuple(_shared(policy.allow, applied.allow, current))
    return tuple(entry for entry in (*configured, *once) if in_effect(entry, as_of))


def in_effect(entry: Allow, as_of: date) -> bool:
    """Return whether an override has not ended; ``until`` is its last day."""
    return entry.until is None or as_of <= entry.until


def apply_overrides(
    name: str, finding: Finding, overrides: Sequence[Allow], command: str = "", matches: Matches = _matches
) -> Overridden:
    """Return the verdict after the overrides of a guard. ``command`` makes the same plan again, where there is one."""
    uses: tuple[_Use, ...] = ()
    remaining = finding.items
    if finding.verdict in ("review", "block") and not finding.firm:
        fitting = [entry for entry in overrides if entry.guard == name and _fits(entry, finding)]
        uses, remaining = _uses(fitting, remaining, matches)
    left = sum(item.size for item in remaining)
    verdict = finding.verdict_after(left) if uses else finding.verdict
    if uses and verdict == "pass":
        verdict = "allowed"
    result = _result(name, finding._replace(verdict=verdict), overrides, uses, left, command)
    return Overridden(result, tuple(entry for entry, _ in uses))


def _fits(entry: Allow, finding: Finding) -> bool:
    """Return whether an override may cover a finding: some need one that names an address."""
    return not finding.addressed or (entry.target is not None and is_plain(entry.target))


def _uses(
    overrides: Iterable[Allow], remaining: tuple[Item, ...], matches: Matches
) -> tuple[tuple[_Use, ...], tuple[Item, ...]]:
    """Return the overrides that are large enough for all they match, and the items that none covers.

    Their order does not matter: what one covers may make another large enough.
    """
    uses: list[_Use] = []
    unused = list(overrides)
    while entry := next((entry for entry in unused if 0 < _size(entry, remaining, matches) <= entry.up_to), None):
        unused.remove(entry)
        uses.append(_Use(entry, _size(entry, remaining, matches)))
        remaining = tuple(item for item in remaining if not _covered(entry, item, matches))
    return tuple(uses), remaining


def _size(entry: Allow, items: Iterable[Item], matches: Matches) -> int:
    return sum(item.size for item in items if _covered(entry, item, matches))


def _covered(entry: Allow, item: Item, matches: Matches) -> bool:
    target = entry.target
    return target is None or (bool(item.because) and all(matches(target, at) for at in item.because))


def idle(
    policy: Policy,
    once: Iterable[Allow],
    used: Iterable[Allow],
    as_of: date,
    *,
    cut: bool = False,
    unjudged: Collection[str] = (),
) -> list[Problem]:
    """Return a warning for each override that has ended or is unused.

    An unused one is not reported where the plan is ``cut`` to targets, since other changes may need it, or where its
    guard could not be evaluated (``unjudged``).
    """
    in_use = {(entry.guard, entry.target, entry.source) for entry in used}
    warnings = []
    for entry in (*policy.allow, *once):
        override = f"the override of {entry.guard}{f' for {entry.target}' if entry.target else ''}"
        if not in_effect(entry, as_of):
            message = f"{override} ended on {day(entry.until)}" if entry.until else override
            warnings.append(Problem("allow_expired", message, entry.source, "delete the entry", "warning"))
        elif entry.guard in unjudged or (cut and entry.source):
            continue
        elif (entry.guard, entry.target, entry.source) not in in_use:
            hint = "delete the entry" if entry.source else "remove the flag"
            warnings.append(Problem("allow_unused", f"{override} is unused", entry.source, hint, "warning"))
    return warnings


def _shared(config: Sequence[Allow], applied: Sequence[Allow], current: Callable[[str], str]) -> Iterable[Allow]:
    """Yield the overrides that the config and the last apply both have, each as narrow as the narrower of the two."""

    def key(entry: Allow) -> tuple[str, str]:
        return entry.guard, current(entry.target or "")

    before = {key(entry): entry for entry in applied}
    for entry in config:
        known = before.get(key(entry))
        if known is not None:
            ends = [end for end in (entry.until, known.until) if end is not None]
            yield entry._replace(up_to=min(entry.up_to, known.up_to), until=min(ends, default=None))


def _result(
    name: str, finding: Finding, overrides: Sequence[Allow], uses: Sequence[_Use], remaining: int, command: str
) -> GuardResult:
    details = [*finding.details, *map(_covers, uses)]
    if uses and remaining:
        verb = "is" if remaining == 1 else "are"
        limit = "within" if finding.verdict == "allowed" else "still over"
        details.append(Detail(f"{remaining:,} {verb} not covered by an override, {limit} the limit."))
    elif not uses and finding.verdict in ("review", "block") and not finding.firm:
        own = [entry for entry in overrides if entry.guard == name]
        details += [_too_small(entry) if _fits(entry, finding) else _unaddressed(entry) for entry in own]
    ways = _ways(name, finding, remaining, command) if finding.verdict in ("review", "block", "not judged") else ()
    return GuardResult(
        name,
        finding.verdict,
        finding.limit,
        finding.actual,
        finding.message,
        finding.source,
        finding.total,
        finding.target,
        ways,
        details=tuple(details),
    )


def _covers(use: _Use) -> Detail:
    """Return what an override covers, of how much, until when, and why."""
    entry, number = use
    of = f"{number:,} of up to {entry.up_to:,}{f' for {entry.target}' if entry.target else ''}"
    ends = f", until {day(entry.until)}" if entry.until else ""
    return Detail(f"Override: covers {of}{ends}{f'. {entry.reason}' if entry.reason else ''}", entry.source)


def _too_small(entry: Allow) -> Detail:
    target = f" for {entry.target}" if entry.target else ""
    return Detail(f"Override: covers only {entry.up_to:,}{target}, so it does not apply.", entry.source)


def _unaddressed(entry: Allow) -> Detail:
    return Detail("Override: names no single address, so it does not apply.", entry.source)


ACCEPT = "To accept it: rolecall apply --approve DIGEST"
"""The action for a guard that requires approval. A report has the command of its plan instead."""


def _ways(name: str, finding: Finding, remaining: int, command: str) -> tuple[str, ...]:
    if finding.verdict == "not judged":
        return finding.fixes or (NAME_PEOPLE,)
    if finding.firm:
        return (*finding.fixes, *(("This guard cannot be overridden.",) if finding.verdict == "block" else ()))
    if finding.addressed:
        override = f"{{guard: {name}, for: {finding.target}, up_to: {remaining}, until: DATE, reason: ...}}"
        named = f"To allow it, add to `allow` an override that names the address: {override}"
        return (*finding.fixes, *((ACCEPT,) if finding.verdict == "review" else ()), named)
    flag = f"--allow {name}={remaining}"
    once = f"To allow it once: {command} {flag}" if command else f"To allow it once, add {flag}."
    return (*finding.fixes, *((ACCEPT,) if finding.verdict == "review" else ()), once)
