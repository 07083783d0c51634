"""Find temporary access changes: what users at risk lack or have between two steps, but neither before nor after.

A dip is (B∩A) − S, a spike S − (B∪A), for the entitlements B before, A after, and S in between.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from rolecall.access.evaluate import group_masks, settle, suffixes
from rolecall.access.rules import Rules
from rolecall.model.change import Change
from rolecall.model.directory import Traits
from rolecall.model.kinds import FOR_ALL_USERS, split_address
from rolecall.model.policy import TeamRole
from rolecall.model.roles import MEMBER, TEAM_ADMIN
from rolecall.model.settings import Address
from rolecall.plan.forecast import AccessForecast, State, follow
from rolecall.plan.headline import access_words, count_users
from rolecall.plan.moves import who
from rolecall.plan.order.risk import Risk
from rolecall.plan.value import Impact, Transient

Kind = Literal["lacks", "has"]


class AccessGap(NamedTuple):
    """Entitlements that are missing or extra from one step until another. Steps count from 1."""

    kind: Kind
    entitlements: int
    from_step: int
    to_step: int


class Segment(NamedTuple):
    """The rules from one step on, with what each group gives before and after its own step."""

    rules: Rules
    old: Sequence[int]
    new: Sequence[int]


class Timeline:
    """The steps of a plan in an order, from which the access of a user after each step is computed.

    Steps are numbered from 1; 0 is the moment before the first. ``steps`` maps a mapping's address to its step.
    """

    def __init__(self, forecast: AccessForecast, changes: Sequence[Change]) -> None:
        self.steps: dict[Address, int] = {change.address: step for step, change in enumerate(changes, 1)}
        names = () if forecast.directory is None else forecast.directory.groups
        self._step_of_group = [self.steps.get(Address(f"idp_groups/{name}"), _NEVER) for name in names]
        self._starts, self._segments = _segments(forecast, changes)

    def moved(self, swapped: dict[Address, int]) -> Timeline:
        """Return the timeline with the named mappings at other steps; only mappings may be between these steps."""
        timeline = object.__new__(Timeline)
        timeline.steps = {**self.steps, **swapped}
        back = {step: swapped[at] for at, step in self.steps.items() if at in swapped}
        timeline._step_of_group = [back.get(step, step) for step in self._step_of_group]
        timeline._starts, timeline._segments = self._starts, self._segments
        return timeline

    @property
    def barriers(self) -> tuple[int, ...]:
        """Return the steps at which the rules change for all users, ascending."""
        return tuple(self._starts[1:])

    def segment(self, step: int) -> Segment:
        """Return the rules for all users after this step and all before it."""
        return self._segments[bisect_right(self._starts, step) - 1]

    def step_of(self, group: int) -> int:
        """Return the step of a group's mapping; one that no plan reaches if its mapping does not change."""
        return self._step_of_group[group]

    def mask(self, groups: Iterable[int], traits: Traits, step: int) -> int:
        """Return the access of a user after this step and all before it."""
        rules, old, new = self.segment(step)
        granted = 0
        for group in groups:
            granted |= (new if self._step_of_group[group] <= step else old)[group]
        return settle(rules, granted, traits)

    def _masks(self, risk: Risk, steps: Iterable[int]) -> list[int]:
        """Return the access of users after each of these steps, which ascend. Mappings that changed are a prefix of the
        users' groups by step, so that a user in many groups takes one operation for each of them."""
        by_step = sorted([(self._step_of_group[group], group) for group in risk.groups])
        masks: list[int] = []
        segment: Segment | None = None
        for step in steps:
            if self.segment(step) is not segment:
                segment = self.segment(step)
                rules, old, new = segment
                unchanged, changed, place = suffixes([old[group] for _, group in by_step]), 0, 0
            while place < len(by_step) and by_step[place][0] <= step:
                changed |= new[by_step[place][1]]
                place += 1
            masks.append(settle(rules, changed | unchanged[place], risk.traits))
        return masks

    def gaps(self, risk: Risk) -> list[AccessGap]:
        """Return every temporary access change of these users, in order."""
        events = sorted({*(self.steps[at] for at in risk.mappings), *self._starts[1:]})
        masks = self._masks(risk, (0, *events))
        entitlements = self._segments[0].rules.entitlements
        before, after = entitlements.access_bits(masks[0]), entitlements.access_bits(masks[-1])
        between = [entitlements.access_bits(mask) for mask in masks[1:-1]]
        lacks = [before & after & ~mask for mask in between]
        has = [mask & ~(before | after) for mask in between]
        return [*_runs("lacks", lacks, events), *_runs("has", has, events)]


