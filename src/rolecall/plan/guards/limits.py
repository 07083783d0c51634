"""Limits as numbers: the stricter of the config's and those last applied, percentages worked out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from rolecall.model.policy import Band, Guards, Limit
from rolecall.plan.value import Verdict


class Bounds(NamedTuple):
    """Above ``review`` a person must answer, above ``block`` only an allowance helps; with the limits' own words."""

    review: int | None
    block: int | None
    words: str

    def judge(self, number: int) -> Verdict:
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
    asked, refused = _number(review, base), _number(block, base)
    if asked is not None and refused is not None and refused <= asked:
        review = None
    said = (("review above", review), ("block above", block))
    words = ", ".join(f"{verb} {_words(limit, base, noun)}" for verb, limit in said if limit is not None)
    return Bounds(asked, refused, words or "no limit")


def _least(limits: Sequence[Limit | None], base: int) -> Limit | None:
    said = [limit for limit in limits if limit is not None]
    return min(said, key=lambda limit: resolve(limit, base), default=None)


def _number(limit: Limit | None, base: int) -> int | None:
    return None if limit is None else resolve(limit, base)


def _words(limit: Limit, base: int, noun: str) -> str:
    number = f"{resolve(limit, base):,}"
    return f"{number} ({limit} of {base:,} {noun})" if limit.percent else number
