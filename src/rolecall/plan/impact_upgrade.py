"""What the upgrade of the endpoint does to people once it is complete (R20)."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rolecall.access.atoms import ORG
from rolecall.access.evaluate import shifts
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.live import Facts
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Scim, Settings
from rolecall.plan.impact_moves import Class, moves
from rolecall.plan.outlook import Outlook
from rolecall.plan.people import who
from rolecall.plan.value import UpgradeImpact


def upgrade_impact(desired: Desired, outlook: Outlook, changes: Sequence[Change]) -> UpgradeImpact | None:
    """Everybody before the plan against everybody under the new endpoint, with every group of the config pushed."""
    step = next((change for change in changes if change.action == "upgrade"), None)
    directory = outlook.directory
    if step is None or directory is None or outlook.problem:
        return None
    started = isinstance(step.after, Scim) and step.after.endpoint == "upgrading"
    done = _complete(desired, outlook.last.settings)
    after = compile_access(done, outlook.last.facts, atoms=outlook.before.atoms)
    moved = shifts(outlook.before, after, directory)
    differ = sum(map(len, moved.values()))
    lost = [n for (b, a), numbers in moved.items() if b & ~a & ORG for n in numbers]
    groups = _groups(outlook.first.settings, outlook.first.facts) | _mapped(done)
    here = set() if started else set(_entries(outlook.first.settings))
    return UpgradeImpact(
        "start" if started else "complete",
        directory.active_people - differ,
        differ,
        len(groups),
        len(groups & here),
        tuple(sorted(who(directory, number, outlook.first.facts.org_id) for number in lost)),
        moves(outlook, _classes(moved, step.address)) if started else (),
    )


def _classes(moved: Mapping[tuple[int, int], array[int]], cause: Address) -> list[Class]:
    """The largest first."""
    found = [Class(before, after, (cause,), numbers) for (before, after), numbers in moved.items()]
    return sorted(found, key=lambda row: (-len(row.numbers), row.numbers[0]))


def _complete(desired: Desired, last: Settings) -> Settings:
    """The settings with the new endpoint in force and every mapping of the config in place."""
    scim = Scim() if last.scim is UNSET else last.scim
    wanted = {} if desired.settings.idp_groups is UNSET else desired.settings.idp_groups
    return replace(last, scim=replace(scim, endpoint="new"), idp_groups={**_entries(last), **wanted})


def _entries(settings: Settings) -> dict[str, GroupMapping]:
    return {} if settings.idp_groups is UNSET else dict(settings.idp_groups)


def _mapped(settings: Settings) -> set[str]:
    return {name for name, mapping in _entries(settings).items() if mapping != BLANK}


def _groups(settings: Settings, facts: Facts) -> set[str]:
    return _mapped(settings) | set(facts.legacy_links or ())
