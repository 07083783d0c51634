"""Moves of access as plain sentences, the same for the same plan: the headline, and one for each kind of move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.model.policy import Combo
from rolecall.model.roles import ORG_ADMIN, RANK, TEAM_ADMIN
from rolecall.plan.value import Impact, Move, Tally

_MOST = 3


class Shift(NamedTuple):
    """What people lose and gain alike, however different the rest of what they have is.

    ``default`` is what they are left with when that is the default alone, ``bare`` that they are left with nothing.
    """

    lost: tuple[Combo, ...]
    gained: tuple[Combo, ...]
    default: tuple[Combo, ...] = ()
    bare: bool = False


def headline(impact: Impact, told: Mapping[Shift, Tally] | None = None) -> str:
    """``40 people move from Marketing to Brand, as members. Org admins stay 4.`` Empty when people were not read.

    ``told`` are the impact's moves by shift, for who has them at hand.
    """
    if impact.people is None:
        return ""
    told = by_shift(impact.moves) if told is None else told
    said = ranked(told)
    parts = [sentence(*said[0])] if said else ["Nobody's access changes."]
    if len(said) > 1:
        parts.append(_others(impact, told[said[0][0]]))
    if impact.escalations:
        who = people(len(impact.escalations), "gains", "gain")
        parts.append(f"{who} rights above member.")
    if impact.org_admins is not None:
        before, after = impact.org_admins
        parts.append(
            f"Org admins stay {after:,}." if before == after else f"Org admins go from {before:,} to {after:,}."
        )
    return " ".join(parts)


def shifts(moves: Iterable[Move]) -> list[tuple[Shift, int]]:
    """Each shift with its number of people: the largest first."""
    return ranked(by_shift(moves))


def by_shift(moves: Iterable[Move]) -> dict[Shift, Tally]:
    """Each shift with its people, by whether they gain, lose or change; moves of one shift may differ in that."""
    found: dict[Shift, dict[str, int]] = {}
    for move in moves:
        counts = found.setdefault(shift_of(move), {"gain": 0, "lose": 0, "change": 0})
        counts[move.kind] += move.size
    return {shift: Tally(**counts) for shift, counts in found.items()}


def ranked(told: Mapping[Shift, Tally]) -> list[tuple[Shift, int]]:
    """Shifts with their numbers of people: the largest first; in a tie those who fall to the default."""
    sizes = ((shift, tally.total) for shift, tally in told.items())
    return sorted(sizes, key=lambda row: (-row[1], not row[0].default, row[0]))


def shift_of(move: Move) -> Shift:
    """The part of a move that differs. Whoever rises in a team loses nothing there, except in a mere change of role."""
    before, after = frozenset(move.before), frozenset(move.after)
    lost, gained = before - after, after - before
    if {team for team, _ in lost} != {team for team, _ in gained}:
        lost, gained = _not_within(lost, after), _not_within(gained, before)
    return Shift(
        tuple(sorted(lost)),
        tuple(sorted(gained)),
        move.after if move.to_default else (),
        not move.after,
    )


def _not_within(these: Iterable[Combo], those: Iterable[Combo]) -> frozenset[Combo]:
    """Combos that none of the others holds already, such as member below team admin (R9)."""
    ranks = {(team, RANK.get(role, 0)) for team, role in those}
    return frozenset(
        Combo(team, role)
        for team, role in these
        if role not in RANK or not any((team, rank) in ranks for rank in range(RANK[role], 4))
    )


def sentence(shift: Shift, size: int) -> str:
    """One sentence, or two where people might think they are locked out."""
    lost, gained = shift.lost, shift.gained
    if shift.bare:
        return f"{people(size, 'loses', 'lose')} {combos(lost)} and {_are(size)} left with nothing."
    if shift.default:
        falls, back = ("falls" if size == 1 else "fall"), f"the default ({combos(shift.default)})"
        loses = f"{people(size, 'loses', 'lose')} {combos(lost)} and {falls}" if lost else people(size, "falls", "fall")
        return f"{loses} back to {back}. {'The person' if size == 1 else 'They'} can still sign in."
    if not gained:
        return f"{people(size, 'loses', 'lose')} {combos(lost)}."
    if not lost:
        return f"{people(size, 'gains', 'gain')} {combos(gained)}."
    return _exchange(lost, gained, size)


def combos(held: Sequence[Combo]) -> str:
    """``Brand member, Legal team admin and 3 more``."""
    return enumerate_words([f"{combo.team} {role_word(combo.role)}".strip() for combo in held])


def role_word(role: str) -> str:
    """A role inside a sentence."""
    return {ORG_ADMIN: "org admin", TEAM_ADMIN: "team admin"}.get(role, role)


def people(number: int, one: str = "", many: str = "") -> str:
    """``1 person loses``, ``212 people lose``."""
    return f"1 person {one}".strip() if number == 1 else f"{number:,} people {many}".strip()


def enumerate_words(words: Sequence[str], most: int = _MOST) -> str:
    """``a``, ``a and b``, ``a, b and c``; past ``most`` the rest as a number."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most:,} more"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else "nothing"


def tally_words(tally: Tally) -> str:
    """``9 gain, 6 lose and 3 change``; verbs for one or many alike."""
    said = ((tally.gain, "gain"), (tally.lose, "lose"), (tally.change, "change"))
    return enumerate_words([f"{number:,} {verb}{'s' if number == 1 else ''}" for number, verb in said if number])


def _exchange(lost: Sequence[Combo], gained: Sequence[Combo], size: int) -> str:
    was, now = {combo.role for combo in lost}, {combo.role for combo in gained}
    teams, came = [combo.team for combo in lost], [combo.team for combo in gained]
    moves = people(size, "moves", "move")
    if teams == came and len(was) == len(now) == 1:
        return f"{moves} from {role_word(*was)} to {role_word(*now)} in {enumerate_words(teams)}."
    if was == now and len(was) == 1:
        word = role_word(*was)
        return f"{moves} from {enumerate_words(teams)} to {enumerate_words(came)}, as {_plural(word, size)}."
    return f"{people(size, 'loses', 'lose')} {combos(lost)} and {'gains' if size == 1 else 'gain'} {combos(gained)}."


def _plural(word: str, size: int) -> str:
    return f"{word}s" if size != 1 else f"an {word}" if word[:1] in "aeiou" else f"a {word}"


def _are(size: int) -> str:
    return "is" if size == 1 else "are"


def _others(impact: Impact, first: Tally) -> str:
    rest = impact.changed - first.total
    counts = {
        "gain": impact.gain - first.gain,
        "lose": impact.lose - first.lose,
        "change": impact.change - first.change,
    }
    kinds = [kind for kind, number in counts.items() if number]
    if len(kinds) == 1:
        verb = {"gain": "gain", "lose": "lose", "change": "change"}[kinds[0]]
        return f"{rest:,} {'other' if rest == 1 else 'others'} {verb}{'s' if rest == 1 else ''} access."
    return f"Of {rest:,} others {tally_words(Tally(**counts))}."
