"""The users that a plan affects, as sentences and as tables. What may be shown of them was decided before: a plan is
redacted as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rolecall.model.policy import TeamRole
from rolecall.model.settings import Address
from rolecall.plan.coverage import USERS, members_count
from rolecall.plan.headline import Shift, access_words, people, sentence, shift_of, shifts, tally_words
from rolecall.plan.moves import Attribution, share
from rolecall.plan.order.transients import transient_sentences
from rolecall.plan.value import ApartKind, Impact, Move, Plan, UpgradeImpact, Who
from rolecall.report.document import Flow, Note, Table, UserMove
from rolecall.report.phrases import count, visible

COLUMNS = ("email", "people", "kind", "before", "after", "left_with_default", "because")
"""Of a plan's table for a spreadsheet."""

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
"""How users of changes that are reported apart are introduced; those of released mappings are in the inventory."""


def moves_by_address(impact: Impact) -> Mapping[Address, tuple[Move, ...]]:
    """Return the moves that each change takes part in, largest first, each whole."""
    moves: defaultdict[Address, list[Move]] = defaultdict(list)
    for move in impact.moves:
        for at in move.because:
            moves[at].append(move)
    return {at: tuple(listed) for at, listed in moves.items()}


def change_notes(plan: Plan, at: Address, moves: Sequence[Move]) -> Iterable[Note]:
    """Yield the users that one change affects: the largest ways their access changes, then a count of the others."""
    if at in plan.impact.members:
        source = "console" if plan.org.url.startswith("observed:") else "org"
        yield Note(f"{members_count(plan.impact.members[at])} according to the {source}; not read", "risk")
    tally = plan.impact.tallies.get(at)
    if not moves:
        if tally and tally.total:
            yield _note(f"{tally_words(tally)} access", risk=bool(tally.lose or tally.change))
        return
    yield from _ways([share(move, (at,)) for move in moves])
    yield from _joint_causes(at, moves, each=False)
    yield from _joint_causes(at, moves, each=True)


def _note(text: str, *, risk: bool) -> Note:
    return Note(text, "risk" if risk else "plain")


def _joint_causes(at: Address, moves: Sequence[Move], *, each: bool) -> Iterable[Note]:
    """Yield the changes that cause something together with this one, or that each cause the same without it."""
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
        yield Note(f"The same is caused by {named}{of}: undoing any one of these changes avoids it.")
    else:
        yield Note(f"Together with {named}{of}.")


def _ways(moves: Sequence[Move], lead: str = "") -> Iterable[Note]:
    """Yield the largest ways in which users' access changes, then a count of the others."""
    ranked = shifts(moves)
    for shift, size in ranked[:_WAYS]:
        who = _named([move for move in moves if shift_of(move) == shift])
        text = _with_names(visible(sentence(shift, size)), people(size), who)
        yield _note(f"{lead}{text}", risk=shift.loses)
    if len(ranked) > _WAYS:
        more = sum(size for _, size in ranked[_WAYS:])
        yield Note(f"And {people(more, 'moves', 'move')} in {len(ranked) - _WAYS:,} other ways.")


def left_on_default(moves: Iterable[Move]) -> str:
    """Return how many keep default access as all they have, or that no one falls back to it; for a change that takes
    something. Those who do fall back to it are in the sentence about them."""
    listed = list(moves)
    if all(move.kind == "gain" for move in listed) or any(move.to_default or not move.after for move in listed):
        return ""
    staying = sum(move.size for move in listed if move.on_default)
    if staying:
        return f"{people(staying, 'has', 'have')} default access only, as before"
    return "no one falls back to default access"


def plan_notes(plan: Plan) -> Iterable[Note]:
    """Yield what a plan says of users apart from its changes: escalations, the upgrade, temporary access changes, and
    the users of changes that are reported apart."""
    impact = plan.impact
    if not any(guard.name == "escalations" and guard.verdict != "pass" for guard in plan.guards):
        yield from _escalations(impact)
    if impact.upgrade:
        yield from _upgrade(impact.upgrade)
    yield from (_note(visible(text), risk=bool(impact.transients)) for text in transient_sentences(impact))
    everything = {change.address for change in plan.changes}
    moved = {at for apart in impact.apart if apart.kind == "expiry" for at in apart.addresses}
    for apart in impact.apart:
        if apart.kind == "expiring" and moved.issuperset(apart.addresses):
            continue
        whole = apart.kind in ("expired", "human") and everything <= set(apart.addresses)
        if apart.kind in _APART and not whole:
            yield from (Note(f"{_APART[apart.kind]}{visible(text)}") for text in apart.sentences)


def name(who: Who) -> str:
    """Return the name a plan shows of somebody, or that it shows none."""
    return visible(who.email) if who.email else "a person"


def _named(moves: Iterable[Move]) -> str:
    """Return who, when they are few enough to be read and may be shown; else nothing."""
    users = [who for move in moves for who in move.people]
    return ", ".join(map(name, users)) if 0 < len(users) <= _NAMED and all(who.email for who in users) else ""


