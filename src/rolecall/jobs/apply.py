"""Apply a plan that was approved: plan again on fresh reads, and carry out what still fits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from rolecall.apply.resume import applied_already, approved_state
from rolecall.apply.run import Fresh, carry_out
from rolecall.apply.steps import ApplyContext
from rolecall.errors import OrgError, Problem, Stale
from rolecall.jobs.memory import forget_old, sent, sight_run
from rolecall.jobs.people import read_people
from rolecall.jobs.plan import Planned, PlanRequest, PlanTarget, Whose, plan_from_input, read_plan_input
from rolecall.journal.port import LOG_ENTRY, JournalError
from rolecall.live.port import People
from rolecall.model.desired import Applied, Desired
from rolecall.model.directory import EVERYBODY
from rolecall.model.live import Live
from rolecall.model.paste import literal
from rolecall.model.policy import policy_differences
from rolecall.model.run import Run, RunReport
from rolecall.model.settings import UNSET, Address, Scim
from rolecall.model.target import DEFAULT_KEEP_DAYS
from rolecall.plan.coverage import incomplete, people_coverage
from rolecall.plan.draft import draft_plan
from rolecall.plan.inputs import PlanInput
from rolecall.plan.make import make
from rolecall.plan.saved.digest import digest, matches, short
from rolecall.plan.value import Plan, Selection


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest(ApplyContext):
    """One apply: what the run works with, and what it carries out.

    ``keep_days`` is how long runs and sightings are kept. ``here`` is what the configuration at hand asks for: a saved
    plan is judged by its policy, too.
    """

    approved: Plan
    target: PlanTarget
    people: People | None
    whose: Whose = Whose()
    keep_days: int = DEFAULT_KEEP_DAYS
    here: Desired | None = None


async def apply_approved(request: ApplyRequest) -> RunReport:
    """Carry the approved plan out. Raises Stale before anything is sent when it no longer fits."""
    replanner = _Replanner(request)
    report = await carry_out(request.approved, request, replanner)
    plan_input, final = replanner.plan_input, replanner.final
    if report.run is None or report.problems or request.stop() or plan_input is None or final is None:
        return report
    return replace(report, notes=(*report.notes, *await _record_holders(request, report.run, plan_input, final)))


@dataclass(slots=True)
class _Replanner:
    """Plans an approved plan again, and keeps the last reads: what was planned from, and the org at the run's end."""

    request: ApplyRequest
    plan_input: PlanInput | None = None
    final: Live | None = None

    async def plan_again(self) -> Fresh:
        """Run the same planner on fresh reads, from the desired values of the approved plan and for its day.

        Another org than the approved one is no error here: verifying finds it, and leaves with 5.
        """
        request, approved = self.request, self.request.approved
        plan_request = _question_of(request, approved.desired)
        planned = await _plan_what_is_left(plan_request, approved)
        self.plan_input = planned.plan_input
        fresh, plan_input = _with_reasons(planned.plan, approved), planned.plan_input
        whole, judged_here = await _whole(request, planned), await _judged_here(request)
        return Fresh(fresh, planned.live, plan_input.known.memory, plan_input.directory, whole, judged_here)

    def keep_final(self, live: Live) -> None:
        """Keep the org as the run left it."""
        self.final = live


async def _record_holders(request: ApplyRequest, run: Run, question: PlanInput, live: Live) -> Iterable[str]:
    """Keep how far the audit log was taken account of and who holds what, once the run is over; where people cannot be
    read, say so: the run itself is done."""
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
        return (f"Who holds privileged access was not recorded: {error.problems[0].message}.",)
    return () if notes is None else (f"Who holds privileged access was not recorded completely. {notes}.",)


