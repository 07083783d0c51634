"""Plan to restore what a run changed. The guards check this plan like any other.

Groups are found by the IDs that the run recorded, whatever their current names. What cannot be restored is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rolecall.apply.steps import satisfies
from rolecall.errors import Misuse, Problem, RolecallError
from rolecall.jobs.people import read_people
from rolecall.jobs.plan import Planned, PlanRequest, plan_from_input, read_plan_input
from rolecall.jobs.saved import plan_of_text
from rolecall.model import normalise
from rolecall.model.desired import Applied, Desired
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope
from rolecall.model.kinds import KINDS, SECTIONS, overlay, split_address, value_at
from rolecall.model.paste import literal
from rolecall.model.run import Run, Step
from rolecall.model.settings import BLANK, UNSET, Address, Scim, Settings, Value
from rolecall.plan.diff.identity import group_of
from rolecall.plan.inputs import PlanInput
from rolecall.plan.moves import stand_in, who
from rolecall.plan.resolve import ignored
from rolecall.plan.value import Plan, Selection

_TOUCHED = frozenset(("done", "attested", "failed", "unknown", "open"))
"""States of steps that may have changed the org. What they did not change, the plan finds unchanged."""


class Target(NamedTuple):
    """The state before a run: the desired settings by live names, their addresses, and what cannot be restored."""

    desired: Desired
    addresses: tuple[Address, ...]
    problems: tuple[Problem, ...]


class _Written(NamedTuple):
    """The writes of a run to an entry: the first step has the value before the run, the last one the value after it."""

    first: Step
    last: Step


async def rollback(request: PlanRequest, run: Run, run_plan: Plan | None = None) -> Planned:
    """Plan to restore what a run changed. ``request`` is that of a normal plan; its targets are replaced.

    ``run_plan`` is the run's own plan, if the journal has it. Raises Misuse for a run that changed nothing.
    """
    command = f"rolecall rollback {run.id}"
    request = request._replace(target=request.target._replace(pin=run.org_id, references=None, command=command))
    plan_input = (await read_plan_input(request, _sections(run, request.applied(run.org_id)))).resolved
    back = target(run, plan_input)
    plan_input = plan_input._replace(
        desired=back.desired,
        written=plan_input.known.pinned(back.desired),
        selection=Selection(tuple(map(literal, back.addresses)), () if back.addresses else ("*",)),
        warnings=(*plan_input.warnings, *back.problems),
    )
    planned = await plan_from_input(request, plan_input)
    changes = tuple(change._replace(reason="rollback") for change in planned.plan.changes)
    departed = await _departed(request, planned.plan_input, run, run_plan)
    warnings = (*planned.plan.warnings, *departed)
    return planned._replace(plan=planned.plan._replace(changes=changes, warnings=warnings))


def plan_of(run: Run, text: str | None) -> Plan | None:
    """Return the plan of a run from its text in the journal; None without a text, or if another version wrote it."""
    try:
        return plan_of_text(text, f"run {run.id}") if text else None
    except RolecallError:
        return None


def target(run: Run, plan_input: PlanInput) -> Target:
    """Return the state before a run, given a resolved input for the configuration. Raises Misuse if it changed nothing.

    Everything else that was applied stays desired as it is. Policy and intents are those of the configuration.
    """
    touched = [step for step in run.steps if step.state in _TOUCHED]
    if not touched:
        raise Misuse(Problem("nothing_done", f"run {run.id} changed nothing, so there is nothing to restore"))
    upgrades = [step for step in touched if step.action == "upgrade"]
    written = _by_address([step for step in touched if step.action != "upgrade"], plan_input)
    if upgrades:
        written = {at: _without_endpoint(steps) for at, steps in written.items()}
    refused = {at: why for at in written if (why := _not_restorable(run, at, plan_input)) is not None}
    back = {at: steps for at, steps in written.items() if at not in refused}
    problems = [*refused.values(), *_missing(run, touched, plan_input), *_changed_since(run, back, plan_input)]
    if upgrades:
        message = f"the endpoint upgrade of run {run.id} cannot be undone (R20)"
        problems.insert(0, _stays(message, "everything else that the run wrote can be restored"))
    problems += [_manual(run, step) for step in run.steps if step.state == "human"]
    config = plan_input.desired
    intents = {**config.intents, **{at: _intent(config, at, steps.first) for at, steps in back.items()}}
    settings = _settings(plan_input.applied.settings, back)
    return Target(Desired(settings, intents, config.policy, config.places), tuple(back), tuple(problems))


def _sections(run: Run, applied: Applied) -> frozenset[str]:
    """Return the sections that a rollback needs: those of the run, and those that were applied since."""
    applied_sections = {section for section in SECTIONS if getattr(applied.settings, section) is not UNSET}
    return frozenset(applied_sections | {split_address(step.address)[0] for step in run.steps})


def _by_address(steps: list[Step], plan_input: PlanInput) -> dict[Address, _Written]:
    """Return what was written, by the current address of each entry, without what the org no longer has."""
    written: dict[Address, _Written] = {}
    for step in steps:
        at = _present(step, plan_input)
        if at is not None:
            written[at] = _Written(written[at].first if at in written else step, step)
    return written


def _present(step: Step, plan_input: PlanInput) -> Address | None:
    """Return the current address of a step's entry; None for a missing group. Runs of 0.1.0 have no IDs."""
    if step.id is not None:
        return plan_input.live.address_now(step.address, step.id)
    at = plan_input.known.present_address(step.address)
    name, groups = group_of(at), plan_input.live.settings.idp_groups
    return at if name is None or groups is UNSET or name in groups else None


