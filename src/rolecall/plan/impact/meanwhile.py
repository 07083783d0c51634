"""What holds while a run is half done: who has more, and who has less, than before and after. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rolecall.access.candidates import everyone
from rolecall.access.evaluate import masks
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.directory import Directory
from rolecall.model.kinds import DECIDING_ACCESS
from rolecall.model.live import Live
from rolecall.model.policy import TeamRole
from rolecall.plan.forecast import AccessForecast, State, follow, forecast_access
from rolecall.plan.headline import access_words as words
from rolecall.plan.headline import people


class Between(NamedTuple):
    """People alike in what they have now beside what they had and shall have.

    ``keeps`` they still have and shall lose, ``got`` they have already and shall keep; ``lacks`` they had, and either
    shall have too or would have had replaced by now; ``dip`` is the first of the two alone; ``spike`` neither end
    gives.
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
    """One or two sentences on the org half-way through ``steps``.

    ``live`` and ``directory`` are from before the run, ``now`` was read at its end; without it the org is taken to
    have just the steps at the addresses in ``done``. People who could not be read make it say so.
    """
    forecast = forecast_access(live, directory, steps)
    if directory is None or forecast.problem:
        return "Users were not read completely, so current access is unknown."
    expected = follow(forecast.first, [step for step in steps if step.address in done])
    read = now is not None and all(now.covered(name).state == "complete" for name in DECIDING_ACCESS)
    return sentence(between(forecast, directory, State(now.settings, now.facts) if now and read else expected))


def between(forecast: AccessForecast, directory: Directory, now: State) -> list[Between]:
    """Everybody touched who is at neither end, equal people together, most first."""
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
    """``12 people have both Marketing member and Brand member; nobody lacks what they had. Safe to leave till
    morning.``"""
    both = [crowd for crowd in crowds if crowd.keeps and crowd.got]
    lacking = [crowd for crowd in crowds if crowd.lacks]
    extra = [crowd for crowd in crowds if crowd.spike]
    parts = [_both(both)] if both else []
    parts += [_of(extra, "has", "have", "that neither the old nor the new settings give", "spike")] if extra else []
    parts.append(_of(lacking, "lacks", "lack", "they had", "lacks") if lacking else "nobody lacks what they had")
    text = "; ".join(parts)
    ending = "Do not leave it like this." if lacking or extra else "Safe to leave till morning."
    return f"{text[0].upper()}{text[1:]}. {ending}"


def _both(crowds: Sequence[Between]) -> str:
    first, size = crowds[0], sum(crowd.size for crowd in crowds)
    text = f"{people(first.size, 'has', 'have')} both {words(first.keeps)} and {words(first.got)}"
    return text if len(crowds) == 1 else f"{text}, {size - first.size:,} more hold old and new access side by side"


def _of(crowds: Sequence[Between], singular: str, plural: str, what: str, field: str) -> str:
    access: tuple[TeamRole, ...] = getattr(crowds[0], field)
    size = sum(crowd.size for crowd in crowds)
    return f"{people(size, singular, plural)} {words(access)}{', which' if what.startswith('they') else ''} {what}"
