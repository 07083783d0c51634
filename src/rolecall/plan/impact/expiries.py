"""Report entries whose `expires` is set, changed or removed, and the users who are affected on that day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from rolecall.access.candidates import candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.kinds import split_address, value_at
from rolecall.model.settings import BLANK, UNSET, Address
from rolecall.plan.coverage import people_coverage
from rolecall.plan.dates import day
from rolecall.plan.forecast import AccessForecast, with_mappings
from rolecall.plan.headline import count_users, sentence, shifts
from rolecall.plan.impact.cohorts import cohorts_of, moves
from rolecall.plan.inputs import PlanInput
from rolecall.plan.resolve import expired, ignored
from rolecall.plan.value import Apart, Move, Tally


def suppose(forecast: AccessForecast, changes: Sequence[Change]) -> tuple[Move, ...]:
    """Return how the access of users would change if these mappings were changed after the plan."""
    if forecast.directory is None or forecast.problem:
        return ()
    if forecast.groups_after:
        forecast = forecast._replace(directory=forecast.directory_after, placed=None, supposed=())
    supposed = tuple(change._replace(via="api") for change in changes)
    settings = with_mappings(forecast.last.settings, supposed)
    after = compile_access(settings, forecast.last.facts, entitlements=forecast.before.entitlements)
    touched = {} if forecast.directory is None else candidates(forecast.after, after, forecast.directory)
    then = forecast._replace(
        first=forecast.last,
        last=forecast.last._replace(settings=settings),
        before=forecast.after,
        after=after,
        scope=needed_scope(forecast.after, after),
        touched=touched,
        written=supposed,
    )
    return moves(then, cohorts_of(then))


MOST = 10
"""Entries that are listed with their users; more are counted."""

_SHIFTS = 2


class End(NamedTuple):
    """An entry, with its last day at the last apply and now."""

    address: Address
    before: date | None
    after: date | None


def moved_ends(plan_input: PlanInput) -> list[End]:
    """Return the entries that have another `expires` than when last applied, sorted by address.

    Where only the addresses were recorded, as by 0.1.0, an entry that had a date is not reported.
    """
    applied, desired = plan_input.applied, plan_input.desired
    groups = {} if desired.settings.idp_groups is UNSET else desired.settings.idp_groups
    known: Mapping[Address, date] = applied.ends or {}
    unsure = (applied.expires or frozenset()) if applied.ends is None else frozenset[Address]()
    identity, targets = plan_input.known, plan_input.selection.targets
    skipped = (*ignored(desired.policy.ignore, plan_input.as_of), *plan_input.selection.excludes)
    ends = []
    for at in sorted({*desired.intents, *known}):
        section, key = split_address(at)
        if section != "idp_groups" or key not in groups or at in unsure or identity.covers(skipped, at):
            continue
        before, after = known.get(at), desired.intent(at).expires
        lapsed = after is not None and expired(desired.intent(at), plan_input.as_of)
        if before != after and not lapsed and (not targets or identity.covers(targets, at)):
            ends.append(End(at, before, after))
    return ends


def expiry_row(plan_input: PlanInput, forecast: AccessForecast) -> Apart | None:
    """Return the sentences about all of them; None where there are none."""
    ends = moved_ends(plan_input)
    if not ends:
        return None
    sentences, counts = [], {"gain": 0, "lose": 0, "change": 0}
    default = 0
    for end in ends[:MOST]:
        moves = _moves(forecast, end)
        sentences.append(f"{_dates(end)}: {_users(forecast, end, moves)}")
        for move in moves if end.after else ():
            counts[move.kind] += move.size
            default += move.size if move.to_default else 0
    if len(ends) > MOST:
        sentences.append(f"`expires` is set, changed or removed in {len(ends) - MOST:,} more entries.")
    return Apart("expiry", tuple(end.address for end in ends), Tally(**counts), default, tuple(sentences))


def _moves(forecast: AccessForecast, end: End) -> tuple[Move, ...]:
    mapping = value_at(forecast.last.settings, end.address)
    if mapping in (None, BLANK):
        return ()
    return suppose(forecast, [Change(end.address, "delete", mapping, None, "expired")])


def _dates(end: End) -> str:
    if end.after is None:
        return f"{end.address} no longer expires (was: after {_day(end.before)})"
    before = f"was: {_day(end.before)}" if end.before else "no date before"
    return f"{end.address} expires after {_day(end.after)} ({before})"


def _users(forecast: AccessForecast, end: End, moves: Sequence[Move]) -> str:
    key = split_address(end.address)[1]
    state = people_coverage(forecast.directory, () if key is None else (key,)).state
    if state == "unread" or forecast.problem or (state == "partial" and not moves):
        read = "not read" if state == "unread" else "not read completely"
        return f"users were {read}, so the affected users are unknown."
    if not moves:
        return "no user's access changes then." if end.after else "no user is affected."
    if end.after is None:
        return f"{count_users(sum(move.size for move in moves), 'keeps', 'keep')} the access that would have ended."
    return " ".join(_then(moves, at_least=state != "complete"))


def _then(moves: Sequence[Move], *, at_least: bool) -> Iterator[str]:
    by_size = shifts(moves)
    if at_least:
        yield "at least"
    yield from (sentence(*shift) for shift in by_size[:_SHIFTS])
    if len(by_size) > _SHIFTS:
        remaining = sum(size for _, size in by_size[_SHIFTS:])
        yield f"{count_users(remaining, 'changes', 'change')} access in other ways."


def _day(moment: date | None) -> str:
    return day(moment) if moment else ""