def _intent(config: Desired, at: Address, step: Step) -> Any:
    """Return the configured intent of an entry, without what would remove it again."""
    if step.before is None and split_address(at)[0] != "idp_groups":
        return config.intent(at)._replace(remove=True)
    return config.intent(at)._replace(remove=False, expires=None, previously=())


def _settings(base: Settings, back: Mapping[Address, _Written]) -> Settings:
    sections = {kind.section: dict(_section(base, kind.section, kind.keyed, back)) for kind in KINDS}
    by_section: dict[str, Any] = {
        kind.section: sections[kind.section] if kind.keyed else sections[kind.section][None]
        for kind in KINDS
        if sections[kind.section] or getattr(base, kind.section) is not UNSET
    }
    return Settings(**by_section)


def _section(
    base: Settings, section: str, keyed: bool, back: Mapping[Address, _Written]
) -> Iterator[tuple[Any, Value]]:
    applied_sections = getattr(base, section)
    entries: dict[Any, Any] = (
        {} if applied_sections is UNSET else dict(applied_sections) if keyed else {None: applied_sections}
    )
    for at, steps in back.items():
        kind, key = split_address(at)
        if kind != section:
            continue
        before = steps.first.before
        if before is None:
            entries.pop(key, None)
            if section == "idp_groups":
                entries[key] = BLANK
        else:
            known = value_at(base, at)
            entries[key] = before if known is None else overlay(known, before)
    return iter(entries.items())


def _without_endpoint(steps: _Written) -> _Written:
    """Return what was written, without the endpoint, which an upgrade changed for good."""
    before = steps.first.before
    if not isinstance(before, Scim):
        return steps
    return steps._replace(first=replace(steps.first, before=replace(before, endpoint=UNSET)))


def _not_restorable(run: Run, at: Address, plan_input: PlanInput) -> Problem | None:
    """Return why an entry is not restored; None if it is."""
    policy, section = plan_input.desired.policy, split_address(at)[0]
    if plan_input.known.covers(ignored(policy.ignore, plan_input.as_of), at):
        return _stays(f"{at} was changed by run {run.id} and is now ignored", "to restore it, remove it from `ignore`")
    if policy.managing(section) == "unmanaged":
        message = f"{at} was changed by run {run.id}, and {section} is no longer managed"
        return _stays(message, f"restore it in the console, or manage {section} again")
    return None


def _missing(run: Run, steps: list[Step], plan_input: PlanInput) -> Iterator[Problem]:
    for at in dict.fromkeys(step.address for step in steps if _present(step, plan_input) is None):
        yield _stays(f"the group of {at}, which run {run.id} changed, no longer exists", None)


