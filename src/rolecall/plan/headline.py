"""Write changes of access as sentences: the headline of a plan, and one sentence for each way that access changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN, RANK, TEAM_ADMIN
from rolecall.plan.value import Escalation, Impact, Move, Tally

_MOST = 3

MORE_USERS = "More users may be affected than this plan shows."
"""The end of the problem of an impact where only users are missing."""


class Level(NamedTuple):
    """A team in which users hold another role than before."""

    team: str
    before: str
    after: str

    @property
    def rises(self) -> bool:
        """Return whether the role gives more than before."""
        return _rank(self.after) > _rank(self.before)


class Shift(NamedTuple):
    """The access that a set of users lose and gain; their unchanged access may differ.

    ``default`` is their access afterward where that is default access alone; ``bare``: they have none. ``levels`` are
    teams that they keep, with another ranked role. A team role without a role is a team that comes with org admin
    (R21), and a level without a role is that of an org admin who stays one.
    """

    lost: tuple[TeamRole, ...]
    gained: tuple[TeamRole, ...]
    default: tuple[TeamRole, ...] = ()
    bare: bool = False
    levels: tuple[Level, ...] = ()

    @property
    def loses(self) -> bool:
        """Return whether something is lost, including a higher role in a team."""
        return bool(self.lost) or any(_rank(level.after) < _rank(level.before) for level in self.levels)

    @property
    def gains(self) -> bool:
        """Return whether something is gained, including a higher role in a team."""
        return bool(self.gained) or any(level.rises for level in self.levels)


def _rank(role: str) -> int:
    return RANK[role or ORG_ADMIN]


def headline(impact: Impact, tallies: Mapping[Shift, Tally] | None = None) -> str:
    """Return ``summary_sentences`` as one text; nothing where users were not read.

    ``tallies`` are the moves by shift, for callers that have them.
    """
    return " ".join(summary_sentences(impact, tallies))


def summary_sentences(impact: Impact, tallies: Mapping[Shift, Tally] | None = None) -> list[str]:
    """Return what a plan does to users, the most severe first; nothing where users were not read, or not all were and
    the access of none that were changes.

    First escalations, then how many users lose, change and gain access, the most common way, and the org admins.
    """
    if impact.people is None:
        return []
    by_size = ranked(by_shift(impact.moves) if tallies is None else tallies)
    parts = escalation_sentences(impact)
    if not by_size and not impact.problem:
        parts.append("No user's access changes.")
    elif len(by_size) == 1:
        parts.append(as_far_as_known(impact, sentence(*by_size[0])))
    elif by_size:
        parts.append(counts_sentence(impact))
        parts.append(f"Most common: {sentence(*by_size[0])}")
    if impact.org_admins is not None:
        parts.append(org_admins_sentence(*impact.org_admins))
    return parts


def org_admins_sentence(before: int, after: int) -> str:
    """Return ``Org admins: 5, unchanged.`` or ``Org admins: 5 → 7.``."""
    return f"Org admins: {before:,}{', unchanged' if before == after else f' → {after:,}'}."


def escalation_sentences(impact: Impact) -> list[str]:
    """Return ``2 users gain org admin.`` and ``1 user gains another role above member.``, as far as they apply."""
    admins = sum(escalation.new_org_admin for escalation in impact.escalations)
    teams = sum(escalation.was_org_admin for escalation in impact.escalations)
    below_org_admin = len(impact.escalations) - admins - teams
    texts = [f"{count_users(admins, 'gains', 'gain')} org admin."] if admins else []
    texts += [f"{count_users(below_org_admin, 'gains', 'gain')} a role above member."] if below_org_admin else []
    texts += [f"{_count_org_admins(teams)} more teams."] if teams else []
    return [as_far_as_known(impact, text) for text in texts]


def escalation_words(escalation: Escalation, number: int) -> str:
    """Return ``2 users gain IT org admin`` for users with the same gains; ``1 org admin gains IT`` where they are org
    admins already."""
    if not escalation.was_org_admin:
        return f"{count_users(number, 'gains', 'gain')} {access_words(escalation.gains)}"
    return f"{_count_org_admins(number)} {enumerate_words([gained.team for gained in escalation.gains])}"


def _count_org_admins(number: int) -> str:
    return "1 org admin gains" if number == 1 else f"{number:,} org admins gain"


def counts_sentence(impact: Impact) -> str:
    """Return ``5 users lose access, 40 users change access and 38 users gain access.``"""
    parts = partition(impact)
    counts = ((parts.lose, "lose"), (parts.change, "change"), (parts.gain, "gain"))
    texts = [count_users(number, f"{verb}s access", f"{verb} access") for number, verb in counts if number]
    return as_far_as_known(impact, f"{enumerate_words(texts)}.")


def partition(impact: Impact) -> Tally:
    """Return how many users only lose, lose and gain, and only gain access. Users who fall back to default access, or
    have none left, lose it, whatever that gives; the counts of the impact have them as change.

    The headline, the guard on users who lose access and the picture of a page count in this way.
    """
    if not impact.moves:
        return Tally(gain=impact.gain, lose=impact.lose, change=impact.change)
    counts = {"gain": 0, "lose": 0, "change": 0}
    for move in impact.moves:
        falls = move.kind == "change" and (move.to_default or not move.after)
        counts["lose" if falls else move.kind] += move.size
    return Tally(**counts)


def as_far_as_known(impact: Impact, text: str) -> str:
    """Return a sentence with a number of users, marked where not everything was read.

    Users who were not read can only add to the number. Settings that were not read, such as SCIM that is off, can make
    it any other.
    """
    if not impact.problem:
        return text
    return f"At least {text}" if impact.problem.endswith(MORE_USERS) else f"From what was read, {text}"


def shifts(moves: Iterable[Move]) -> list[tuple[Shift, int]]:
    """Return each shift with its number of users, the largest first."""
    return ranked(by_shift(moves))


def by_shift(moves: Iterable[Move]) -> dict[Shift, Tally]:
    """Return each shift with its users, by whether they gain, lose or change; moves of one shift may differ in that."""
    counts_by_shift: dict[Shift, dict[str, int]] = {}
    for move in moves:
        counts = counts_by_shift.setdefault(shift_of(move), {"gain": 0, "lose": 0, "change": 0})
        counts[move.kind] += move.size
    return {shift: Tally(**counts) for shift, counts in counts_by_shift.items()}


def ranked(tallies: Mapping[Shift, Tally]) -> list[tuple[Shift, int]]:
    """Return shifts with their numbers of users, the largest first; in a tie, those who fall back to default access."""
    sizes = ((shift, tally.total) for shift, tally in tallies.items())
    return sorted(sizes, key=lambda sized: (-sized[1], not sized[0].default, sized[0]))


def shift_of(move: Move) -> Shift:
    """Return the part of a move that differs: teams that are gained or lost, and teams with another role."""
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
        tuple(team_role for team_role in move.after if team_role.team) if move.falls_back else (),
        not move.after,
        levels if not stays_admin else tuple(map(_of_admin, levels)),
    )


def _ranked(team_roles: Iterable[TeamRole]) -> dict[str, str]:
    return {team: role for team, role in team_roles if role in RANK}


def _of_admin(level: Level) -> Level:
    before, after = ("" if role == ORG_ADMIN else role for role in (level.before, level.after))
    return Level(level.team, before, after)


def _outside(team_roles: Iterable[TeamRole], staying: frozenset[str], admin_reported: bool) -> tuple[TeamRole, ...]:
    """Return the team roles outside the teams that stay. Org admin at org level, which has no team, stays (R36). A team
    that comes with org admin has no role where
    ``admin_reported``: the users are and stay org admin, or a level says that they are or were."""
    in_teams = [
        TeamRole(team_role.team, "") if admin_reported and team_role.role == ORG_ADMIN else team_role
        for team_role in team_roles
        if team_role.team and (team_role.team not in staying or team_role.role not in RANK)
    ]
    return tuple(sorted(in_teams))


def sentence(shift: Shift, size: int) -> str:
    """Return one sentence about the users of a shift."""
    lost, gained = shift.lost, shift.gained
    if not shift.levels and lost and gained and not shift.default and (moved := _exchange(lost, gained, size)):
        return moved
    acts = _level_acts(shift.levels, size)
    acts += [f"{'loses' if size == 1 else 'lose'} {access_words(lost)}"] if lost else []
    if shift.bare:
        acts.append(f"{'has' if size == 1 else 'have'} no access left")
    elif shift.default:
        acts.append(f"{'falls' if size == 1 else 'fall'} back to default access ({access_words(shift.default)})")
    elif gained:
        acts.append(f"{'gains' if size == 1 else 'gain'} {access_words(gained)}")
    return f"{count_users(size)} {enumerate_words(acts, len(acts))}."


def _level_acts(levels: Iterable[Level], size: int) -> list[str]:
    """Return ``moves from team admin to member in X and Y``; org admin is not a role in a team."""
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
    """Return ``Brand member, Legal team admin and 3 more``; org admin is ``org admin (org-wide, team IT)``."""
    teams = [team_role.team for team_role in access if team_role.role == ORG_ADMIN and team_role.team]
    parts = [
        f"{team_role.team} {role_word(team_role.role)}".strip() for team_role in access if team_role.role != ORG_ADMIN
    ]
    if len(teams) or any(team_role.role == ORG_ADMIN for team_role in access):
        named = f", team{'' if len(teams) == 1 else 's'} {enumerate_words(teams)}" if teams else ""
        parts.insert(0, f"org admin (org-wide{named})")
    return enumerate_words(parts)


def role_word(role: str) -> str:
    """Return a role as it is written in a sentence."""
    return {ORG_ADMIN: "org admin", TEAM_ADMIN: "team admin"}.get(role, role)


def count_users(number: int, singular: str = "", plural: str = "") -> str:
    """Return ``1 user loses``, ``212 users lose``."""
    return f"1 user {singular}".strip() if number == 1 else f"{number:,} users {plural}".strip()


def enumerate_words(items: Sequence[str], most: int = _MOST) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``; beyond ``most`` a number for the others."""
    if len(items) > most:
        return f"{', '.join(items[:most])} and {len(items) - most:,} more"
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "nothing"


def tally_words(tally: Tally) -> str:
    """Return ``6 lose, 3 change and 9 gain``."""
    counts = ((tally.lose, "lose"), (tally.change, "change"), (tally.gain, "gain"))
    return enumerate_words([f"{number:,} {verb}{'s' if number == 1 else ''}" for number, verb in counts if number])


def _exchange(lost: Sequence[TeamRole], gained: Sequence[TeamRole], size: int) -> str:
    """Return a sentence for users who only change teams, or only their role; nothing where more differs."""
    was, now = {team_role.role for team_role in lost}, {team_role.role for team_role in gained}
    teams, came = [team_role.team for team_role in lost], [team_role.team for team_role in gained]
    moves = count_users(size, "moves", "move")
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
