"""Moves of access as plain sentences, the same for the same plan: the headline, and one for each kind of move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN, RANK, TEAM_ADMIN
from rolecall.plan.value import Impact, Move, Tally

_MOST = 3


class Level(NamedTuple):
    """A team in which users hold another role than before."""

    team: str
    before: str
    after: str


class Shift(NamedTuple):
    """What users lose and gain alike, however different the rest of what they have is.

    ``default`` is what they are left with when that is the default alone, ``bare`` that they are left with nothing.
    ``levels`` are teams that stay, in another ranked role. A team role without a role is a team that comes with
    org admin (R21), and a level without a role is that of an org admin who stays one.
    """

    lost: tuple[TeamRole, ...]
    gained: tuple[TeamRole, ...]
    default: tuple[TeamRole, ...] = ()
    bare: bool = False
    levels: tuple[Level, ...] = ()

    @property
    def loses(self) -> bool:
        """Whether something is lost, a higher role in a team included."""
        return bool(self.lost) or any(_rank(level.after) < _rank(level.before) for level in self.levels)

    @property
    def gains(self) -> bool:
        """Whether something is gained, a higher role in a team included."""
        return bool(self.gained) or any(_rank(level.after) > _rank(level.before) for level in self.levels)


def _rank(role: str) -> int:
    return RANK[role or ORG_ADMIN]


def headline(impact: Impact, tallies: Mapping[Shift, Tally] | None = None) -> str:
    """``40 people move from Marketing to Brand, as members. Org admins stay 4.`` Empty when users were not read, and
    where those that were read do not move, but not all were.

    ``tallies`` are the impact's moves by shift, for who has them at hand.
    """
    if impact.people is None:
        return ""
    tallies = by_shift(impact.moves) if tallies is None else tallies
    by_size = ranked(tallies)
    parts = [sentence(*by_size[0])] if by_size else [] if impact.problem else ["Nobody's access changes."]
    if len(by_size) > 1:
        parts.append(_remaining(impact, tallies[by_size[0][0]]))
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
    counts_by_shift: dict[Shift, dict[str, int]] = {}
    for move in moves:
        counts = counts_by_shift.setdefault(shift_of(move), {"gain": 0, "lose": 0, "change": 0})
        counts[move.kind] += move.size
    return {shift: Tally(**counts) for shift, counts in counts_by_shift.items()}


def ranked(tallies: Mapping[Shift, Tally]) -> list[tuple[Shift, int]]:
    """Shifts with their numbers of people: the largest first; in a tie those who fall to the default."""
    sizes = ((shift, tally.total) for shift, tally in tallies.items())
    return sorted(sizes, key=lambda sized: (-sized[1], not sized[0].default, sized[0]))


def shift_of(move: Move) -> Shift:
    """The part of a move that differs: teams that come and go, and teams that stay in another role."""
    before, after = frozenset(move.before), frozenset(move.after)
    lost, gained = before - after, after - before
    was, now = _ranked(lost), _ranked(gained)
    levels = tuple(Level(team, was[team], now[team]) for team in sorted(was.keys() & now.keys()))
    staying = frozenset(level.team for level in levels)
    ends = {role for _, role in before}, {role for _, role in after}
    stays_admin = all(ORG_ADMIN in roles for roles in ends)
    return Shift(
        _outside(lost, staying, stays_admin or any(level.before == ORG_ADMIN for level in levels)),
        _outside(gained, staying, stays_admin or any(level.after == ORG_ADMIN for level in levels)),
        move.after if move.to_default else (),
        not move.after,
        levels if not stays_admin else tuple(map(_of_admin, levels)),
    )


def _ranked(team_roles: Iterable[TeamRole]) -> dict[str, str]:
    return {team: role for team, role in team_roles if role in RANK}


def _of_admin(level: Level) -> Level:
    before, after = ("" if role == ORG_ADMIN else role for role in (level.before, level.after))
    return Level(level.team, before, after)


def _outside(team_roles: Iterable[TeamRole], staying: frozenset[str], admin_reported: bool) -> tuple[TeamRole, ...]:
    """Return the team roles outside the teams that stay. A team that comes with org admin has no role where
    ``admin_reported``: the users are and stay org admin, or a level says that they are or were."""
    outside = (team_role for team_role in team_roles if team_role.role not in RANK or team_role.team not in staying)
    return tuple(sorted(TeamRole(team, "" if admin_reported and role == ORG_ADMIN else role) for team, role in outside))


def sentence(shift: Shift, size: int) -> str:
    """One sentence, or two where people might think they are locked out."""
    lost, gained = shift.lost, shift.gained
    if not shift.levels and lost and gained and not shift.default and (moved := _exchange(lost, gained, size)):
        return moved
    acts = _level_acts(shift.levels, size)
    acts += [f"{'loses' if size == 1 else 'lose'} {access_words(lost)}"] if lost else []
    if shift.bare:
        acts.append(f"{_are(size)} left with nothing")
    elif shift.default:
        acts.append(f"{'falls' if size == 1 else 'fall'} back to the default ({access_words(shift.default)})")
    elif gained:
        acts.append(f"{'gains' if size == 1 else 'gain'} {access_words(gained)}")
    signs_in = f" {'The person' if size == 1 else 'They'} can still sign in." if shift.default else ""
    return f"{people(size)} {enumerate_words(acts, len(acts))}.{signs_in}"


def _level_acts(levels: Iterable[Level], size: int) -> list[str]:
    """``moves from team admin to member in X and Y``; org admin is no role in a team."""
    teams: dict[tuple[str, str], list[str]] = {}
    for team, before, after in levels:
        teams.setdefault((before, after), []).append(team)
    acts = []
    for (before, after), named in teams.items():
        listed = enumerate_words(named)
        if not before or not after:
            also = f"now {role_word(after)}" if after else f"before also {role_word(before)}"
            acts.append(f"{'stays' if size == 1 else 'stay'} org admin ({also} in {listed})")
            continue
        was = f"{role_word(before)} in {listed}" if after == ORG_ADMIN else role_word(before)
        now = role_word(after) if after == ORG_ADMIN else f"{role_word(after)} in {listed}"
        acts.append(f"{'moves' if size == 1 else 'move'} from {was} to {now}")
    return acts


def access_words(access: Sequence[TeamRole]) -> str:
    """``Brand member, Legal team admin and 3 more``; org admin is org-wide: ``org admin (org-wide, team IT)``."""
    teams = [team_role.team for team_role in access if team_role.role == ORG_ADMIN and team_role.team]
    parts = [
        f"{team_role.team} {role_word(team_role.role)}".strip() for team_role in access if team_role.role != ORG_ADMIN
    ]
    if len(teams) or any(team_role.role == ORG_ADMIN for team_role in access):
        named = f", team{'' if len(teams) == 1 else 's'} {enumerate_words(teams)}" if teams else ""
        parts.insert(0, f"org admin (org-wide{named})")
    return enumerate_words(parts)


def role_word(role: str) -> str:
    """A role inside a sentence."""
    return {ORG_ADMIN: "org admin", TEAM_ADMIN: "team admin"}.get(role, role)


def people(number: int, singular: str = "", plural: str = "") -> str:
    """``1 person loses``, ``212 people lose``."""
    return f"1 person {singular}".strip() if number == 1 else f"{number:,} people {plural}".strip()


def enumerate_words(items: Sequence[str], most: int = _MOST) -> str:
    """``a``, ``a and b``, ``a, b and c``; past ``most`` the rest as a number."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most:,} more"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "nothing"


