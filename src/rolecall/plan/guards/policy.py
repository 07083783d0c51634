"""Guard changes of the policy: what becomes less strict, the approval a run needs, other and older configs."""

from __future__ import annotations

from collections.abc import Iterator

from rolecall.errors import Problem
from rolecall.model.desired import Applied
from rolecall.model.lineage import Lineage, LogCheck, read_config_id
from rolecall.model.policy import Approval
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at
from rolecall.plan.headline import enumerate_words
from rolecall.plan.value import PolicyChange

_APPROVALS: tuple[Approval, ...] = ("none", "recorded", "other_person")


def policy(guard_input: GuardInput) -> Finding:
    """A policy looser than the one last applied needs a review, and holds from the next plan on. Where the journal does
    not have the policy that was applied last, nothing can be compared."""
    if (log := guard_input.plan_input.log) is not None and (log.unknown is not None or not log.whole):
        return _unrecorded(log, guard_input.plan_input.applied)
    loose = [change for change in guard_input.policy_changes if change.loosens]
    if not loose:
        return PASS
    listing = enumerate_words([_loosened(change) for change in loose], 6)
    sources = guard_input.plan_input.desired.policy.sources
    source = next((sources[change.path] for change in loose if change.path in sources), None)
    return Finding(
        "review",
        f"The config loosens {listing}{at(source)}; this plan is still judged by what was applied last.",
        actual=len(loose),
        items=tuple(Item(1) for _ in loose),
        source=source,
        fixes=("If it is not meant, put the old value back.",),
    )


def _unrecorded(log: LogCheck, applied: Applied) -> Finding:
    """Return what is said where the journal lacks the last apply to the org, or may lack it."""
    last = log.unknown
    review = "eview the whole policy and approve the plan at the prompt or with `--approve DIGEST`."
    fixes: tuple[str, ...] = (f"R{review}",)
    if last is None:
        entries = f"The newest {log.entries:,} entries of the org's audit log"
        message = f"{entries} show no apply, so the last one is not known."
    else:
        which = f"run {last.run} ({last.at:%Y-%m-%d %H:%M} UTC)" if applied.recorded else "any"
        message = f"The org's audit log shows earlier applies by rolecall, and this journal has no record of {which}. "
        if last.journal == applied.journal:
            message += "It was restored from an older backup, or it is a copy."
            fixes = ("Use the journal, or a backup, that has this run.", f"If there is none, r{review}")
        else:
            message += f"The policy applied last is in the journal {last.journal}."
            place = "Name that journal in `journal.url`, or in CI in ROLECALL_JOURNAL."
            fixes = (place, f"If it is lost, r{review}")
    return Finding("not judged", message, actual=1, items=(Item(1),), fixes=fixes)


def _loosened(change: PolicyChange) -> str:
    """``guards.min_org_admins from 3 to 2``; entries, which have several keys, by their path alone."""
    plain = all(isinstance(value, str | int) for value in (change.before, change.after))
    before, after = (_scalar(value) for value in (change.before, change.after))
    return f"{change.path} from {before} to {after}" if plain else change.path


def _scalar(value: object) -> str:
    """Return a value as YAML writes it: ``true``, ``3``, ``deny``."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def approval(guard_input: GuardInput) -> Finding:
    """Whether a run needs a recorded approval, and whose; the run itself checks that it is there. A run that changes
    nothing but the policy needs one where it makes the policy less strict."""
    needed = max((guards.approval for guards in guard_input.policies), key=_APPROVALS.index)
    if needed == "none" or not (guard_input.effective or any(change.loosens for change in guard_input.policy_changes)):
        return PASS._replace(limit=needed)
    whose = " by somebody other than the change's author" if needed == "other_person" else ""
    return Finding(
        "review",
        f"An apply needs a recorded approval{whose}{at(guard_input.place('approval'))}.",
        needed,
        source=guard_input.place("approval"),
        firm=True,
        fixes=("Give it with `apply --approval FILE`.",),
    )


def foreign(guard_input: GuardInput) -> Finding:
    """An address that another config applied last."""
    mine, applied = guard_input.plan_input.config, guard_input.plan_input.applied.config
    foreign_changes = [c for c in guard_input.effective if mine and applied.get(c.address, mine) != mine]
    if not foreign_changes:
        return PASS
    listing = enumerate_words(
        [f"{change.address} (by {_config_text(applied[change.address])})" for change in foreign_changes], 4
    )
    return Finding(
        "review",
        f"Another configuration applied this last: {listing}.",
        actual=len(foreign_changes),
        items=tuple(Item(1, (change.address,)) for change in foreign_changes),
        source=foreign_changes[0].intent.source,
        target=foreign_changes[0].address if len(foreign_changes) == 1 else None,
        fixes=("Manage it in one configuration: remove it from the other, or `ignore` it there.",),
    )


def _config_text(recorded: str) -> str:
    """Where the configuration is that the journal names."""
    known = read_config_id(recorded)
    return recorded if known is None else known.words


_WAYS = (
    "To apply the newer configuration, run the pipeline of the newest commit.",
    "To go back on purpose, revert the newer commit and apply that.",
)


def older(guard_input: GuardInput) -> Finding:
    """A configuration without the commit that was applied last takes back what that commit changed."""
    lineage = guard_input.plan_input.lineage
    if lineage is None or lineage.relation not in ("older", "diverged"):
        return PASS
    short = lineage.commit[:12]
    message = (
        f"This configuration is older than the one applied by run {lineage.run} (commit {short})."
        if lineage.relation == "older"
        else f"This configuration does not include commit {short}, which was applied by run {lineage.run}."
    )
    return Finding("review", message, actual=1, items=(Item(1),), fixes=_WAYS)


def unknown_order(lineage: Lineage | None) -> Iterator[Problem]:
    """Warn if it cannot be determined whether a plan with changes is of an older commit."""
    if lineage is not None and lineage.relation is None:
        message = (
            f"whether this configuration is older than the one applied by run {lineage.run} (commit "
            f"{lineage.commit[:12]}) cannot be determined: this clone does not have that commit"
        )
        hint = "fetch the whole history: `git fetch --unshallow`; in a pipeline, `fetch-depth: 0`"
        yield Problem("unknown_order", message, None, hint, "warning")
