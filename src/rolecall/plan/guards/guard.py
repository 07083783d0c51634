"""Define the input and the result of a guard, and the limits in force."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from rolecall.errors import Where, sentence
from rolecall.model.change import Change
from rolecall.model.live import Coverage
from rolecall.model.policy import Band, Guards, Limit
from rolecall.model.settings import Address
from rolecall.plan.commands import observe_command
from rolecall.plan.coverage import incomplete_sentence, people_coverage, section_of
from rolecall.plan.impact.compute import ImpactResult
from rolecall.plan.inputs import PlanInput
from rolecall.plan.value import Detail, PolicyChange, Verdict


class GuardInput(NamedTuple):
    """A plan before its verdicts.

    ``changes`` are in the order of the steps; ``policies`` are the guards of the config and those last applied, of
    which the stricter applies. ``unjudged`` has the findings of the guards that could not be evaluated, by name; only
    `unread`, which is evaluated last, gets them.
    """

    plan_input: PlanInput
    changes: tuple[Change, ...]
    impact_result: ImpactResult
    policies: tuple[Guards, ...]
    coverage: Mapping[str, Coverage] | None = None
    policy_changes: tuple[PolicyChange, ...] = ()
    unjudged: Mapping[str, Finding] = MappingProxyType({})

    @property
    def effective(self) -> tuple[Change, ...]:
        """Return the changes that this plan makes, by apply or as manual steps."""
        return tuple(change for change in self.changes if change.via != "waiting")

    @property
    def users_unread(self) -> str | None:
        """Return how much of the users was read, in a sentence, or None where it was all that the plan needs."""
        return incomplete_sentence(people_coverage(self.impact_result.forecast.asked))

    @property
    def config(self) -> Guards:
        return self.plan_input.desired.policy.guards

    def place(self, guard: str) -> Where | None:
        """Return where the config sets a guard."""
        return self.plan_input.desired.policy.sources.get(f"guards.{guard}")


class Item(NamedTuple):
    """Something that an override may cover: a number of users, sections or addresses, and the changes that cause it."""

    size: int
    because: tuple[Address, ...] = ()


class Finding(NamedTuple):
    """The verdict of a guard before overrides.

    ``verdict_for`` returns the verdict for the number that overrides do not cover; None where any number has the same
    verdict. ``firm`` cannot be overridden, ``addressed`` only by an
    override for an address. ``details`` are the causes. ``fixes`` are the actions other than an
    override. ``unread_settings``: it is not evaluated because of settings that were not read, rather than users.
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
    addressed: bool = False
    fixes: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    unread_settings: bool = False

    @property
    def total(self) -> int:
        """Return the number that an override must reach."""
        return sum(item.size for item in self.items)

    def verdict_after(self, remaining: int) -> Verdict:
        """Return the verdict when overrides cover all but this many."""
        if self.verdict_for is not None:
            return self.verdict_for(remaining)
        return self.verdict if remaining else "pass"


Guard = Callable[[GuardInput], Finding]

PASS = Finding("pass")

NAME_PEOPLE = "Set `people` in the config to the source of users."
"""The action where no users were read and the config names no source of users."""


def read_users(guard_input: GuardInput) -> str:
    """Return what to do where users were not read; it depends on the source of users in the config."""
    hint = guard_input.plan_input.people_hint
    return f"{sentence(hint)}." if hint else NAME_PEOPLE


READ_IDP = "Check the permissions of the credential in `idp`."
"""The action where the IdP was not read."""


COMPARE_MEMBERS = "Compare the members of these groups in the IdP and in WRITER; a push replaces those in WRITER."
"""The action where a group is pushed that WRITER has with other members."""


def know_users(guard_input: GuardInput) -> tuple[str, ...]:
    """Return what to do where it is unknown whose access changes: read settings that decide it, the IdP's groups, or
    the users."""
    forecast = guard_input.impact_result.forecast
    if forecast.missing:
        return read_settings(guard_input, forecast.missing)
    if forecast.effect is not None and forecast.effect.problem:
        return (READ_IDP,)
    return (COMPARE_MEMBERS if forecast.replaced else read_users(guard_input),)


def read_settings(guard_input: GuardInput, names: Iterable[str]) -> tuple[str, ...]:
    """Return what to do where settings were not read that a guard depends on: sections, or fields of them."""
    plan_input = guard_input.plan_input
    if not plan_input.live.facts.observed:
        return ("Check the permissions of the token.",)
    sections = dict.fromkeys(map(section_of, names))
    return tuple(f"To read {section}: {observe_command(plan_input.org, section)}" for section in sections)


def unjudged(guard_input: GuardInput, limit: str | int | None = None) -> Finding:
    """Return the finding of a guard that cannot be evaluated because users, or what decides their access, were not
    read.
    """
    message = guard_input.impact_result.forecast.problem or guard_input.users_unread or "Users were not read."
    return Finding("not judged", message, limit, fixes=know_users(guard_input))


def place(where: Where | None) -> str:
    """Return ``rolecall.yaml:40``, or nothing."""
    return "" if where is None else f"{where.file}:{where.line}" if where.line else where.file


class Bounds(NamedTuple):
    """The numbers above which approval is required and above which the plan is blocked, with both in words."""

    review: int | None
    block: int | None
    text: str
    review_text: str = ""
    block_text: str = ""

    def verdict_for(self, number: int) -> Verdict:
        """Return the verdict for a number."""
        if self.block is not None and number > self.block:
            return "block"
        return "review" if self.review is not None and number > self.review else "pass"

    def exceeded(self, number: int, unit: str = "") -> str:
        """Return the limit that a number exceeds: ``the limit is 58 (15% of 383 active users)``."""
        if self.verdict_for(number) == "block":
            return f"the limit is {self.block_text}{unit}"
        return f"more than {self.review_text}{unit} requires approval"


def resolve(limit: Limit, base: int) -> int:
    """Return a limit as a number: ``max(1, ceil(p %))`` of the base."""
    if not limit.percent:
        return int(limit.amount)
    return max(1, math.ceil(round(base * limit.amount / 100, 9)))


def bounds(policies: Sequence[Guards], name: str, base: int, noun: str) -> Bounds:
    """Return the strictest limits of all policies, for a base such as the number of active users."""
    bands: list[Band] = [getattr(guards, name) for guards in policies]
    review = _least([band.review for band in bands], base)
    block = _least([band.block for band in bands], base)
    review_above, block_above = _number(review, base), _number(block, base)
    if review_above is not None and block_above is not None and block_above <= review_above:
        review = None
    limits = (("review above", review), ("block above", block))
    text = ", ".join(f"{verb} {_limit_text(limit, base, noun)}" for verb, limit in limits if limit is not None)
    texts = ("" if limit is None else _limit_text(limit, base, noun) for limit in (review, block))
    return Bounds(review_above, block_above, text or "no limit", *texts)


def _least(limits: Sequence[Limit | None], base: int) -> Limit | None:
    present = [limit for limit in limits if limit is not None]
    return min(present, key=lambda limit: resolve(limit, base), default=None)


def _number(limit: Limit | None, base: int) -> int | None:
    return None if limit is None else resolve(limit, base)


def _limit_text(limit: Limit, base: int, noun: str) -> str:
    number = f"{resolve(limit, base):,}"
    return f"{number} ({limit} of {base:,} {noun})" if limit.percent else number