def tally_words(tally: Tally) -> str:
    """``9 gain, 6 lose and 3 change``; verbs for one or many alike."""
    counts = ((tally.gain, "gain"), (tally.lose, "lose"), (tally.change, "change"))
    return enumerate_words([f"{number:,} {verb}{'s' if number == 1 else ''}" for number, verb in counts if number])


def _exchange(lost: Sequence[TeamRole], gained: Sequence[TeamRole], size: int) -> str:
    """Teams or a role that only change places, in a sentence; nothing where it is not that simple."""
    was, now = {team_role.role for team_role in lost}, {team_role.role for team_role in gained}
    teams, came = [team_role.team for team_role in lost], [team_role.team for team_role in gained]
    moves = people(size, "moves", "move")
    if len(was) != 1 or len(now) != 1 or ORG_ADMIN in was ^ now:
        return ""
    if teams == came:
        return f"{moves} from {role_word(*was)} to {role_word(*now)} in {enumerate_words(teams)}."
    if was != now:
        return ""
    role = role_word(*was) or "org admin"
    return f"{moves} from {enumerate_words(teams)} to {enumerate_words(came)}, as {_plural(role, size)}."


def _plural(noun: str, size: int) -> str:
    return f"{noun}s" if size != 1 else f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"


def _are(size: int) -> str:
    return "is" if size == 1 else "are"


def _remaining(impact: Impact, first: Tally) -> str:
    remaining = impact.changed - first.total
    counts = {
        "gain": impact.gain - first.gain,
        "lose": impact.lose - first.lose,
        "change": impact.change - first.change,
    }
    kinds = [kind for kind, number in counts.items() if number]
    if len(kinds) == 1:
        verb = {"gain": "gain", "lose": "lose", "change": "change"}[kinds[0]]
        return f"{remaining:,} {'other' if remaining == 1 else 'others'} {verb}{'s' if remaining == 1 else ''} access."
    return f"Of {remaining:,} others {tally_words(Tally(**counts))}."
