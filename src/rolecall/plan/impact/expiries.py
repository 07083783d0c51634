"""Report entries whose `expires` is set, moved or removed, and the users who are affected on that day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from rolecall.access.candidates import candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.kinds import split_address, value_at
from rolecall.model.settings import BLANK, UNSET, Address
from rolecall.plan.headline import people, sentence, shifts
from rolecall.plan.impact.moves import classes, moves
from rolecall.plan.outlook import Outlook, with_mappings
from rolecall.plan.question import Question
from rolecall.plan.resolve import expired, ignored
from rolecall.plan.value import Apart, Move, Tally


def suppose(outlook: Outlook, changes: Sequence[Change]) -> tuple[Move, ...]:
    """What would happen to people if, once the plan is done, these mappings were changed."""
    if outlook.directory is None or outlook.problem:
        return ()
    supposed = tuple(replace(change, via="api") for change in changes)
    settings = with_mappings(outlook.last.settings, supposed)
    after = compile_access(settings, outlook.last.facts, atoms=outlook.before.atoms)
    touched = candidates(outlook.after, after, outlook.directory)
    then = replace(
        outlook,
        first=outlook.last,
        last=outlook.last._replace(settings=settings),
        before=outlook.after,
        after=after,
        scope=needed_scope(outlook.after, after),
        touched=touched,
        written=supposed,
    )
    return moves(then, classes(then))


MOST = 10
"""How many entries are told one by one, with their users."""

_SHIFTS = 2


class End(NamedTuple):
    """An entry, its last day when last applied, and its last day now."""

    address: Address
    before: date | None
    after: date | None


def moved_ends(question: Question) -> list[End]:
    """Return the entries that have another `expires` than when last applied, sorted by address.

    Where only the addresses were remembered, as by 0.1.0, an entry that had some date is not reported.
    """
    applied, desired = question.applied, question.desired
    groups = {} if desired.settings.idp_groups is UNSET else desired.settings.idp_groups
    known: Mapping[Address, date] = applied.ends or {}
    unsure = (applied.expires or frozenset()) if applied.ends is None else frozenset[Address]()
    identity = question.known
    skipped = (*ignored(desired.policy.ignore, question.as_of), *question.excludes)
    found = []
    for at in sorted({*desired.intents, *known}):
        section, key = split_address(at)
        if section != "idp_groups" or key not in groups or at in unsure or identity.covers(skipped, at):
            continue
        before, after = known.get(at), desired.intent(at).expires
        lapsed = after is not None and expired(desired.intent(at), question.as_of)
        if before != after and not lapsed and (not question.targets or identity.covers(question.targets, at)):
            found.append(End(at, before, after))
    return found


def expiry_row(question: Question, outlook: Outlook) -> Apart | None:
    """Return the sentences about all of them; None where there are none."""
    ends = moved_ends(question)
    if not ends:
        return None
    told, counts = [], {"gain": 0, "lose": 0, "change": 0}
    default = 0
    for end in ends[:MOST]:
        moves = _moves(outlook, end)
        told.append(f"{_dates(end)} {_users(outlook, end, moves)}")
        for move in moves if end.after else ():
            counts[move.kind] += move.size
            default += move.size if move.to_default else 0
    if len(ends) > MOST:
        told.append(f"`expires` is set, moved or removed in {len(ends) - MOST:,} more entries.")
    return Apart("expiry", tuple(end.address for end in ends), Tally(**counts), default, tuple(told))


def _moves(outlook: Outlook, end: End) -> tuple[Move, ...]:
    mapping = value_at(outlook.last.settings, end.address)
    if mapping in (None, BLANK):
        return ()
    return suppose(outlook, [Change(end.address, "delete", mapping, None, "expired")])


def _dates(end: End) -> str:
    if end.after is None:
        return f"{end.address} no longer expires (before: after {_day(end.before)})."
    before = f"instead of {_day(end.before)}" if end.before else "(no date before)"
    return f"{end.address} expires after {_day(end.after)} {before}."


def _users(outlook: Outlook, end: End, moves: Sequence[Move]) -> str:
    seen = None if outlook.directory is None else outlook.directory.coverage.state
    if seen is None or outlook.problem:
        return "The users affected are unknown, since users were not read."
    if not moves:
        return "No user's access changes then." if end.after else "No user is affected."
    if end.after is None:
        return f"{people(sum(move.size for move in moves), 'keeps', 'keep')} the access that would have ended."
    return " ".join(_then(moves, at_least=seen != "complete"))


def _then(moves: Sequence[Move], *, at_least: bool) -> Iterator[str]:
    found = shifts(moves)
    yield "Then at least:" if at_least else "Then:"
    yield from (sentence(*row) for row in found[:_SHIFTS])
    if len(found) > _SHIFTS:
        yield f"{people(sum(size for _, size in found[_SHIFTS:]))} in {len(found) - _SHIFTS:,} other ways."


def _day(day: date | None) -> str:
    return "" if day is None else f"{day.day} {day:%b %Y}"
