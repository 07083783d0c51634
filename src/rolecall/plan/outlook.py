"""Before and after, compiled, and whom the changes of a plan can touch: what order, impact and guards look at."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rolecall.access.atoms import Atoms
from rolecall.access.candidates import candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.rules import Rules, compile_access
from rolecall.model.change import Change
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.live import Live
from rolecall.model.settings import Address
from rolecall.plan.state import State, follow


@dataclass(frozen=True, slots=True)
class Outlook:
    """The rules before and after a plan's changes, over the same atoms.

    ``first`` and ``last`` are the states they were compiled from. ``touched`` has, for each address that changes,
    the people whose access it can touch, ascending; it is empty without a directory. ``scope`` says whom that
    takes; ``problem`` says why the people cannot be relied on, in words, None when they can.
    """

    first: State
    last: State
    before: Rules
    after: Rules
    directory: Directory | None
    scope: PeopleScope
    touched: Mapping[Address, array[int]] = field(default_factory=dict)
    problem: str | None = None

    @property
    def still(self) -> bool:
        """Whether there is nothing to do at all."""
        return self.last is self.first

    @property
    def moves(self) -> bool:
        """Whether anybody's access can change at all."""
        return self.scope._replace(org_admins=False, emails=frozenset()) != PeopleScope()


def look(live: Live, directory: Directory | None, changes: Iterable[Change]) -> Outlook:
    """Compile both ends of the changes. Changes that wait are not made; those for a person are."""
    written = sorted(
        (change for change in changes if change.via != "waiting"),
        key=lambda change: _TAKES_EFFECT[split_address(change.address)[0]],
    )
    first = State(live.settings, live.facts)
    last = follow(first, written)
    atoms = Atoms()
    before = compile_access(first.settings, first.facts, atoms=atoms)
    after = compile_access(last.settings, last.facts, atoms=atoms)
    scope = needed_scope(before, after)
    found = {} if directory is None else candidates(before, after, directory)
    changed = {change.address for change in written}
    touched = {at: numbers for at, numbers in found.items() if at in changed}
    outlook = Outlook(first, last, before, after, directory, scope, touched)
    return replace(outlook, problem=_problem(outlook)) if outlook.moves else outlook


_TAKES_EFFECT = {"domains": 0, "sso": 1, "idp_groups": 2, "defaults": 3, "scim": 4}
"""SCIM last: what people keep while it is off is what stood just before (R33)."""


def _problem(outlook: Outlook) -> str | None:
    missing = sorted(outlook.before.missing | outlook.after.missing)
    if missing:
        return f"Who gains or loses what is not known: {', '.join(missing)} not read."
    directory = outlook.directory
    if directory is None:
        return "Who gains or loses what is not known: people were not read."
    seen = directory.coverage
    if seen.state == "complete":
        return None
    part = f"{seen.read:,} of {seen.total:,}" if seen.read is not None and seen.total is not None else "not all"
    why = f": {seen.problem}" if seen.problem else ""
    return f"Counts are too low: {part} people were read{why}."
