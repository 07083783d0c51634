"""Apply an approved plan: plan again from fresh reads, and carry it out if nothing differs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from rolecall.apply.resume import applied_already, approved_state, has_recorded, may_be_applied
from rolecall.apply.run import Fresh, carry_out
from rolecall.apply.steps import ApplyContext
from rolecall.apply.verify import lapsed, verify
from rolecall.errors import OrgError, Problem, Stale
from rolecall.jobs.arrival import Wait, arrived, awaited, not_arrived, not_mapped, with_arrived
from rolecall.jobs.memory import forget_old, sent, sight_run
from rolecall.jobs.people import read_people
from rolecall.jobs.plan import (
    Planned,
    PlanRequest,
    PlanTarget,
    ReadAudit,
    Whose,
    from_plan,
    plan_from_input,
    read_plan_input,
)
from rolecall.journal.port import IDP_APP, LOCAL_ORG, LOG_ENTRY, Journal, JournalError, LockTaken
from rolecall.live.port import Audit, People
from rolecall.model.desired import Applied, Desired
from rolecall.model.directory import EVERYBODY
from rolecall.model.kinds import of_idp
from rolecall.model.live import Live
from rolecall.model.paste import literal
from rolecall.model.policy import policy_differences
from rolecall.model.run import Run, RunReport
from rolecall.model.settings import UNSET, Address, Scim
from rolecall.model.target import DEFAULT_KEEP_DAYS
from rolecall.plan.commands import once
from rolecall.plan.coverage import incomplete, people_coverage
from rolecall.plan.draft import draft_plan
from rolecall.plan.idp_users import manages_idp
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest, matches, short
from rolecall.plan.value import Plan, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest(ApplyContext):
    """One apply: what the run needs, and the plan that it carries out.

    ``keep_days`` is how long runs and access records are kept. ``here`` is what the current configuration asks for: its
    policy applies to a saved plan, too. ``audit`` is None without an audit log at WRITER. ``arrival_timeout`` is the
    time to wait for groups that the run pushed, in seconds; ``arriving`` is called with their mappings before that.
    """

    approved: Plan
    target: PlanTarget
    people: People | None
    whose: Whose = Whose()
    keep_days: int = DEFAULT_KEEP_DAYS
    here: Desired | None = None
    audit: ReadAudit | None = None
    arrival_timeout: float = 0
    arriving: Callable[[Sequence[Address]], None] = lambda _: None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def apply_approved(request: ApplyRequest) -> RunReport:
    """Carry out the approved plan, and map the groups that it pushes once they arrive. Raises Stale, before anything is
    sent, if it is out of date.
    """
    report = await _one_run(request)
    addresses = awaited(request.approved, report.run)
    if not addresses or report.problems or request.stop():
        return report
    return await _with_arrival(request, report, addresses)


async def _with_arrival(request: ApplyRequest, report: RunReport, addresses: Sequence[Address]) -> RunReport:
    """Wait for groups and map those that arrived, in a run of its own: the lock is free until then. Whatever prevents
    that leaves their mappings pending, for the next apply.
    """
    org: object = request.org
    if not isinstance(org, Audit):  # an observed org, which nothing arrives in until it is observed again
        return replace(report, notes=(*report.notes, *not_arrived(addresses, observed=True)))
    request.arriving(addresses)
    wait = Wait(request.arrival_timeout, request.stop, request.sleep)
    present = await arrived(request.org, addresses, wait)
    notes = (*report.notes, *not_arrived([at for at in addresses if at not in present], observed=False))
    report = replace(report, notes=notes, waiting=tuple(at for at in report.waiting if at not in present))
    if not present:
        return report
    try:
        mapped = await _one_run(replace(request, approved=with_arrived(request.approved, present)))
    except (Stale, LockTaken, OrgError) as error:
        return replace(report, notes=(*notes, *not_mapped(present, error)))
    return replace(report, arrival=replace(mapped, waiting=()))


async def _one_run(request: ApplyRequest) -> RunReport:
    """Carry out the approved plan. Raises Stale, before anything is sent, if it is out of date.

    As the run begins, the journal gets a note of whether the org is a local one, for ``check_rehearsal``, and of the
    app in the IdP, for the guard `idp_target`.
    """
    replanner = _Replanner(request)

    def began(run: int, steps: int) -> None:
        """Record what the org and its app are, then report the run."""
        if replanner.plan_input is not None:
            facts = replanner.plan_input.live.facts
            request.journal.keep(facts.org_id, LOCAL_ORG, facts.local)
            _keep_app(request.journal, replanner.plan_input)
        request.began(run, steps)

    report = await carry_out(request.approved, replace(request, began=began), replanner)
    plan_input, final = replanner.plan_input, replanner.final
    if report.run is None or report.problems or request.stop() or plan_input is None or final is None:
        return report
    return replace(report, notes=(*report.notes, *await _record_holders(request, report.run, plan_input, final)))


def _keep_app(journal: Journal, plan_input: PlanInput) -> None:
    """Note the app in the IdP that the run is about. An app that was noted stays, even if a run with another one has no
    changes there, until a configuration that manages nothing in the IdP is applied."""
    side, known = plan_input.live.facts.idp, plan_input.applied.idp_app
    app = known or ("" if side is None else side.where)
    app = app if manages_idp(plan_input.desired) else ""
    if app != known:
        journal.keep(plan_input.live.facts.org_id, IDP_APP, app)


class Earlier(NamedTuple):
    """The runs that applied a plan before, as sentences, and whether manual steps of it are still open."""

    notes: tuple[str, ...]
    manual: bool


async def applied_before(approved: Plan, request: PlanRequest, runs: Sequence[Run]) -> Earlier | None:
    """Return how a plan was applied before; None if something is left to apply.

    The org is read only if ``runs``, newest first, have every change of the plan. ``request`` is that of a normal plan;
    its goal is replaced by the approved values.
    """
    if not may_be_applied(approved, runs) or lapsed(approved, request.now):
        return None
    target = from_plan(approved)._replace(pin=None)
    again = request._replace(target=target, as_of=approved.as_of, lifts=once(approved), selection=_selection(approved))
    planned = await _plan_what_is_left(again, approved)
    verified, moved = verify(approved, planned.plan, None, runs, planned.live)
    open_again = verified.human and not any(has_recorded(approved, planned.plan, run) for run in runs)
    if moved or verified.steps or open_again:
        return None
    return Earlier(verified.notes, bool(verified.human))


@dataclass(slots=True)
class _Replanner:
    """Plans an approved plan again; keeps the input of the last planning, and the org at the end of the run."""

    request: ApplyRequest
    plan_input: PlanInput | None = None
    final: Live | None = None

    async def plan_again(self) -> Fresh:
        """Plan from fresh reads, with the desired values of the approved plan and for its day.

        Another org than the approved one is not an error here: verification finds it, and the exit code is 5.
        """
        request, approved = self.request, self.request.approved
        plan_request = _question_of(request, approved.desired)
        planned = await _plan_what_is_left(plan_request, approved)
        self.plan_input = planned.plan_input
        fresh, plan_input = _with_reasons(planned.plan, approved), planned.plan_input
        whole, judged_here = await _whole(request, planned), await _judged_here(request)
        return Fresh(fresh, planned.live, plan_input.known.memory, plan_input.directory, whole, judged_here)

    def keep_final(self, live: Live) -> None:
        """Keep the org as it is at the end of the run."""
        self.final = live


async def _record_holders(request: ApplyRequest, run: Run, question: PlanInput, live: Live) -> Iterable[str]:
    """Record how far the audit log was read and who has which access, once the run is over.

    Return notes about what could not be recorded, such as users that could not be read: the run itself is done.
    """
    notes = None
    try:
        if question.log is not None:
            request.journal.keep(run.org_id, LOG_ENTRY, question.log.newest)
        same_names = question.live.facts.groups.keys() == live.facts.groups.keys()
        directory = question.directory if question.everybody and same_names else None
        if directory is None and request.people is not None:
            directory = await read_people(request.people, request.org, live, EVERYBODY)
        if directory is not None:
            sight_run(request.journal, run.id, question.on(live, directory), request.now())
            coverage = people_coverage(directory)
            notes = incomplete(coverage) if coverage.problem or coverage.state == "partial" else None
        forget_old(request.journal, run.org_id, request.now(), request.keep_days)
    except (OrgError, JournalError) as error:
        return (f"Access records were not written: {error.problems[0].message}.",)
    return () if notes is None else (f"Access records are incomplete. {notes}.",)


def _question_of(request: ApplyRequest, desired: Desired, protected: frozenset[Address] = frozenset()) -> PlanRequest:
    """Return the request to plan again. ``protected`` are more entries that must not be weakened."""
    approved = request.approved

    def applied(org_id: str) -> Applied:
        memory = _with_ids_of(approved, request.journal.applied(org_id))
        return replace(memory, protected=memory.protected | protected) if protected else memory

    return PlanRequest(
        target=request.target._replace(desired=desired, pin=None),
        org=request.org,
        people=request.people,
        now=request.now(),
        as_of=approved.as_of,
        applied=applied,
        sent=partial(sent, request.journal),
        whose=request.whose,
        lifts=once(approved),
        selection=_selection(approved),
        audit=request.audit,
        idp=request.idp,
    )


def _selection(approved: Plan) -> Selection:
    """Return the addresses of a plan with targets, so that no other change is added."""
    if not approved.partial:
        return Selection()
    return Selection(tuple(literal(change.address) for change in approved.changes), () if approved.changes else ("*",))


async def _judged_here(request: ApplyRequest) -> Plan | None:
    """Return the plan as the policy of the current configuration evaluates it; None if the plan has that policy."""
    approved, current = request.approved.desired, request.here
    if current is None:
        return None
    protected = frozenset(address for address, intent in current.intents.items() if intent.protect)
    known = frozenset(address for address, intent in approved.intents.items() if intent.protect)
    if not policy_differences(approved.policy, current.policy) and protected <= known:
        return None
    policy = current.policy._replace(manage=approved.policy.manage, ignore=approved.policy.ignore)
    plan_request = _question_of(request, approved._replace(policy=policy), protected)
    return (await _plan_what_is_left(plan_request, request.approved)).plan


async def _plan_what_is_left(request: PlanRequest, approved: Plan) -> Planned:
    """Read and plan. A plan that starts an upgrade does not complete it."""
    plan_input = await read_plan_input(request)
    scim, desired = plan_input.live.settings.scim, plan_input.desired
    starts = any(change.after == Scim(endpoint="upgrading") for change in approved.writes)
    desired_scim = desired.settings.scim
    if starts and isinstance(scim, Scim) and isinstance(desired_scim, Scim) and scim.endpoint == "upgrading":
        settings = replace(desired.settings, scim=replace(desired_scim, endpoint=UNSET))
        plan_input = plan_input._replace(desired=desired._replace(settings=settings), written=desired)
    return await plan_from_input(request, plan_input)


async def _whole(request: ApplyRequest, planned: Planned) -> Plan | None:
    """Return the plan from the approved state, if some of its steps were applied before; None if none were, or if that
    state is not known. Steps in the IdP stay applied: the users who were read are those after them.
    """
    already = [step for step in applied_already(request.approved, planned.plan) if not of_idp(step.address)]
    before = approved_state(planned.live, already) if already else None
    if before is None or request.approved.org.id != planned.plan.org.id:
        return None
    plan_input = planned.plan_input._replace(live=before)
    begun = draft_plan(plan_input)
    if request.people is not None and begun.scope != plan_input.scope:
        directory = await read_people(request.people, request.org, planned.live, begun.scope)
        plan_input = plan_input._replace(directory=directory, scope=begun.scope)
    return make(plan_input, begun)


def _with_ids_of(approved: Plan, applied: Applied) -> Applied:
    """Return what was applied, with the IDs of the groups that the approved plan was made for."""
    ids = {change.address: change.id for change in approved.changes if change.id}
    return replace(applied, group_ids={**applied.group_ids, **approved.group_ids}, ids={**applied.ids, **ids})


def _with_reasons(fresh: Plan, approved: Plan) -> Plan:
    """Return the new plan with the approved plan's reasons: changes of a rollback remain changes of a rollback."""
    back = {change.id or change.address for change in approved.changes if change.reason == "rollback"}
    changes = tuple(c._replace(reason="rollback") if (c.id or c.address) in back else c for c in fresh.changes)
    return fresh._replace(changes=changes) if back else fresh


def check_digest(approved: str, plan: Plan) -> None:
    """Raise Stale unless the approved digest is that of this plan."""
    current = digest(plan)
    if not matches(approved, current):
        message = f"the digest {approved} was approved, but this plan has {short(current)}"
        hint = f"review this plan, then approve it: --approve {short(current)}"
        raise Stale(Problem("digest", message, None, hint))
