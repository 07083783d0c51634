"""What a plan leaves alone, in words: released addresses and mappings that the config does not manage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rolecall.plan.value import Released, Unmanaged
from rolecall.report.phrases import count, listed
from rolecall.report.visible import visible
from rolecall.report.words import gives_org_admin

_SHOWN = 5


def released_words(released: Sequence[Released]) -> Iterable[str]:
    """A sentence for each released address, the first few; then a count."""
    for item in released[:_SHOWN]:
        touched = "" if item.people is None else f", for {count(item.people, 'person')}"
        yield f"Released: {visible(item.address)} is no longer in the config and stays as it is{touched}"
    if len(released) > _SHOWN:
        yield f"Released: {len(released) - _SHOWN:,} more"


def unmanaged_words(unmanaged: Sequence[Unmanaged]) -> Iterable[tuple[str, bool]]:
    """One line of inventory, and a warning for each mapping in it that gives org admin."""
    if not unmanaged:
        return
    admins = [item for item in unmanaged if gives_org_admin(item.role)]
    giving = (
        f"{len(admins):,} of them {'gives' if len(admins) == 1 else 'give'} org admin"
        if admins
        else "none gives org admin"
    )
    total = count(len(unmanaged), "mapped group")
    yield f"Not managed here: {total}, {giving} (rolecall access --unmanaged)", False
    for item in admins[:_SHOWN]:
        held = "" if item.people is None else f" to {count(item.people, 'person')}"
        new = "new, " if item.new else ""
        yield f"{visible(item.address)} is {new}not managed and gives org admin on {listed(item.teams)}{held}", True
    if len(admins) > _SHOWN:
        yield f"and {len(admins) - _SHOWN:,} more that give org admin", True
