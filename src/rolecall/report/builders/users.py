"""People in a plan as sentences. What may be shown of them was decided before: a plan is redacted as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.model.policy import Combo
from rolecall.model.settings import Address
from rolecall.plan.coverage import members_count
from rolecall.plan.headline import combos, people, sentence, shift_of, shifts, tally_words
from rolecall.plan.moves import Attribution, share
from rolecall.plan.order.transients import transient_sentences
from rolecall.plan.value import ApartKind, Impact, Move, Plan, UpgradeImpact, Who
from rolecall.report.phrases import count, visible

_NAMED = 3
_WAYS = 3
_MOST = 10


_APART: Mapping[ApartKind, str] = {
    "waiting": "Once the IdP pushes the pending groups: ",
    "expired": "Because a mapping expired: ",
    "expiring": "",
    "expiry": "",
    "sign_up": "",
    "human": "By what a person must do: ",
}
"""How people of changes that are told apart are introduced; the released ones stand in the inventory."""


class Told(NamedTuple):
    """A sentence about people, and whether it is about a loss or a risk."""

    text: str
    grave: bool = False


def moves_by_address(impact: Impact) -> Mapping[Address, tuple[Move, ...]]:
    """The moves that each change takes part in, largest first, each whole."""
    by: defaultdict[Address, list[Move]] = defaultdict(list)
    for move in impact.moves:
        for at in move.because:
            by[at].append(move)
    return {at: tuple(moves) for at, moves in by.items()}


def change_told(plan: Plan, at: Address, moves: Sequence[Move]) -> Iterable[Told]:
    """The people that one change touches: the largest ways they move, then a count of the rest."""
    if at in plan.impact.members:
        source = "console" if plan.org.url.startswith("observed:") else "org"
        yield Told(f"{members_count(plan.impact.members[at])} according to the {source}; not read", True)
    tally = plan.impact.tallies.get(at)
    if not moves:
        if tally and tally.total:
            yield Told(f"{tally_words(tally)} access", bool(tally.lose or tally.change))
        return
    yield from _ways([share(move, (at,)) for move in moves])
    yield from _others(at, moves, each=False)
    yield from _others(at, moves, each=True)


def _others(at: Address, moves: Sequence[Move], *, each: bool) -> Iterable[Told]:
    """The changes that cause something together with this one, or that each cause the same without it."""
    addresses: set[Address] = set()
    size = 0
    for move in moves:
        causes = move.causes or (Attribution((), (), move.because),)
        own = [cause.because for cause in causes if cause.each is each and at in cause.because]
        more = {address for because in own for address in because} - {at}
        addresses |= more
        size += move.size if more else 0
    if not addresses:
        return
    first = visible(min(addresses))
    named = f"{first}{f' and {len(addresses) - 1:,} more' if len(addresses) > 1 else ''}"
    of = "" if size == sum(move.size for move in moves) else f", for {people(size)}"
    if each:
        yield Told(f"The same is caused by {named}{of}: undoing any one of these changes avoids it.")
    else:
        yield Told(f"Together with {named}{of}.")


def _ways(moves: Sequence[Move], lead: str = "") -> Iterable[Told]:
    """The largest ways in which people move, then a count of the rest."""
    found = shifts(moves)
    for shift, size in found[:_WAYS]:
        who = _named([move for move in moves if shift_of(move) == shift])
        said = _with_names(visible(sentence(shift, size)), people(size), who)
        yield Told(f"{lead}{said}", shift.loses)
    if len(found) > _WAYS:
        rest = sum(size for _, size in found[_WAYS:])
        yield Told(f"And {people(rest, 'moves', 'move')} in {len(found) - _WAYS:,} other ways.")


def left_on_default(moves: Iterable[Move]) -> str:
    """How many keep default access as all they have, or that no one falls back to it; for a change that takes
    something. Those who do fall back to it are in the sentence about them."""
    listed = list(moves)
    if all(move.kind == "gain" for move in listed) or any(move.to_default or not move.after for move in listed):
        return ""
    staying = sum(move.size for move in listed if move.on_default)
    if staying:
        return f"{people(staying, 'has', 'have')} default access only, as before"
    return "no one falls back to default access"


def plan_told(plan: Plan) -> Iterable[Told]:
    """What is to be said of people beside the changes: escalations, the upgrade, transients, those told apart."""
    impact = plan.impact
    if not any(guard.name == "escalations" and guard.verdict != "pass" for guard in plan.guards):
        yield from _escalations(impact)
    if impact.upgrade:
        yield from _upgrade(impact.upgrade)
    yield from (Told(visible(text), bool(impact.transients)) for text in transient_sentences(impact))
    everything = {change.address for change in plan.changes}
    moved = {at for row in impact.apart if row.kind == "expiry" for at in row.addresses}
    for row in impact.apart:
        if row.kind == "expiring" and moved.issuperset(row.addresses):
            continue
        whole = row.kind in ("expired", "human") and everything <= set(row.addresses)
        if row.kind in _APART and not whole:
            yield from (Told(f"{_APART[row.kind]}{visible(text)}") for text in row.sentences)


def name(who: Who) -> str:
    """The name a plan shows of somebody, or that it shows none."""
    return visible(who.email) if who.email else "a person"


def _named(moves: Iterable[Move]) -> str:
    """Who, when they are few enough to be read and may be shown; else nothing."""
    found = [who for move in moves for who in move.people]
    return ", ".join(map(name, found)) if 0 < len(found) <= _NAMED and all(who.email for who in found) else ""


def _with_names(said: str, subject: str, who: str) -> str:
    """``ann@acme.com gains …`` for one person, ``2 people (ann@acme.com, bo@acme.com) gain …`` for a few."""
    if not who:
        return said
    rest = said.removeprefix(subject)
    return f"{who}{rest}" if subject == people(1) else f"{subject} ({who}){rest}"


def _escalations(impact: Impact) -> Iterable[Told]:
    gains: defaultdict[tuple[Combo, ...], list[Who]] = defaultdict(list)
    for row in impact.escalations:
        gains[row.gains].append(row.who)
    for held, found in sorted(gains.items(), key=lambda row: -len(row[1])):
        shown = [name(who) for who in found[:_MOST] if who.email]
        more = len(found) - len(shown)
        who = f": {', '.join(shown)}{f' and {more:,} more' if more else ''}" if shown else ""
        yield Told(f"{people(len(found), 'gains', 'gain')} {visible(combos(held))}{who}", True)


def _upgrade(row: UpgradeImpact) -> Iterable[Told]:
    stage = "Completing the upgrade" if row.stage == "complete" else "The upgrade, once complete,"
    yield Told(
        f"{stage} leaves {people(row.keep)} with exactly what they have and changes {people(row.differ)}; "
        f"{row.pushed:,} of {count(row.groups, 'group')} pushed again.",
        bool(row.differ),
    )
    yield from _ways(row.moves, "Once complete: ")
    if lost := row.org_admins_lost:
        names = ", ".join(name(who) for who in lost[:_MOST] if who.email)
        yield Told(f"{people(len(lost), 'is', 'are')} org admin no longer{f': {names}' if names else ''}.", True)
