"""Relate the users who lose access to WRITER's usage data: evidence of use only, never of its absence.

A row has the user's full name, and the email address only where there is no name. A user is matched if the address has
exactly one row, or if the name belongs to one user of the org and to one row. Whether any other user uses WRITER is
unknown.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.policy import TeamRole
from rolecall.model.roles import ORG_ADMIN, RANK
from rolecall.model.usage import TeamUsage, Usage, UsageRow
from rolecall.plan.value import Impact


class Losing(NamedTuple):
    """A user who loses something, and the teams that the user loses."""

    email: str
    teams: frozenset[str]


def losing_users(impact: Impact) -> list[Losing]:
    """Return the users who lose something, as guards count them. The moves must name their users."""
    users = []
    for move in impact.moves:
        if not _entitlements(move.before) <= _entitlements(move.after):
            teams = frozenset(role.team for role in move.before) - {role.team for role in move.after}
            users += [Losing(normalise.email(who.email), teams - {""}) for who in move.people if who.email]
    return users


def _entitlements(team_roles: Iterable[TeamRole]) -> set[TeamRole]:
    """Return each role with those that it includes (R9), and org admin of the org as a role without a team (R21)."""
    ranked = {rank: role for role, rank in RANK.items() if role != ORG_ADMIN}
    entitlements = set()
    for team, role in team_roles:
        own = [name for rank, name in ranked.items() if rank <= RANK[role]] if role in RANK else [role]
        entitlements |= {TeamRole(team, name) for name in own if team}
        entitlements |= {TeamRole("", ORG_ADMIN)} if role == ORG_ADMIN else set()
    return entitlements


def usage_of(
    users: Collection[Losing], month: str, records: Sequence[UsageRow], directory: Directory, *, whole: bool
) -> Usage:
    """Return the evidence that users who lose access use WRITER.

    ``directory`` has the names of users; ``whole``: it has all users of the org, without which no name is known to
    belong to one user only.
    """
    tokens = _tokens_by_email(records, {user.email for user in users}, directory if whole else Directory())
    teams: defaultdict[str, list[str]] = defaultdict(list)
    for user in users:
        for team in user.teams:
            teams[team].append(user.email)
    counted = (_team(team, listed, tokens) for team, listed in teams.items())
    return Usage(
        month,
        losing=len(users),
        matched=len(tokens),
        used=sum(map(bool, tokens.values())),
        teams=tuple(sorted(counted, key=lambda team: (-team.losing, team.team))),
    )


def _team(team: str, emails: Collection[str], tokens: Mapping[str, int]) -> TeamUsage:
    matched = [tokens[email] for email in emails if email in tokens]
    return TeamUsage(team, len(emails), len(matched), sum(map(bool, matched)))


def _tokens_by_email(records: Sequence[UsageRow], emails: Collection[str], directory: Directory) -> dict[str, int]:
    """Return the tokens of each of these users who has exactly one row, by email address."""
    by_name = _unique((_plain(record.name), record.tokens) for record in records if record.name)
    addresses = [(normalise.email(record.name), record.tokens) for record in records if "@" in record.name]
    tokens = {email: number for email, number in _unique(addresses).items() if email in emails}
    by_address = dict(addresses)
    names = {number: _plain(profile.name) for number, profile in directory.profiles.items() if profile.name}
    users_by_name = Counter(names.values())
    for number, plain in names.items():
        email = normalise.email(directory.emails[number])
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
