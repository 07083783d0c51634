"""What is to be said of the moments between two steps: who lacks or has what meanwhile, and how to do without."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.model.policy import Combo
from rolecall.plan.headline import combos, people
from rolecall.plan.value import Impact, Transient

_NAMED = 3
WAY_OUT = "No order was found that spares them. To do without, make two commits: first add, apply, then remove."
LIMITED = "The search for a better order of these steps reached its limit, so another order may affect fewer users."


def transient_sentences(impact: Impact, most: int = 5) -> Iterator[str]:
    """A sentence for people alike in what and when, most people first, and the way out; or that none was found."""
    if not impact.transients:
        if impact.at_risk:
            who = people(len(impact.at_risk))
            yield f"The order of these steps matters to {who}; found nobody who lacks or has anything in between."
        return
    alike: dict[tuple[str, Combo, int, int], list[Transient]] = {}
    for row in impact.transients:
        alike.setdefault(row[1:], []).append(row)
    found = sorted(alike.items(), key=lambda item: (-len(item[1]), item[0]))
    for (kind, combo, first, last), rows in found[:most]:
        yield f"{_who(kind, rows)} {combos([combo])} from step {first:,} to step {last:,}{_names(rows)}."
    if len(found) > most:
        yield f"And {len(found) - most:,} more such moments."
    if impact.order_limited:
        yield LIMITED
    yield WAY_OUT


def _who(kind: str, rows: list[Transient]) -> str:
    if kind == "lacks":
        return people(len(rows), "lacks", "lack")
    return people(len(rows), "has", "have")


def _names(rows: list[Transient]) -> str:
    emails = sorted(row.who.email for row in rows if row.who.email)
    if not emails:
        return ""
    more = len(rows) - len(emails[:_NAMED])
    return f": {', '.join(emails[:_NAMED])}{f' and {more:,} more' if more else ''}"
