"""What would happen to users if mappings changed once a plan is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rolecall.access.candidates import candidates
from rolecall.access.candidates import scope as needed_scope
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.plan.impact.moves import classes, moves
from rolecall.plan.outlook import Outlook
from rolecall.plan.state import with_mappings
from rolecall.plan.value import Move


def suppose(outlook: Outlook, changes: Sequence[Change]) -> tuple[Move, ...]:
    """What would happen to people if, once the plan is done, these mappings were changed."""
    if outlook.directory is None or outlook.problem:
        return ()
    supposed = tuple(replace(change, via="api") for change in changes)
    settings = with_mappings(outlook.last.settings, supposed)
    after = compile_access(settings, outlook.last.facts, atoms=outlook.before.atoms)
    touched = candidates(outlook.after, after, outlook.directory)
    then = replace(
        outlook,
        first=outlook.last,
        last=outlook.last._replace(settings=settings),
        before=outlook.after,
        after=after,
        scope=needed_scope(outlook.after, after),
        touched=touched,
        written=supposed,
    )
    return moves(then, classes(then))
