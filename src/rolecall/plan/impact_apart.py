"""People of changes that are told apart: waiting, expired, soon to expire, for a person to make, released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rolecall.access.candidates import candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.kinds import value_at
from rolecall.model.settings import BLANK, Address
from rolecall.plan.headline import people, sentence, shifts
from rolecall.plan.impact_moves import classes, moves
from rolecall.plan.outlook import Outlook
from rolecall.plan.question import Question
from rolecall.plan.resolve import expires_soon, live_address
from rolecall.plan.shares import share
from rolecall.plan.state import with_mappings
from rolecall.plan.value import Apart, ApartKind, Move, Released, Tally

_SAID = 4


def apart(
    question: Question,
    outlook: Outlook,
    changes: Sequence[Change],
    told: Sequence[Move],
    released: Sequence[Released],
    names: Mapping[str, str],
) -> tuple[Apart, ...]:
    """A row for each kind that the plan has. ``names`` has the live name of each group that the config lists."""
    waiting = [c for c in changes if c.via == "waiting"]
    rows = (
        _row("waiting", waiting, _forecast(outlook, waiting)),
        _row("expired", [c for c in changes if c.reason == "expired"], told),
        _expiring(question, outlook, names),
        _row("human", [c for c in changes if c.via == "human"], told),
        _released(released),
    )
    return tuple(row for row in rows if row is not None)


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


def _row(kind: ApartKind, changes: Sequence[Change], told: Sequence[Move]) -> Apart | None:
    if not changes:
        return None
    addresses = tuple(change.address for change in changes)
    own = [share(move, addresses) for move in told if not set(move.because).isdisjoint(addresses)]
    return _apart(kind, addresses, own)


def _apart(kind: ApartKind, addresses: Iterable[Address], own: Sequence[Move], lead: str = "") -> Apart:
    counts = {name: sum(move.size for move in own if move.kind == name) for name in ("gain", "lose", "change")}
    said = tuple(f"{lead}{sentence(*row)}" for row in shifts(own)[:_SAID])
    default = sum(move.size for move in own if move.to_default)
    return Apart(kind, tuple(addresses), Tally(**counts), default, said)


def _forecast(outlook: Outlook, waiting: Sequence[Change]) -> tuple[Move, ...]:
    """What a people source that knows groups before they are pushed can tell."""
    mappings = [c for c in waiting if c.address.startswith("idp_groups/")]
    known = () if outlook.directory is None else outlook.directory.groups
    if not any(change.address.partition("/")[2] in known for change in mappings):
        return ()
    return suppose(outlook, mappings)


def _expiring(question: Question, outlook: Outlook, names: Mapping[str, str]) -> Apart | None:
    """Mappings that hold today and will not in 14 days, and whom that will touch."""
    soon = [
        Change(at, "delete", mapping, None, "expired", intent=intent)
        for key, intent in sorted(question.desired.intents.items())
        if expires_soon(intent, question.as_of)
        if (mapping := value_at(outlook.last.settings, at := live_address(key, names))) not in (None, BLANK)
    ]
    if not soon:
        return None
    found = suppose(outlook, soon)
    first = min(change.intent.expires for change in soon if change.intent.expires is not None)
    return _apart("expiring", (change.address for change in soon), found, f"After {first}: ")


def _released(released: Sequence[Released]) -> Apart | None:
    if not released:
        return None
    return Apart("released", tuple(row.address for row in released), sentences=tuple(_kept(released))[:_SAID])


def _kept(released: Iterable[Released]) -> Iterator[str]:
    for row in released:
        if row.people is not None:
            has = people(row.people, "keeps", "keep")
            yield f"{has} what {row.address} gives, which is no longer managed."
