"""Numbers, lists and places in words. Light: every command that has a problem to tell imports this."""

from __future__ import annotations

from collections.abc import Iterable

from rolecall.errors import Where
from rolecall.report.visible import visible


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 person`` · ``20,104 people``."""
    word = noun if number == 1 else plural or {"person": "people", "entry": "entries"}.get(noun, f"{noun}s")
    return f"{number:,} {word}"


def listed(names: Iterable[str], most: int | None = None) -> str:
    """Names with commas, made visible; past ``most`` a count of the rest."""
    shown = [visible(name) for name in names]
    if most is None or len(shown) <= most:
        return ", ".join(shown)
    return f"{', '.join(shown[:most])} and {len(shown) - most:,} more"


def mapping_words(role: str | None, teams: Iterable[str]) -> str:
    """What a mapping gives: ``member on Brand, Legal``. Org admin is org-wide: ``org_admin (org-wide, team IT)``."""
    named = sorted(teams)
    if role == "org_admin":
        return f"{role} (org-wide, team{'' if len(named) == 1 else 's'} {listed(named) or 'none'})"
    return f"{visible(role or 'no role')} on {listed(named) or 'no team'}"


def place(where: Where | None) -> str:
    """``idp_groups/marketing.yaml:14``, or nothing."""
    if where is None:
        return ""
    return visible(f"{where.file}:{where.line}" if where.line else where.file)
