"""Which entry each write of the org's audit log was made to. The log names a group as it was called at that moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rolecall.drift.compare import Lifecycle
from rolecall.model import normalise
from rolecall.model.kinds import address
from rolecall.model.look import Look
from rolecall.model.outcome import Event
from rolecall.model.settings import Address
from rolecall.plan.diff.identity import Identity, group_of

GROUPS = "groups/"
"""What the address of a group's own events begins with; the rest is its id."""


def lifecycle(events: Iterable[Event]) -> Lifecycle:
    """Return which groups the IdP pushed and removed, as the org's log says."""
    groups = [event for event in events if event.address.startswith(GROUPS)]
    names = (
        event.before.get("displayName") for event in groups if event.after is None and isinstance(event.before, dict)
    )
    return Lifecycle(
        frozenset(event.address.removeprefix(GROUPS) for event in groups if event.before is None),
        frozenset(normalise.name(name) for name in names if isinstance(name, str)),
    )


def attributed(events: Sequence[Event], identity: Identity, look: Look | None) -> Iterator[tuple[Address, Event]]:
    """Yield each event, newest first, with the live address of what was written. ``events`` are oldest first.

    The names are followed back through the renames that the log holds. Where it holds none, the names that the last
    look and the last apply knew are used.
    """
    names = {known: _bare(name, known) for name, known in identity.ids.items()}
    live = {known: address("idp_groups", name) for name, known in identity.ids.items()}
    looked = {} if look is None else {seen.name: known for known, seen in look.groups.items()}
    for event in reversed(events):
        name = group_of(event.address)
        if name is None:
            _step_back(names, event)
            yield Address(event.address), event
            continue
        holders = [known for known, held in names.items() if held == name]
        if len(holders) == 1 and holders[0] in live:
            yield live[holders[0]], event
        elif not holders and looked.get(name) in live:
            yield live[looked[name]], event
        else:
            yield identity.present_address(Address(event.address)), event


def _step_back(names: dict[str, str], event: Event) -> None:
    """Put the name of a group back to what it was before an event of its own."""
    known = event.address.removeprefix(GROUPS)
    if not event.address.startswith(GROUPS):
        return
    before = event.before.get("displayName") if isinstance(event.before, dict) else None
    if isinstance(before, str):
        names[known] = normalise.name(before)
    elif event.before is None:
        names.pop(known, None)


def _bare(name: str, known: str) -> str:
    """The name without the id that tells two groups of one name apart."""
    return name.removesuffix(f" [{known}]")
