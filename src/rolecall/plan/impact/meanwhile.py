"""Report access during an unfinished run: which users have more, or less, than before and after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rolecall.access.candidates import everyone
from rolecall.access.evaluate import masks
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.directory import Directory
from rolecall.model.kinds import DECIDING_ACCESS, of_idp
from rolecall.model.live import Live
from rolecall.model.policy import TeamRole
from rolecall.plan.forecast import AccessForecast, State, follow, forecast_access
from rolecall.plan.headline import access_words as words
from rolecall.plan.headline import count_users


class Between(NamedTuple):
    """Users whose current access differs alike from that before and after the run.

    ``keeps`` is access that they will lose, ``got`` new access that they will keep. ``lacks`` is access that
    they had and will have again (``dip``), or that is removed before its replacement is there. ``spike`` is access
    that they have neither before nor after.
    """

    keeps: tuple[TeamRole, ...]
    got: tuple[TeamRole, ...]
    lacks: tuple[TeamRole, ...]
    spike: tuple[TeamRole, ...]
    size: int
    dip: tuple[TeamRole, ...] = ()


def meanwhile(
    live: Live, directory: Directory | None, steps: Sequence[Change], done: frozenset[str], now: Live | None = None
) -> str:
    """Return a sentence or two about access while only some of the ``steps`` are done.

    ``live`` and ``directory`` are from before the run, ``now`` was read at its end; without it the steps at the
    addresses in ``done`` are taken to be done and no others. Users who move by steps in the IdP are left out: they have
    the app or do not, and nothing in between.
    """
    steps = [step for step in steps if not of_idp(step.address)]
    forecast = forecast_access(live, directory, steps)
    if directory is None or forecast.problem:
        return "Users were not read completely, so current access is unknown."
    expected = follow(forecast.first, [step for step in steps if step.address in done])
    read = now is not None and all(now.covered(name).state == "complete" for name in DECIDING_ACCESS)
    return sentence(between(forecast, directory, State(now.settings, now.facts) if now and read else expected))


def between(forecast: AccessForecast, directory: Directory, now: State) -> list[Between]:
    """Return the users whose access is neither that before nor that after, alike users together, most first."""
    rules = compile_access(now.settings, now.facts, entitlements=forecast.before.entitlements)
    touched = everyone(forecast.touched)
    entitlements = forecast.before.entitlements
    sizes: dict[tuple[int, int, int], int] = {}
    ends = (masks(each, directory, touched) for each in (forecast.before, rules, forecast.after))
    for (_, before), (_, present), (_, after) in zip(*ends, strict=True):
        key = (entitlements.access_bits(before), entitlements.access_bits(present), entitlements.access_bits(after))
        if key[1] not in (key[0], key[2]):
            sizes[key] = sizes.get(key, 0) + 1
    crowds = [_between(forecast, *key, size) for key, size in sizes.items()]
    return sorted(crowds, key=lambda crowd: (-crowd.size, crowd[:4]))


def _between(forecast: AccessForecast, before: int, present: int, after: int, size: int) -> Between:
    def each(mask: int) -> tuple[TeamRole, ...]:
        return tuple(forecast.before.entitlements.each(mask))

    unreplaced = before & ~after & ~present if after & ~before & ~present else 0
    return Between(
        each(before & ~after & present),
        each(after & ~before & present),
        each((before & after & ~present) | unreplaced),
        each(present & ~(before | after)),
        size,
        each(before & after & ~present),
    )


def sentence(crowds: Sequence[Between]) -> str:
    """Return ``12 users have both Marketing member and Brand member. No user lost access. It is safe to leave the run
    like this until it is resumed.``"""
    both = [crowd for crowd in crowds if crowd.keeps and crowd.got]
    lacking = [crowd for crowd in crowds if crowd.lacks]
    extra = [crowd for crowd in crowds if crowd.spike]
    parts = [_both(both)] if both else []
    parts += [_of(extra, "has", "have", ", which is in neither the old nor the new settings", "spike")] if extra else []
    parts.append(
        _of(lacking, "lacks", "lack", ", which they had before", "lacks") if lacking else "No user lost access"
    )
    ending = (
        "Resume the run soon." if lacking or extra else "It is safe to leave the run like this until it is resumed."
    )
    return f"{'. '.join(parts)}. {ending}"


def _both(crowds: Sequence[Between]) -> str:
    first, size = crowds[0], sum(crowd.size for crowd in crowds)
    text = f"{count_users(first.size, 'has', 'have')} both {words(first.keeps)} and {words(first.got)}"
    return (
        text if len(crowds) == 1 else f"{text}, and {size - first.size:,} more have old and new access at the same time"
    )


def _of(crowds: Sequence[Between], singular: str, plural: str, what: str, field: str) -> str:
    access: tuple[TeamRole, ...] = getattr(crowds[0], field)
    size = sum(crowd.size for crowd in crowds)
    return f"{count_users(size, singular, plural)} {words(access)}{what}"
