"""Record who holds privileged access and how many users have each role and team, at one moment of a whole org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rolecall.access.evaluate import group_masks
from rolecall.access.person import ORG_LEVEL, Granted, effective
from rolecall.access.rules import Rules, compile_access
from rolecall.access.tally import tally
from rolecall.model.desired import Desired
from rolecall.model.directory import PLAIN, Directory, Person
from rolecall.model.kinds import address
from rolecall.model.live import Live
from rolecall.model.policy import OrgRole, TeamRole
from rolecall.model.roles import MEMBER
from rolecall.model.run import Run
from rolecall.model.settings import Address
from rolecall.model.sighting import Holding, Sighting
from rolecall.plan.coverage import people_coverage
from rolecall.plan.moves import who


class AccessRecord(NamedTuple):
    """An access record, the number of active users without access, and the number of org admins."""

    sighting: Sighting
    without_access: int
    org_admins: int


def record_access(
    live: Live,
    directory: Directory,
    desired: Desired,
    at: datetime,
    rules: Rules | None = None,
) -> AccessRecord:
    """Record the access of every user in the directory. ``desired`` is keyed by live names; ``rules`` are the live
    ones, where they are compiled already.

    ``complete`` says whether all users and rules were read.
    """
    rules = rules or compile_access(live.settings, live.facts)
    counts = tally(rules, directory)
    holdings = tuple(sorted(_holdings(rules, directory, counts.privileged, desired, live.facts.org_id)))
    roles, teams = dict(sorted(counts.roles.items())), dict(sorted(counts.teams.items()))
    whole = people_coverage(directory, rules.scim.groups).state == "complete" and not rules.missing
    nobody = counts.without_access - (len(directory) - directory.active_people)
    admins = len({holding.id for holding in holdings if holding.role == "org_admin"})
    return AccessRecord(Sighting(at, holdings, roles, teams, whole), nobody, admins)


def _source(desired: Desired, at: Address) -> str | None:
    """Return the file and line of an entry."""
    source = desired.intent(at).source
    return f"{source.file}:{source.line}" if source else None


def _holdings(
    rules: Rules, directory: Directory, numbers: Iterable[int], desired: Desired, org_id: str
) -> Iterator[Holding]:
    privileges, at_org_level = Privileges(rules, directory), _at_org_level(directory)
    yield from (_org_level(directory, number, org_role, org_id) for number, org_role in at_org_level.items())
    sources: dict[Address | None, str | None] = {None: None}
    for number in numbers:
        person = who(directory, number, org_id)
        for granted in privileges.of(number):
            at = _mapping(granted)
            if at is not None and at not in sources:
                sources[at] = _source(desired, at)
            reasons = tuple(reason.source for reason in granted.reasons)
            yield Holding(directory.emails[number], person.id, granted.role, granted.team, reasons, at, sources[at])


def _at_org_level(directory: Directory) -> dict[int, OrgRole]:
    """Return the role at org level of each user in the org who has one (R36)."""
    present = ((number, traits.org_role) for number, traits in directory.others.items() if traits.present)
    return {number: org_role for number, org_role in present if org_role is not None}


def _org_level(directory: Directory, number: int, org_role: OrgRole, org_id: str) -> Holding:
    return Holding(directory.emails[number], who(directory, number, org_id).id, org_role.role, "", (ORG_LEVEL,))


class Privileges:
    """The roles of users above member, with reasons. Plain users with the same deciding groups are evaluated once.

    The deciding groups are those that give a role above member, and those that give any role in the same team: all
    reasons for a team role are in its team (R9, R32). Users without any of them have default access (R7).
    """

    def __init__(self, rules: Rules, directory: Directory) -> None:
        self._rules = rules
        self._directory = directory
        self._masks = group_masks(rules, directory)
        self._above = [self._teams_above(rules.scim.groups.get(name, ())) for name in directory.groups]
        self._known: dict[tuple[int, ...], tuple[Granted, ...]] = {}

    def of(self, number: int) -> tuple[Granted, ...]:
        """Return what a user has above member, as ``effective`` gives it."""
        directory = self._directory
        if directory.traits(number) != PLAIN:
            return self._granted(directory.person(number))
        groups = directory.members[directory.offsets[number] : directory.offsets[number + 1]]
        teams = 0
        for group in groups:
            teams |= self._above[group]
        deciding = tuple(group for group in groups if self._masks[group] & teams)
        if deciding not in self._known:
            names = tuple(directory.groups[group] for group in deciding)
            self._known[deciding] = self._granted(Person("", groups=names))
        return self._known[deciding]

    def _granted(self, person: Person) -> tuple[Granted, ...]:
        return tuple(granted for granted in effective(self._rules, person).team_roles if granted.role != MEMBER)

    def _teams_above(self, team_roles: Iterable[TeamRole]) -> int:
        teams = 0
        for team_role in team_roles:
            teams |= self._rules.entitlements.team_bit(team_role.team) if team_role.role != MEMBER else 0
        return teams


def _mapping(granted: Granted) -> Address | None:
    kind, _, name = granted.reasons[0].source.partition(":")
    return address("idp_groups", name) if kind == "group" else None


class Evidence(NamedTuple):
    """A team role above member. ``run`` is the run that wrote its mapping, None where the journal has none: for a
    mapping that was made in the console, or before there was a journal."""

    holding: Holding
    run: Run | None = None

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Return who approved the run behind it."""
        return () if self.run is None else tuple(dict.fromkeys(approval.by for approval in self.run.approvals))


@dataclass(frozen=True, slots=True)
class SeenAt:
    """The last access record at or before a moment, and the first one after it. ``by`` is the run that recorded it."""

    org_id: str
    org_name: str
    env: str | None
    sighting: Sighting
    after: Sighting | None
    evidence: tuple[Evidence, ...]
    by: Run | None = None