def _question_of(request: ApplyRequest, desired: Desired, protected: frozenset[Address] = frozenset()) -> PlanRequest:
    """What is planned again. ``protected`` are entries that must not be weakened, beside those last applied."""
    approved = request.approved

    def applied(org_id: str) -> Applied:
        memory = _with_ids_of(approved, request.journal.applied(org_id))
        return replace(memory, protected=memory.protected | protected) if protected else memory

    return PlanRequest(
        target=replace(request.target, desired=desired, pin=None),
        org=request.org,
        people=request.people,
        now=request.now(),
        as_of=approved.as_of,
        applied=applied,
        sent=partial(sent, request.journal),
        whose=request.whose,
        lifts=approved.lifts[len(approved.desired.policy.allow) :],
        selection=_selection(approved),
    )


def _selection(approved: Plan) -> Selection:
    """Return the addresses of a plan that was cut, so that no other change joins them."""
    if not approved.partial:
        return Selection()
    return Selection(tuple(literal(change.address) for change in approved.changes), () if approved.changes else ("*",))


async def _judged_here(request: ApplyRequest) -> Plan | None:
    """The plan as the policy of the configuration at hand judges it; None where that is the plan's own policy."""
    approved, current = request.approved.desired, request.here
    if current is None:
        return None
    protected = frozenset(address for address, intent in current.intents.items() if intent.protect)
    known = frozenset(address for address, intent in approved.intents.items() if intent.protect)
    if not policy_differences(approved.policy, current.policy) and protected <= known:
        return None
    policy = replace(current.policy, manage=approved.policy.manage, ignore=approved.policy.ignore)
    plan_request = _question_of(request, replace(approved, policy=policy), protected)
    return (await _plan_what_is_left(plan_request, request.approved)).plan


async def _plan_what_is_left(request: PlanRequest, approved: Plan) -> Planned:
    """Read and plan. Completing an upgrade that was started is no part of a plan that starts it."""
    plan_input = await read_plan_input(request)
    scim, desired = plan_input.live.settings.scim, plan_input.desired
    starts = any(change.after == Scim(endpoint="upgrading") for change in approved.writes)
    desired_scim = desired.settings.scim
    if starts and isinstance(scim, Scim) and isinstance(desired_scim, Scim) and scim.endpoint == "upgrading":
        settings = replace(desired.settings, scim=replace(desired_scim, endpoint=UNSET))
        plan_input = replace(plan_input, desired=replace(desired, settings=settings), written=desired)
    return await plan_from_input(request, plan_input)


async def _whole(request: ApplyRequest, planned: Planned) -> Plan | None:
    """The plan from the state that was approved, where some of its steps were applied before; None where none was, and
    where that state cannot be known."""
    already = applied_already(request.approved, planned.plan)
    before = approved_state(planned.live, already) if already else None
    if before is None or request.approved.org.id != planned.plan.org.id:
        return None
    plan_input = replace(planned.plan_input, live=before)
    begun = draft_plan(plan_input)
    if request.people is not None and begun.scope != plan_input.scope:
        directory = await read_people(request.people, request.org, planned.live, begun.scope)
        plan_input = replace(plan_input, directory=directory, scope=begun.scope)
    return make(plan_input, begun)


def _with_ids_of(approved: Plan, applied: Applied) -> Applied:
    """The memory with the groups that the approved plan was made for, whatever they are called by now."""
    ids = {change.address: change.id for change in approved.changes if change.id}
    return replace(applied, group_ids={**applied.group_ids, **approved.group_ids}, ids={**applied.ids, **ids})


def _with_reasons(fresh: Plan, approved: Plan) -> Plan:
    """Why a change is in the plan is known where it was first made; a rollback goes on being one."""
    back = {change.id or change.address for change in approved.changes if change.reason == "rollback"}
    changes = tuple(replace(c, reason="rollback") if (c.id or c.address) in back else c for c in fresh.changes)
    return replace(fresh, changes=changes) if back else fresh


def check_digest(approved: str, plan: Plan) -> None:
    """Raise Stale unless what a person approved is the digest of this plan."""
    current = digest(plan)
    if not matches(approved, current):
        message = f"approved was {approved}, but the plan is now {short(current)}"
        raise Stale(Problem("digest", message, None, "look at the plan again, and approve that"))
