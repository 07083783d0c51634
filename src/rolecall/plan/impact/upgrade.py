"""What the upgrade of the endpoint does to people once it is complete (R20)."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from rolecall.access.atoms import ORG
from rolecall.access.evaluate import shifts
from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping, Scim, Settings
from rolecall.plan.impact.causes import Cause
from rolecall.plan.impact.moves import Class, moves
from rolecall.plan.outlook import Outlook
from rolecall.plan.people import who
from rolecall.plan.state import State
from rolecall.plan.value import UpgradeImpact


def upgrade_impact(desired: Desired, outlook: Outlook, changes: Sequence[Change]) -> UpgradeImpact | None:
    """Compare all users before the plan with all users under the new endpoint, every group of the config pushed."""
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
    first = outlook.first
    pushed = _by_name(set() if started else set(_entries(first.settings)), first)
    legacy = set(first.facts.legacy_links or ())
    groups = _by_name(_mapped(first.settings) | legacy, first) | _by_name(_mapped(done), first)
    return UpgradeImpact(
        "start" if started else "complete",
        directory.active_people - differ,
        differ,
        groups.total(),
        (groups & pushed).total(),
        tuple(sorted(who(directory, number, outlook.first.facts.org_id) for number in lost)),
        moves(outlook, _classes(moved, step.address)) if started else (),
    )


def _classes(moved: Mapping[tuple[int, int], array[int]], cause: Address) -> list[Class]:
    """The largest first."""
    found = [Class(*ends, (Cause(ends[0] ^ ends[1], (cause,)),), numbers) for ends, numbers in moved.items()]
    return sorted(found, key=lambda row: (-len(row.numbers), row.numbers[0]))


def _complete(desired: Desired, last: Settings) -> Settings:
    """Return the settings with the new endpoint in force and every mapping of the config in place."""
    scim = Scim() if last.scim is UNSET else last.scim
    wanted = {} if desired.settings.idp_groups is UNSET else desired.settings.idp_groups
    return replace(last, scim=replace(scim, endpoint="new"), idp_groups={**_entries(last), **wanted})


def _entries(settings: Settings) -> dict[str, GroupMapping]:
    return {} if settings.idp_groups is UNSET else dict(settings.idp_groups)


def _mapped(settings: Settings) -> set[str]:
    return {name for name, mapping in _entries(settings).items() if mapping != BLANK}


def _by_name(keys: Set[str], state: State) -> Counter[str]:
    """Count groups by the name that the IdP pushes.

    A legacy group whose name has been pushed again is keyed ``name [id]``, as groups that share a name are.
    """
    names = state.facts.groups.keys() | state.facts.homonyms
    bases = ((key, key.rpartition(" [")[0] if key.endswith("]") else key) for key in keys)
    return Counter(base if base in names else key for key, base in bases)
