"""Compute what a plan does to users: who gains, loses or changes access, and what the endpoint upgrade does (R20)."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

from rolecall.access.entitlements import ORG
from rolecall.access.evaluate import org_admins, shifts
from rolecall.access.rules import compile_access
from rolecall.access.shift import escalates, loses, to_nothing
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import LITE, Directory, Traits
from rolecall.model.live import base_name
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Scim, Settings
from rolecall.plan.coverage import people_coverage
from rolecall.plan.forecast import AccessForecast, State
from rolecall.plan.headline import by_shift, headline, ranked, sentence
from rolecall.plan.impact.causes import CausedBits
from rolecall.plan.impact.cohorts import Cohort, by_difference, cohorts_of, moves, tallies, teams
from rolecall.plan.moves import who
from rolecall.plan.order.risk import Risk
from rolecall.plan.order.transients import Timeline, transients
from rolecall.plan.value import Escalation, Impact, Move, UpgradeImpact, Who

_NOTES = 8
_REMAINING = 10


class ImpactResult(NamedTuple):
    """The impact, and the numbers behind it that only guards and order need.

    ``cohorts`` are in the order of the moves. ``admins_before`` and ``admins_after`` are the org admins by number,
    ``admin_waves`` those after each wave that makes a step. ``timeline`` is None where no access can change.
    """

    impact: Impact
    forecast: AccessForecast
    cohorts: tuple[Cohort, ...] = ()
    admins_before: frozenset[int] = frozenset()
    admins_after: frozenset[int] = frozenset()
    admin_waves: tuple[tuple[int, frozenset[int]], ...] = ()
    timeline: Timeline | None = None

    @property
    def judged(self) -> bool:
        """Return whether the users were read, or no access can change."""
        return self.forecast.problem is None

    @property
    def admins_known(self) -> bool:
        """Return whether org admins were counted: not where users of a group that gives org admin were not read."""
        return self.impact.org_admins is not None

    def admins(self) -> Mapping[str, int]:
        """Return all users who are org admin before or after, by lowercase email address."""
        directory = self.forecast.directory
        if directory is None:
            return {}
        numbers = self.admins_before | self.admins_after
        return {normalise.email(directory.emails[number]): number for number in sorted(numbers)}

    def losing(self) -> list[tuple[Cohort, Move]]:
        """Return the classes that lose access, each with its move."""
        entitlements = self.forecast.before.entitlements
        moves = zip(self.cohorts, self.impact.moves, strict=True)
        return [(cohort, move) for cohort, move in moves if loses(entitlements, cohort.before, cohort.after)]


def compute_impact(
    forecast: AccessForecast, changes: Sequence[Change], risks: Sequence[Risk], timeline: Timeline
) -> ImpactResult:
    """Return all users whose access changes, in detail and in total, and the temporary access changes.

    Where no access can change and users were not read, org admins are not counted.
    """
    directory = forecast.directory
    if directory is None or not (forecast.moves or len(directory)):
        people = None if forecast.problem else 0
        impact = Impact(people, forecast.problem, members=_members(forecast), missing=forecast.missing)
        if not forecast.still:
            impact = impact._replace(headline=headline(impact))
        return ImpactResult(impact, forecast._replace(directory=None))
    cohorts = tuple(cohorts_of(forecast))
    before = frozenset(org_admins(forecast.before, directory))
    after = before - _numbers(cohorts, lost=True) | _numbers(cohorts, lost=False)
    all_moves = moves(forecast, cohorts)
    impact = _counted(forecast, cohorts, all_moves)
    alike = by_difference(cohorts, all_moves)
    sizes = by_shift(alike)
    org, counted = forecast.first.facts.org_id, _counts_admins(forecast, directory)
    impact = impact._replace(
        transients=transients(forecast, timeline, risks),
        at_risk=tuple(sorted(who(directory, number, org) for risk in risks for number in risk.numbers)),
        org_admins=(len(before), len(after)) if counted else None,
        remaining_admins=_remaining(directory, before, after, org) if counted else (),
        members=_members(forecast),
        org_roles=_org_roles(directory, cohorts),
        lite_seats=_lite_seats(forecast, directory, cohorts),
        tallies=tallies(forecast, cohorts),
        teams=teams(alike),
        notes=tuple(sentence(*shift) for shift in ranked(sizes)[1:_NOTES]),
    )
    impact = impact._replace(headline=headline(impact, sizes))
    waves = _by_wave(forecast, changes, timeline, before | after)
    return ImpactResult(impact, forecast, cohorts, before, after, waves, timeline)


def _remaining(directory: Directory, before: frozenset[int], after: frozenset[int], org: str) -> tuple[Who, ...]:
    """Return the org admins who stay, 10 at most, by email address; none where no one loses org admin."""
    if before <= after:
        return ()
    return tuple(sorted((who(directory, number, org) for number in before & after), key=_by_email)[:_REMAINING])


def _by_email(user: Who) -> tuple[str, str]:
    return user.email or "", user.id


def _org_roles(directory: Directory, cohorts: Sequence[Cohort]) -> dict[str, int]:
    """Return how many users whose access changes have each role at org level (R36)."""
    roles = {number: traits.org_role.role for number, traits in directory.others.items() if traits.org_role is not None}
    counted = (
        Counter(roles[number] for cohort in cohorts for number in cohort.numbers if number in roles) if roles else {}
    )
    return dict(sorted(counted.items()))


def _lite_seats(forecast: AccessForecast, directory: Directory, cohorts: Sequence[Cohort]) -> int:
    """Return how many users with Lite seats gain a role other than member (R35), as far as seats are known."""
    lite = {number for number, profile in directory.profiles.items() if profile.seat.casefold() == LITE}
    above = forecast.before.entitlements.above_member
    gaining = (cohort for cohort in cohorts if lite and above(cohort.after) & ~cohort.before)
    return sum(number in lite for cohort in gaining for number in cohort.numbers)


def _members(forecast: AccessForecast) -> Mapping[Address, int]:
    return forecast.members(forecast.asked) if forecast.problem else {}


def _counts_admins(forecast: AccessForecast, directory: Directory) -> bool:
    """Return whether org admins can be counted: not where settings that decide it, or users of a group that makes them
    so, were not read."""
    giving = {*forecast.before.scim.groups, *forecast.after.scim.groups} & directory.gaps.missing.keys()
    rules = (forecast.before.scim.masks, forecast.after.scim.masks)
    settings = not (forecast.before.missing or forecast.after.missing)
    whole = settings and forecast.problem is None and people_coverage(forecast.asked).state == "complete"
    return whole and not any(masks.get(name, 0) & ORG for name in giving for masks in rules)


def _counted(forecast: AccessForecast, cohorts: Sequence[Cohort], moves: tuple[Move, ...]) -> Impact:
    entitlements, directory = forecast.before.entitlements, forecast.directory
    sizes = [(cohort, len(cohort.numbers)) for cohort in cohorts]
    return Impact(
        people=0 if directory is None or forecast.asked is None else len(forecast.asked),
        problem=forecast.problem,
        missing=forecast.missing,
        gain=sum(move.size for move in moves if move.kind == "gain"),
        lose=sum(move.size for move in moves if move.kind == "lose"),
        change=sum(move.size for move in moves if move.kind == "change"),
        losing=sum(size for cohort, size in sizes if loses(entitlements, cohort.before, cohort.after)),
        to_default=sum(move.size for move in moves if move.to_default),
        to_nothing=sum(size for cohort, size in sizes if to_nothing(entitlements, cohort.before, cohort.after)),
        escalations=tuple(_escalations(forecast, cohorts)),
        moves=moves,
    )


def _escalations(forecast: AccessForecast, cohorts: Sequence[Cohort]) -> list[Escalation]:
    directory, org = forecast.directory, forecast.first.facts.org_id
    escalations = []
    for cohort in cohorts:
        gains = escalates(forecast.before.entitlements, cohort.before, cohort.after)
        if gains and directory is not None:
            because = cohort.causing(forecast.before.entitlements.above_member(cohort.after) & ~cohort.before)
            admin = bool(cohort.before & ORG)
            escalations += [Escalation(who(directory, number, org), gains, because, admin) for number in cohort.numbers]
    return sorted(escalations, key=lambda escalation: (escalation.who.email or "", escalation.who.id))


def _by_wave(
    forecast: AccessForecast, changes: Sequence[Change], timeline: Timeline, likely: frozenset[int]
) -> tuple[tuple[int, frozenset[int]], ...]:
    """Return the org admins after each wave but the last, among those who are org admin before or after. Supposed
    memberships come before the first wave."""
    if forecast.directory is None:
        return ()
    directory, moved = forecast.directory, {} if forecast.placed is None else forecast.placed.causes

    def is_admin(number: int, step: int) -> bool:
        groups, traits = groups_and_traits(directory, number)
        if number in forecast.groups_after and number not in moved:
            return bool(timeline.mask(forecast.groups_after[number], forecast.later.get(number, traits), step) & ORG)
        steps = [timeline.steps[at] for at in moved.get(number, ())]
        later = forecast.later.get(number, traits)
        done = bool(steps) and (min(steps) if later.active else max(steps)) <= step
        return bool(timeline.mask(groups, later if done else traits, step) & ORG)

    ends = {change.wave: step for step, change in enumerate(changes, 1) if change.via != "waiting"}
    return tuple(
        (wave, frozenset(number for number in sorted(likely) if is_admin(number, step)))
        for wave, step in list(ends.items())[:-1]
    )


def groups_and_traits(directory: Directory, number: int) -> tuple[array[int], Traits]:
    """Return the groups of a user, by number, and their traits."""
    return directory.members[directory.offsets[number] : directory.offsets[number + 1]], directory.traits(number)


def _numbers(cohorts: Sequence[Cohort], *, lost: bool) -> frozenset[int]:
    moved: set[int] = set()
    for cohort in cohorts:
        if (cohort.before if lost else cohort.after) & ~(cohort.after if lost else cohort.before) & ORG:
            moved.update(cohort.numbers)
    return frozenset(moved)


def upgrade_impact(desired: Desired, forecast: AccessForecast, changes: Sequence[Change]) -> UpgradeImpact | None:
    """Compare all users before the plan with all users under the new endpoint, every group of the config pushed."""
    step = next((change for change in changes if change.action == "upgrade"), None)
    directory = forecast.directory
    if step is None or directory is None or forecast.problem:
        return None
    started = isinstance(step.after, Scim) and step.after.endpoint == "upgrading"
    done = _complete(desired, forecast.last.settings)
    after = compile_access(done, forecast.last.facts, entitlements=forecast.before.entitlements)
    later = forecast.later if forecast.groups_after else {}
    moved = shifts(forecast.before, after, directory, None, later, forecast.groups_after)
    differ = sum(map(len, moved.values()))
    lost = [n for (b, a), numbers in moved.items() if b & ~a & ORG for n in numbers]
    first = forecast.first
    pushed = _by_name(set() if started else set(_entries(first.settings)), first)
    legacy = set(first.facts.legacy_links or ())
    groups = _by_name(_mapped(first.settings) | legacy, first) | _by_name(_mapped(done), first)
    return UpgradeImpact(
        "start" if started else "complete",
        directory.active_people - differ,
        differ,
        groups.total(),
        (groups & pushed).total(),
        tuple(sorted(who(directory, number, forecast.first.facts.org_id) for number in lost)),
        moves(forecast, _classes(moved, step.address)) if started else (),
    )


def _classes(moved: Mapping[tuple[int, int], array[int]], cause: Address) -> list[Cohort]:
    """Return the classes of users, the largest first."""
    cohorts = [Cohort(*ends, (CausedBits(ends[0] ^ ends[1], (cause,)),), numbers) for ends, numbers in moved.items()]
    return sorted(cohorts, key=lambda cohort: (-len(cohort.numbers), cohort.numbers[0]))


def _complete(desired: Desired, last: Settings) -> Settings:
    """Return the settings with the new endpoint in force and every mapping of the config in place."""
    scim = Scim() if last.scim is UNSET else last.scim
    desired_groups = {} if desired.settings.idp_groups is UNSET else desired.settings.idp_groups
    return replace(last, scim=replace(scim, endpoint="new"), idp_groups={**_entries(last), **desired_groups})


def _entries(settings: Settings) -> dict[str, GroupMapping]:
    return {} if settings.idp_groups is UNSET else dict(settings.idp_groups)


def _mapped(settings: Settings) -> set[str]:
    return {name for name, mapping in _entries(settings).items() if mapping != BLANK}


def _by_name(keys: Set[str], state: State) -> Counter[str]:
    """Count groups by the name that the IdP pushes.

    A legacy group whose name has been pushed again is keyed ``name [id]``, as groups that share a name are.
    """
    names = state.facts.groups.keys() | state.facts.homonyms
    bases = ((key, base_name(key)) for key in keys)
    return Counter(base if base in names else key for key, base in bases)
