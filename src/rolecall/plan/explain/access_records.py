"""Record who holds privileged access and how many users have each role and team, at one moment of a whole org."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rolecall.access.evaluate import masks
from rolecall.access.person import Granted, effective
from rolecall.access.rules import Rules, compile_access
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.model.kinds import address
from rolecall.model.live import Live
from rolecall.model.roles import MEMBER
from rolecall.model.run import Run
from rolecall.model.settings import Address
from rolecall.model.sighting import Holding, Sighting
from rolecall.plan.coverage import people_coverage
from rolecall.plan.moves import who


class AccessRecord(NamedTuple):
    """A sighting, and two numbers beside it: active people without any access, and org admins."""

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
    """See every user in the directory. ``desired`` is keyed by live names; ``rules`` are the live ones, where they have
    been compiled already.

    ``complete`` says whether everybody was there to be seen and the rules could be relied on.
    """
    rules = rules or compile_access(live.settings, live.facts)
    alike: dict[int, array[int]] = {}
    for number, mask in masks(rules, directory):
        alike.setdefault(mask, array("I")).append(number)
    sizes = {mask: len(numbers) for mask, numbers in alike.items()}
    holders = sorted(n for mask, found in alike.items() if rules.atoms.above_member(mask) for n in found)
    holdings = tuple(sorted(_holdings(rules, directory, holders, desired, live.facts.org_id)))
    roles, teams = _counts(rules, sizes)
    whole = people_coverage(directory, rules.scim.groups).state == "complete" and not rules.missing
    nobody = sum(directory.traits(n).present for n in alike.get(0, ()))
    admins = len({holding.id for holding in holdings if holding.role == "org_admin"})
    return AccessRecord(Sighting(at, holdings, roles, teams, whole), nobody, admins)


def _source(desired: Desired, at: Address) -> str | None:
    """The file and line of an entry."""
    source = desired.intent(at).source
    return f"{source.file}:{source.line}" if source else None


def _holdings(
    rules: Rules, directory: Directory, numbers: Iterable[int], desired: Desired, org_id: str
) -> Iterator[Holding]:
    for number in numbers:
        person = who(directory, number, org_id)
        for granted in effective(rules, directory.person(number)).combos:
            if granted.role != MEMBER:
                at = _mapping(granted)
                source = _source(desired, at) if at else None
                reasons = tuple(reason.source for reason in granted.reasons)
                email = directory.emails[number]
                yield Holding(email, person.id, granted.role, granted.team, reasons, at, source)


def _mapping(granted: Granted) -> Address | None:
    kind, _, name = granted.reasons[0].source.partition(":")
    return address("idp_groups", name) if kind == "group" else None


def _counts(rules: Rules, sizes: Mapping[int, int]) -> tuple[dict[str, int], dict[str, int]]:
    """People per role, in any team, and people per team; each person once in each."""
    roles: Counter[str] = Counter()
    teams: Counter[str] = Counter()
    for mask, size in sizes.items():
        held = rules.atoms.combos(mask)
        roles.update(dict.fromkeys({combo.role for combo in held}, size))
        teams.update(dict.fromkeys({combo.team for combo in held}, size))
    return dict(sorted(roles.items())), dict(sorted(teams.items()))


class Evidence(NamedTuple):
    """One combo above member. ``run`` is what put its mapping there, None where the journal does not know: a mapping
    made by hand, or before there was a journal."""

    holding: Holding
    run: Run | None = None

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who said yes to the run behind it."""
        return () if self.run is None else tuple(dict.fromkeys(approval.by for approval in self.run.approvals))


@dataclass(frozen=True, slots=True)
class SeenAt:
    """The last sighting at or before a moment, and the first one after it. ``by`` is the run that looked."""

    org_id: str
    org_name: str
    env: str | None
    sighting: Sighting
    after: Sighting | None
    evidence: tuple[Evidence, ...]
    by: Run | None = None