_NEVER = 1 << 60
"""A step that no plan reaches."""


def weight(timeline: Timeline, risks: Iterable[Risk]) -> int:
    """Return the cost of an order: users times entitlements that are missing or extra in between."""
    return sum(len(risk.numbers) * gap.entitlements.bit_count() for risk in risks for gap in timeline.gaps(risk))


def transients(forecast: AccessForecast, timeline: Timeline, risks: Iterable[Risk]) -> tuple[Transient, ...]:
    """Return the temporary access changes of all users at risk, by user, then by step."""
    directory, org = forecast.directory, forecast.first.facts.org_id
    if directory is None:
        return ()
    all_transients = []
    for risk in risks:
        gaps = [
            (gap, team_role)
            for gap in timeline.gaps(risk)
            for team_role in _highest(forecast.before.entitlements.each(gap.entitlements))
        ]
        for number in risk.numbers if gaps else ():
            person = who(directory, number, org)
            all_transients += [
                Transient(person, gap.kind, team_role, gap.from_step, gap.to_step) for gap, team_role in gaps
            ]
    return tuple(
        sorted(all_transients, key=lambda transient: (transient.who.email or "", transient.who.id, transient[1:]))
    )


def _segments(forecast: AccessForecast, changes: Sequence[Change]) -> tuple[list[int], list[Segment]]:
    """Return the steps at which the rules change for all users, with the rules; only defaults and SCIM do that."""
    state, since = forecast.first, 0
    starts, segments = [0], [_segment(forecast, state)]
    for step, change in enumerate(changes, 1):
        if split_address(change.address)[0] in FOR_ALL_USERS:
            state, since = follow(state, changes[since:step]), step
            starts.append(step)
            segments.append(_segment(forecast, state))
    return starts, segments


def _segment(forecast: AccessForecast, state: State) -> Segment:
    old = forecast.rules(state, forecast.first)
    new = forecast.rules(state, forecast.last)
    if forecast.directory is None:
        return Segment(new, (), ())
    return Segment(new, group_masks(old, forecast.directory), group_masks(new, forecast.directory))


def _runs(kind: Kind, bits: Sequence[int], events: Sequence[int]) -> Iterator[AccessGap]:
    before = 0
    for at, now in enumerate(bits):
        draft = now & ~before
        for later in range(at + 1, len(bits) if draft else 0):
            ended = draft & ~bits[later]
            if ended:
                yield AccessGap(kind, ended, events[at], events[later])
                draft &= bits[later]
                if not draft:
                    break
        if draft:
            yield AccessGap(kind, draft, events[at], events[len(bits)])
        before = now


def _highest(team_roles: Iterable[TeamRole]) -> list[TeamRole]:
    """Return team roles without member where team admin of the same team is among them."""
    listed = list(team_roles)
    return [c for c in listed if c.role != MEMBER or TeamRole(c.team, TEAM_ADMIN) not in listed]


_NAMED = 3
SPLIT_HINT = "No order of the steps avoids this. To avoid it, apply two commits: first add access, then remove access."
LIMITED = "The search for a better order of the steps reached its limit; another order may affect fewer users."


def transient_sentences(impact: Impact, most: int = 5) -> Iterator[str]:
    """Yield a sentence for each temporary access change, then how to avoid them; or that there is none."""
    if not impact.transients:
        if impact.at_risk:
            checked = count_users(len(impact.at_risk))
            who = "no user that was read" if impact.problem else "no user"
            yield f"Steps are ordered so that {who} temporarily loses or gains access ({checked} checked)."
        return
    alike: dict[tuple[str, TeamRole, int, int], list[Transient]] = {}
    for transient in impact.transients:
        alike.setdefault(transient[1:], []).append(transient)
    by_size = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))
    for (kind, team_role, first, last), group in by_size[:most]:
        yield f"{_who(kind, group)} {access_words([team_role])} from step {first:,} to step {last:,}{_names(group)}."
    if len(by_size) > most:
        yield f"And {len(by_size) - most:,} more temporary access changes."
    if impact.order_limited:
        yield LIMITED
    yield SPLIT_HINT


def _who(kind: str, alike: list[Transient]) -> str:
    if kind == "lacks":
        return count_users(len(alike), "temporarily loses", "temporarily lose")
    return count_users(len(alike), "temporarily gains", "temporarily gain")


def _names(alike: list[Transient]) -> str:
    emails = sorted(transient.who.email for transient in alike if transient.who.email)
    if not emails:
        return ""
    more = len(alike) - len(emails[:_NAMED])
    return f": {', '.join(emails[:_NAMED])}{f' and {more:,} more' if more else ''}"
