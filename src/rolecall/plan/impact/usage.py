"""Relate the users who lose access to WRITER's usage data: evidence of use only, never of its absence.

A row has the user's full name, and the email address only where there is no name. A user is matched if the address has
exactly one row, or if the name belongs to one user of the org and to one row. Whether any other user uses WRITER is
unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.usage import TeamUsage, Usage, UsageRow
from rolecall.plan.headline import shift_of
from rolecall.plan.value import Impact, Move


def losing_moves(impact: Impact) -> list[Move]:
    """Return the moves of users who lose something."""
    return [move for move in impact.moves if shift_of(move).loses]


def usage_of(impact: Impact, month: str, rows: Sequence[UsageRow], directory: Directory, *, whole: bool) -> Usage:
    """Return the evidence that users who lose access use WRITER. The moves must name their users.

    ``directory`` has the names of users; ``whole``: it has all users of the org, without which no name is known to
    belong to one user only.
    """
    moves = losing_moves(impact)
    emails = {normalise.email(who.email) for move in moves for who in move.people if who.email}
    tokens = _tokens_by_email(rows, emails, directory if whole else Directory())
    teams: defaultdict[str, list[str]] = defaultdict(list)
    for move in moves:
        lost = {team_role.team for team_role in shift_of(move).lost if team_role.team}
        listed = [normalise.email(who.email) for who in move.people if who.email]
        for team in lost:
            teams[team] += listed
    counted = (_team(team, listed, tokens) for team, listed in teams.items())
    return Usage(
        month,
        losing=sum(move.size for move in moves),
        matched=len(tokens),
        used=sum(map(bool, tokens.values())),
        teams=tuple(sorted(counted, key=lambda team: (-team.losing, team.team))),
    )


def _team(team: str, emails: Collection[str], tokens: Mapping[str, int]) -> TeamUsage:
    matched = [tokens[email] for email in emails if email in tokens]
    return TeamUsage(team, len(emails), len(matched), sum(map(bool, matched)))


def _tokens_by_email(rows: Sequence[UsageRow], emails: Collection[str], directory: Directory) -> dict[str, int]:
    """Return the tokens of each of these users who has exactly one row, by email address."""
    by_name = _unique((_plain(row.name), row.tokens) for row in rows if row.name)
    addresses = [(normalise.email(row.name), row.tokens) for row in rows if "@" in row.name]
    tokens = {email: number for email, number in _unique(addresses).items() if email in emails}
    by_address = dict(addresses)
    users_by_name = Counter(map(_plain, directory.full_names.values()))
    for number, name in directory.full_names.items():
        email, plain = normalise.email(directory.emails[number]), _plain(name)
        if email in emails and email not in by_address and users_by_name[plain] == 1 and plain in by_name:
            tokens[email] = by_name[plain]
    return tokens


def _unique(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the number of each name that occurs once."""
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for name, number in pairs:
        numbers[name].append(number)
    return {name: listed[0] for name, listed in numbers.items() if len(listed) == 1}


def _plain(name: str) -> str:
    """Return a name as names are compared: without case, with single spaces."""
    return normalise.caseless(" ".join(name.split()))