def _changed_since(run: Run, back: Mapping[Address, _Written], plan_input: PlanInput) -> Iterator[Problem]:
    """Yield warnings about entries that were changed since the run: restoring them overwrites that."""
    for at, steps in back.items():
        value, done = value_at(plan_input.live.settings, at), steps.last.state in ("done", "attested")
        covered = plan_input.live.covered(split_address(at)[0]).state == "complete"
        if done and covered and not satisfies(value, steps.last.after) and not satisfies(value, steps.first.before):
            message = f"{at} was changed again after run {run.id}, and the rollback overwrites that"
            hint = "to keep the later change, set it in the configuration and apply that after the rollback"
            yield Problem("changed_since", message, None, hint, "warning")


async def _departed(
    request: PlanRequest, plan_input: PlanInput, run: Run, run_plan: Plan | None
) -> tuple[Problem, ...]:
    """Return warnings about users who lost access in the run and cannot get it back, since they are no longer active.

    A user that the plan did not read may still be active: they are read by address, and if that fails all users are
    read, since an address may have changed. If the source has no IDs, a changed address cannot be recognized.
    """
    if run_plan is None or plan_input.directory is None or request.people is None:
        return ()
    unlisted = sum(move.size for move in run_plan.impact.moves if move.kind != "gain" and move.members_hash)
    losers = [user for move in run_plan.impact.moves if move.kind != "gain" for user in move.people]
    lost = {user.id: user.email for user in losers if user.id}
    missing = _missing_from(plan_input.directory, lost, run.org_id)
    for scope in () if plan_input.everybody else (PeopleScope(emails=_addresses(missing)), EVERYBODY):
        if missing and (scope.everybody or scope.emails):
            directory = await read_people(request.people, request.org, plan_input.live, scope)
            missing = _missing_from(directory, missing, run.org_id)
    by_address = {known: email for known, email in missing.items() if email and known == stand_in(run.org_id, email)}
    inactive = {known: email for known, email in missing.items() if known not in by_address}
    return (
        *_unlisted(run, unlisted),
        *_departed_users(run, inactive, "no longer active"),
        *_departed_users(run, by_address, "not found under the same address"),
    )


def _unlisted(run: Run, number: int) -> Iterator[Problem]:
    """Yield a warning about users who lost access in classes of which the plan has only a hash."""
    if number:
        message = (
            f"the plan of run {run.id} does not list {number:,} users who lost access, so it is unknown whether they"
        )
        yield _stays(f"{message} are still active", None)


def _missing_from(directory: Directory, lost: Mapping[str, str | None], org: str) -> Mapping[str, str | None]:
    """Return those of the users, id -> address, who are not active; none if the directory was not read completely."""
    if directory.coverage.state != "complete":
        return {}
    active = _active(directory, org)
    return {known: email for known, email in lost.items() if known not in active}


def _addresses(users: Mapping[str, str | None]) -> frozenset[str]:
    return frozenset(normalise.email(email) for email in users.values() if email)


def _departed_users(run: Run, users: Mapping[str, str | None], how: str) -> Iterator[Problem]:
    names = sorted(email or known for known, email in users.items())
    if names:
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5:,} more" if len(names) > 5 else "")
        count, verb = ("1 user", "is") if len(names) == 1 else (f"{len(names):,} users", "are")
        yield _stays(f"{count} who lost access in run {run.id} {verb} {how}: {shown}", None)


def _active(directory: Directory, org: str) -> frozenset[str]:
    """Return the IDs of the users in a directory who can be active, as plans have them."""
    present = (number for number in range(len(directory)) if directory.traits(number).present)
    return frozenset(known for number in present if (known := who(directory, number, org).id))


def _stays(message: str, hint: str | None) -> Problem:
    return Problem("not_restorable", message, None, hint, "warning")


def _manual(run: Run, step: Step) -> Problem:
    message = f"{step.address} was a manual step of run {run.id}, and it is unknown whether it was done"
    hint = f"if it was, report it first: rolecall done {run.id} {step.label}"
    return _stays(message, hint)
