"""Run access tests over all users: how many may have a role, from which domains, and which team roles no user may have
together.

Users are grouped by their access, so that 100,000 users take as long as the few kinds of access they have.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from rolecall.access.entitlements import rank
from rolecall.access.evaluate import masks
from rolecall.access.person import ORG_LEVEL, Access, effective
from rolecall.access.rules import Rules
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, Person, Traits
from rolecall.model.kinds import address
from rolecall.model.policy import AccessTest, TeamRole
from rolecall.plan.headline import access_words, count_users, role_word
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail

_CAUSES = 5
_EXAMINED = 1_000
"""The most users of a failure whose causes are found one by one; the others are counted."""
_NAMED = 5
_WORDS: Mapping[str, str] = {
    "default": "default access",
    "saml": "default access",
    "invite": "an invitation",
    "manual": "an edit in the console",
    "attribute": "the role attribute",
    ORG_LEVEL: "a role at org level",
}


class Excess(NamedTuple):
    """Users who have what a test forbids: in words, by number, and by cause."""

    message: str
    users: Sequence[int]
    details: tuple[Detail, ...]


def about_all_users(test: AccessTest) -> bool:
    """Return whether a test is about all users, so that it needs every one of them."""
    return test.at_most is not None or test.only_domains is not None or test.never_together is not None


def reaches(role: str, minimum: str) -> bool:
    """Return whether a role is this one, or a higher ranked one (R9)."""
    return role == minimum or (rank(minimum) > 0 and rank(role) > rank(minimum))


class Population:
    """All users under some rules. ``desired`` has the places of the mappings, if there is a configuration."""

    def __init__(self, rules: Rules, directory: Directory, desired: Desired | None) -> None:
        self._rules, self._directory, self._desired = rules, directory, desired
        self._known: dict[tuple[tuple[int, ...], Traits], Access] = {}

    def excesses(self, test: AccessTest) -> Iterator[Excess]:
        """Yield what is wrong by a test, as far as users were read."""
        if test.role is not None and (test.at_most is not None or test.only_domains is not None):
            yield from self._holders(test, test.role)
        if test.never_together is not None:
            yield from self._together(test.never_together)

    def _holders(self, test: AccessTest, role: str) -> Iterator[Excess]:
        holders = self._having(role)
        role_name = role_word(role)
        if test.at_most is not None and len(holders) > test.at_most:
            users = count_users(len(holders), f"is {role_name}", f"are {role_name}")
            message = f"{users}; the limit is {test.at_most:,}"
            yield self._excess(message, holders, lambda access: [_sources(access, role)])
        if test.only_domains is not None:
            emails, allowed = self._directory.emails, set(test.only_domains)
            outside = [number for number in holders if normalise.domain_of(emails[number]) not in allowed]
            if outside:
                users = count_users(len(outside), f"is {role_name} and has", f"are {role_name} and have")
                message = f"{users} no address at {' or '.join(sorted(allowed))}"
                yield self._excess(message, outside, lambda access: [_sources(access, role)])

    def _together(self, excluded: tuple[TeamRole, ...]) -> Iterator[Excess]:
        entitlements = self._rules.entitlements
        teams = [entitlements.team_bit(team_role.team) for team_role in excluded]
        users: list[int] = []
        for mask, numbers in self._by_mask.items():
            if all(mask & team for team in teams) and _includes_all(entitlements.team_roles(mask), excluded):
                users += numbers
        if users:
            listed = " and ".join(access_words([team_role]) for team_role in excluded)
            message = f"{count_users(len(users), 'has', 'have')} {listed} together"
            yield self._excess(message, sorted(users), lambda access: [_granting(access, item) for item in excluded])

    def _having(self, role: str) -> list[int]:
        """Return the users with a role in any team or at org level, ascending."""
        by_mask, has_role = self._by_mask, self._rules.entitlements.holder_test(role)
        users = {number for mask, numbers in by_mask.items() if has_role(mask) for number in numbers}
        uncommon = self._directory.others.items()
        users |= {n for n, t in uncommon if t.present and t.org_role is not None and t.org_role.role == role}
        return sorted(users)

    @cached_property
    def _by_mask(self) -> Mapping[int, array[int]]:
        by_mask: dict[int, array[int]] = {}
        for number, mask in masks(self._rules, self._directory):
            if mask in by_mask:
                by_mask[mask].append(number)
            else:
                by_mask[mask] = array("I", (number,))
        return by_mask

    def _excess(self, message: str, users: Sequence[int], sources: Callable[[Access], Iterable[str]]) -> Excess:
        """Return the excess with the users of each cause, those of most users first."""
        by_cause: dict[tuple[str, ...], list[int]] = {}
        for number in users[:_EXAMINED]:
            by_cause.setdefault(tuple(dict.fromkeys(sources(self._access(number)))), []).append(number)
        ordered = sorted(by_cause.items(), key=lambda item: (-len(item[1]), item[0]))
        details = [self._detail(cause, numbers) for cause, numbers in ordered[:_CAUSES]]
        more = sum(len(numbers) for _, numbers in ordered[_CAUSES:]) + len(users[_EXAMINED:])
        if more:
            details.append(Detail(f"And {count_users(more)} by these or other causes"))
        return Excess(message, users, tuple(details))

    def _detail(self, cause: Sequence[str], users: Sequence[int]) -> Detail:
        names = name_some(self._directory, users, _NAMED)
        listed = [self._cause(source) for source in cause]
        if len(listed) == 1:
            text, where = listed[0]
            return Detail(f"By {text}: {names}", where)
        texts = [f"{text} ({where.file}:{where.line})" if where else text for text, where in listed]
        return Detail(f"By {' and '.join(texts)}: {names}")

    def _cause(self, source: str) -> tuple[str, Where | None]:
        kind, _, name = source.partition(":")
        at = address("idp_groups", name) if kind == "group" else address("defaults") if kind in _DEFAULTS else None
        where = None if at is None or self._desired is None else self._desired.intent(at).source
        return (str(at), where) if kind == "group" else (_WORDS.get(kind, kind), where)

    def _access(self, number: int) -> Access:
        directory = self._directory
        groups = tuple(directory.members[directory.offsets[number] : directory.offsets[number + 1]])
        key = groups, directory.traits(number)
        if key not in self._known:
            names = tuple(directory.groups[group] for group in groups)
            self._known[key] = effective(self._rules, Person("", groups=names, traits=key[1]))
        return self._known[key]


_DEFAULTS = ("default", "saml")


def _includes(has: TeamRole, minimum: TeamRole) -> bool:
    return has.team == minimum.team and reaches(has.role, minimum.role)


def _includes_all(team_roles: Sequence[TeamRole], excluded: Iterable[TeamRole]) -> bool:
    return all(any(_includes(has, team_role) for has in team_roles) for team_role in excluded)


def _sources(access: Access, role: str) -> str:
    """Return the source of a role that a user has in some team, or at org level."""
    if access.org_role is not None and access.org_role.role == role:
        return ORG_LEVEL
    return next((granted.reasons[0].source for granted in access.team_roles if granted.role == role), ORG_LEVEL)


def _granting(access: Access, team_role: TeamRole) -> str:
    """Return the source of at least this team role."""
    return next(g.reasons[0].source for g in access.team_roles if _includes(g.team_role, team_role))
