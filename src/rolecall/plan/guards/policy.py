"""Guard changes of the policy, the approval that a run needs, and changes by other or older configurations."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.errors import Problem
from rolecall.model.desired import Applied
from rolecall.model.lineage import Lineage, LogCheck, read_config_id
from rolecall.model.policy import Approval
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item
from rolecall.plan.value import Detail, PolicyChange

_MOST = 4
_APPROVALS: tuple[Approval, ...] = ("none", "recorded", "other_person")


def policy(guard_input: GuardInput) -> Finding:
    """Require approval where the policy is less strict than the one last applied; it takes effect from the next plan.

    Where the journal does not have the policy last applied, nothing can be compared.
    """
    if (log := guard_input.plan_input.log) is not None and (log.unknown is not None or not log.whole):
        return _unrecorded(log, guard_input.plan_input.applied)
    loose = [change for change in guard_input.policy_changes if change.loosens]
    if not loose:
        return PASS
    sources = guard_input.plan_input.desired.policy.sources
    source = next((sources[change.path] for change in loose if change.path in sources), None)
    details = [Detail(_loosened(change), sources.get(change.path)) for change in loose[:_MOST]]
    if len(loose) > _MOST:
        details.append(Detail(f"and {len(loose) - _MOST:,} more"))
    settings = "1 setting of the policy is" if len(loose) == 1 else f"{len(loose):,} settings of the policy are"
    return Finding(
        "review",
        f"{settings} less strict than in the last apply",
        actual=len(loose),
        items=tuple(Item(1) for _ in loose),
        source=source,
        fixes=("To reject it, restore the previous value.",),
        details=(*details, Detail("This plan is checked against the policy of the last apply.")),
    )


def _unrecorded(log: LogCheck, applied: Applied) -> Finding:
    """Return the finding where the journal does not have the last apply to the org, or may not have it."""
    last = log.unknown
    review = "eview the whole policy and approve the plan at the prompt or with `--approve DIGEST`."
    fixes: tuple[str, ...] = (f"R{review}",)
    if last is None:
        message = f"The newest {log.entries:,} entries of the org's audit log show no apply, so the last one is unknown"
        details: tuple[Detail, ...] = ()
    else:
        which = f"run {last.run} ({last.at:%Y-%m-%d %H:%M} UTC)" if applied.recorded else "any"
        message = f"The org's audit log shows applies by rolecall, but this journal has no record of {which}"
        if last.journal == applied.journal:
            details = (Detail("The journal was restored from an older backup, or is a copy."),)
            fixes = ("Use the journal, or a backup, that has this run.", f"If there is none, r{review}")
        else:
            details = (Detail(f"The policy of the last apply is in the journal {last.journal}."),)
            fixes = ("Set `journal.url`, or in CI ROLECALL_JOURNAL, to that journal.", f"If it is lost, r{review}")
    return Finding("not judged", message, actual=1, items=(Item(1),), fixes=fixes, details=details)


def _loosened(change: PolicyChange) -> str:
    """Return ``guards.min_org_admins: 3 → 2``; of entries, which have several keys, the path alone."""
    plain = all(isinstance(value, str | int) for value in (change.before, change.after))
    before, after = (_scalar(value) for value in (change.before, change.after))
    return f"{change.path}: {before} → {after}" if plain else change.path


def _scalar(value: object) -> str:
    """Return a value as YAML writes it: ``true``, ``3``, ``deny``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def approval(guard_input: GuardInput) -> Finding:
    """Require a recorded approval where the policy does; `apply` checks that there is one. A run that changes only the
    policy needs one where it makes the policy less strict."""
    needed = max((guards.approval for guards in guard_input.policies), key=_APPROVALS.index)
    if needed == "none" or not (guard_input.effective or any(change.loosens for change in guard_input.policy_changes)):
        return PASS._replace(limit=needed)
    whose = " by a user other than the author of the change" if needed == "other_person" else ""
    return Finding(
        "review",
        f"Apply requires a recorded approval{whose}",
        needed,
        source=guard_input.place("approval"),
        firm=True,
        fixes=("To provide it: rolecall apply --approval FILE",),
    )


def foreign(guard_input: GuardInput) -> Finding:
    """Require approval for changes to what another configuration applied last."""
    mine, applied = guard_input.plan_input.config, guard_input.plan_input.applied.config
    foreign_changes = [c for c in guard_input.effective if mine and applied.get(c.address, mine) != mine]
    if not foreign_changes:
        return PASS
    addresses = "1 address" if len(foreign_changes) == 1 else f"{len(foreign_changes):,} addresses"
    lines = [
        Detail(f"{change.address}, applied by {_config_text(applied[change.address])}", change.intent.source)
        for change in foreign_changes[:_MOST]
    ]
    if len(foreign_changes) > _MOST:
        lines.append(Detail(f"and {len(foreign_changes) - _MOST:,} more"))
    return Finding(
        "review",
        f"Another configuration applied {addresses} of this plan last",
        actual=len(foreign_changes),
        items=tuple(Item(1, (change.address,)) for change in foreign_changes),
        source=foreign_changes[0].intent.source,
        target=foreign_changes[0].address if len(foreign_changes) == 1 else None,
        fixes=("Manage each address in one configuration: remove it from the other, or add it to `ignore` there.",),
        details=tuple(lines),
    )


def _config_text(recorded: str) -> str:
    """Return where the configuration is that the journal names."""
    known = read_config_id(recorded)
    return recorded if known is None else known.words


_WAYS = (
    "To apply the newer configuration, run the pipeline of the newest commit.",
    "To go back on purpose, revert the newer commit and apply the revert.",
)


def older(guard_input: GuardInput) -> Finding:
    """Require approval for a configuration without the commit that was applied last: it undoes that commit."""
    lineage = guard_input.plan_input.lineage
    if lineage is None or lineage.relation not in ("older", "diverged"):
        return PASS
    short = lineage.commit[:12]
    message = (
        f"This configuration is older than the one applied by run {lineage.run} (commit {short})"
        if lineage.relation == "older"
        else f"This configuration does not include commit {short}, which run {lineage.run} applied"
    )
    return Finding("review", message, actual=1, items=(Item(1),), fixes=_WAYS)


def unknown_order(lineage: Lineage | None) -> Iterator[Problem]:
    """Warn if it cannot be determined whether a plan with changes is of an older commit."""
    if lineage is not None and lineage.relation is None:
        message = (
            f"whether this configuration is older than the one applied by run {lineage.run} (commit "
            f"{lineage.commit[:12]}) cannot be determined: this clone does not have that commit"
        )
        hint = "fetch the full history: `git fetch --unshallow`; in a pipeline, `fetch-depth: 0`"
        yield Problem("unknown_order", message, None, hint, "warning")
