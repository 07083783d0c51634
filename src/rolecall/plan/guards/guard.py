"""Define what guards look at, what a guard returns, and the limits in force."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from rolecall.errors import Where
from rolecall.model.change import Change
from rolecall.model.live import Coverage
from rolecall.model.policy import Band, Guards, Limit
from rolecall.model.settings import Address
from rolecall.plan.coverage import incomplete_sentence, people_coverage
from rolecall.plan.impact.compute import ImpactResult
from rolecall.plan.inputs import PlanInput
from rolecall.plan.value import PolicyChange, Verdict


@dataclass(frozen=True, slots=True)
class GuardInput:
    """A plan before its verdicts.

    ``changes`` are all of them, in order; ``policies`` the guards of the config and those last applied, of which the
    stricter counts. ``unjudged`` are the findings of the guards that could not be evaluated, by name; they are known to
    `unread` alone, which comes after all others.
    """

    plan_input: PlanInput
    changes: tuple[Change, ...]
    impact_result: ImpactResult
    policies: tuple[Guards, ...]
    coverage: Mapping[str, Coverage] | None = None
    policy_changes: tuple[PolicyChange, ...] = ()
    unjudged: Mapping[str, Finding] = field(default_factory=dict)

    @property
    def effective(self) -> tuple[Change, ...]:
        """The changes that this plan brings about, by apply or by a person."""
        return tuple(change for change in self.changes if change.via != "waiting")

    @property
    def users_unread(self) -> str | None:
        """Return the sentence that says how much was read of the users, or None where all that were asked for were."""
        return incomplete_sentence(people_coverage(self.impact_result.forecast.asked))

    @property
    def config(self) -> Guards:
        return self.plan_input.desired.policy.guards

    def place(self, guard: str) -> Where | None:
        """Where the config sets a guard."""
        return self.plan_input.desired.policy.sources.get(f"guards.{guard}")

    def cause(self, causes: Iterable[Address]) -> tuple[Address, Where | None] | None:
        """The first of these addresses that a change stands at, and its place in the config."""
        by = {change.address: change for change in self.changes}
        matching = [by[at] for at in causes if at in by]
        return (matching[0].address, matching[0].intent.source) if matching else None


class Item(NamedTuple):
    """Something that an allowance may cover: so many people, sections or addresses, because of these."""

    size: int
    because: tuple[Address, ...] = ()


class Finding(NamedTuple):
    """The verdict of a guard before overrides.

    ``verdict_for`` gives the verdict for the number that overrides leave over; None where any number has the same
    verdict. ``firm`` cannot be overridden. ``fixes`` are what to do other than override it. ``unread_settings``: it is
    not evaluated because of settings that were not read, rather than users.
    """

    verdict: Verdict
    message: str = ""
    limit: str | int | None = None
    actual: str | int | None = None
    items: tuple[Item, ...] = ()
    source: Where | None = None
    target: Address | None = None
    verdict_for: Callable[[int], Verdict] | None = None
    firm: bool = False
    fixes: tuple[str, ...] = ()
    unread_settings: bool = False

    @property
    def total(self) -> int:
        """Return the number that an override must reach."""
        return sum(item.size for item in self.items)

    def verdict_after(self, remaining: int) -> Verdict:
        """Return the verdict when overrides leave this many over."""
        if self.verdict_for is not None:
            return self.verdict_for(remaining)
        return self.verdict if remaining else "pass"


Guard = Callable[[GuardInput], Finding]

PASS = Finding("pass")

NAME_PEOPLE = "Name where users come from in `people:`, and plan again."
"""The way out where no users were read and nothing says where they come from."""


def read_users(guard_input: GuardInput) -> str:
    """Return the way out where users were not read, by where the configuration says that they come from."""
    hint = guard_input.plan_input.people_hint
    return f"{hint[0].upper()}{hint[1:]}, and plan again." if hint else NAME_PEOPLE


READ_SETTINGS = "Check the token's rights; for an observed org, run `rolecall observe`."
"""The way out where settings were not read that a guard depends on."""


def unjudged(guard_input: GuardInput, limit: str | int | None = None) -> Finding:
    """What a people guard says when the people cannot be relied on."""
    message = guard_input.impact_result.forecast.problem or guard_input.users_unread or "Users were not read."
    return Finding("not judged", message, limit, fixes=(read_users(guard_input),))


def at(where: Where | None) -> str:
    """`` (rolecall.yaml:40)``, or nothing."""
    return f" ({place(where)})" if where else ""


def place(where: Where | None) -> str:
    """``rolecall.yaml:40``, or nothing."""
    return "" if where is None else f"{where.file}:{where.line}" if where.line else where.file


class Bounds(NamedTuple):
    """Above ``review`` a person must answer, above ``block`` only an allowance helps; with the limits' own words."""

    review: int | None
    block: int | None
    text: str

    def verdict_for(self, number: int) -> Verdict:
        if self.block is not None and number > self.block:
            return "block"
        return "review" if self.review is not None and number > self.review else "pass"


def resolve(limit: Limit, base: int) -> int:
    """A limit as a count: ``max(1, ceil(p %))`` of the base."""
    if not limit.percent:
        return int(limit.amount)
    return max(1, math.ceil(round(base * limit.amount / 100, 9)))


def bounds(policies: Sequence[Guards], name: str, base: int, noun: str) -> Bounds:
    """The stricter band of all policies, against a base such as the number of active people."""
    bands: list[Band] = [getattr(guards, name) for guards in policies]
    review = _least([band.review for band in bands], base)
    block = _least([band.block for band in bands], base)
    review_above, block_above = _number(review, base), _number(block, base)
    if review_above is not None and block_above is not None and block_above <= review_above:
        review = None
    limits = (("review above", review), ("block above", block))
    text = ", ".join(f"{verb} {_limit_text(limit, base, noun)}" for verb, limit in limits if limit is not None)
    return Bounds(review_above, block_above, text or "no limit")


def _least(limits: Sequence[Limit | None], base: int) -> Limit | None:
    present = [limit for limit in limits if limit is not None]
    return min(present, key=lambda limit: resolve(limit, base), default=None)


def _number(limit: Limit | None, base: int) -> int | None:
    return None if limit is None else resolve(limit, base)


def _limit_text(limit: Limit, base: int, noun: str) -> str:
    number = f"{resolve(limit, base):,}"
    return f"{number} ({limit} of {base:,} {noun})" if limit.percent else number