def _with_names(text: str, subject: str, names: str) -> str:
    """Return ``ann@acme.com gains …`` for one person, ``2 people (ann@acme.com, bo@acme.com) gain …`` for a few."""
    if not names:
        return text
    predicate = text.removeprefix(subject)
    return f"{names}{predicate}" if subject == people(1) else f"{subject} ({names}){predicate}"


def _escalations(impact: Impact) -> Iterable[Note]:
    gains: defaultdict[tuple[TeamRole, ...], list[Who]] = defaultdict(list)
    for escalation in impact.escalations:
        gains[escalation.gains].append(escalation.who)
    for gained, users in sorted(gains.items(), key=lambda item: -len(item[1])):
        shown = [name(who) for who in users[:_MOST] if who.email]
        more = len(users) - len(shown)
        names = f": {', '.join(shown)}{f' and {more:,} more' if more else ''}" if shown else ""
        yield Note(f"{people(len(users), 'gains', 'gain')} {visible(access_words(gained))}{names}", "risk")


def _upgrade(upgrade: UpgradeImpact) -> Iterable[Note]:
    stage = "Completing the upgrade" if upgrade.stage == "complete" else "The upgrade, once complete,"
    yield _note(
        f"{stage} leaves {people(upgrade.keep)} with exactly what they have and changes {people(upgrade.differ)}; "
        f"{upgrade.pushed:,} of {count(upgrade.groups, 'group')} pushed again.",
        risk=bool(upgrade.differ),
    )
    yield from _ways(upgrade.moves, "Once complete: ")
    if lost := upgrade.org_admins_lost:
        names = ", ".join(name(who) for who in lost[:_MOST] if who.email)
        yield Note(f"{people(len(lost), 'is', 'are')} org admin no longer{f': {names}' if names else ''}.", "risk")


def partly_named(impact: Impact) -> bool:
    """Return whether the access of users changes whom this plan does not name."""
    return any(move.size and not any(who.email and "@" in who.email for who in move.people) for move in impact.moves)


def user_moves(impact: Impact) -> list[UserMove]:
    """Return who has what before and after a plan, and because of which changes."""
    moves = []
    for move in impact.moves:
        names = tuple(visible(who.email) for who in move.people if who.email)
        moves.append(
            UserMove(
                move.kind,
                _team_roles(move.before) or "nothing",
                _team_roles(move.after) or "nothing",
                visible(", ".join(move.because)),
                move.on_default,
                names,
                move.size - len(names),
            )
        )
    return moves


def flows(impact: Impact) -> list[Flow]:
    """Return what users lose and gain, the largest flow first."""
    listed = []
    for shift, size in shifts(impact.moves):
        lost = [*shift.lost, *(TeamRole(level.team, level.before) for level in shift.levels)]
        listed.append(Flow(_team_roles(lost) or "nothing", _gained(shift), size, _kind(shift)))
    return listed


def _gained(shift: Shift) -> str:
    if shift.bare:
        return "nothing: left with nothing at all"
    if shift.default:
        return f"only the default: {_team_roles(shift.default)}"
    return _team_roles([*shift.gained, *(TeamRole(level.team, level.after) for level in shift.levels)]) or "nothing"


def _kind(shift: Shift) -> str:
    """Return ``lose`` for those who fall back to the default, or to nothing, whatever that gives."""
    if shift.default or shift.bare or (shift.loses and not shift.gains):
        return "lose"
    return "change" if shift.loses else "gain"


def _team_roles(access: Sequence[TeamRole]) -> str:
    return visible(access_words(access)) if access else ""


def user_table(plan: Plan) -> Table:
    """Return a table with a row for each user whose access changes. ``people`` is 1 unless a row stands for several
    whom the plan does not name.

    Where users were not read completely the last rows are of kind ``unknown``: one for each change of a mapping, with
    the members that the org counts, or one without a number.
    """
    return Table(COLUMNS, (*_user_rows(plan.impact), *(_unknown(plan) if USERS in plan.unread else ())))


def _user_rows(impact: Impact) -> Iterator[tuple[str, ...]]:
    for move in impact.moves:
        access = (_listed(move.before), _listed(move.after), "yes" if move.on_default else "no")
        because = "; ".join(move.because)
        emails = [who.email for who in move.people if who.email]
        yield from ((email, "1", move.kind, *access, because) for email in emails)
        if len(emails) < move.size:
            yield ("", str(move.size - len(emails)), move.kind, *access, because)


def _unknown(plan: Plan) -> Iterator[tuple[str, ...]]:
    for at, number in sorted(plan.impact.members.items()):
        yield ("", str(number), "unknown", "", "", "", at)
    if not plan.impact.members:
        yield ("", "", "unknown", "", "", "", "")


def _listed(access: Iterable[TeamRole]) -> str:
    return "; ".join(f"{team_role.team} {team_role.role}" for team_role in access)
