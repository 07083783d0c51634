"""Make a plan: read what it needs, no more, and ask the planner; and check what somebody promises of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from rolecall.desired.build import Config
from rolecall.desired.references import references, with_role_ids
from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.jobs.people import idp_problems, left_out, people_hint, read_people
from rolecall.live.port import Audit, People, Reader
from rolecall.model.change import Event
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.kinds import DECIDING_ACCESS, DECIDING_SIGN_IN, SECTIONS
from rolecall.model.lineage import Lineage, LogCheck, Relation, UnknownApply
from rolecall.model.live import Coverage, Facts, Live
from rolecall.model.policy import Allow
from rolecall.model.settings import UNSET, Settings
from rolecall.plan.diff.entries import SAME_GROUP
from rolecall.plan.draft import draft_plan
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.names import flag_problems, known_addresses
from rolecall.plan.make import make
from rolecall.plan.value import OrgRef, Plan, Selection

References = Callable[[Facts], list[Problem]]
"""Checks names against the live org: errors and warnings with their places."""


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """What a plan is made for: the desired state, from a config or out of a saved plan, and the org it names.

    ``pin`` is the only org id allowed, None for any. ``references`` is None for a saved plan, checked when made.
    ``people_hint`` is what to do where users cannot be read.
    """

    desired: Desired
    name: str
    url: str
    env: str | None = None
    pin: str | None = None
    config_digest: str = ""
    warnings: tuple[Problem, ...] = ()
    references: References | None = None
    people_hint: str = ""


@dataclass(frozen=True, slots=True)
class Whose:
    """Which configuration plans: ``name`` as the journal records it, empty where nobody knows, whether a name that the
    journal has ``is_same``, and the ``relation`` of its commit to another one. They are asked only where something was
    applied, for the answers take calls of git."""

    name: Callable[[], str] = str
    is_same: Callable[[str], bool] = lambda _: False
    relation: Callable[[str], Relation | None] = lambda _: None

    def lineage(self, applied: Applied) -> Lineage | None:
        """Return how this commit relates to the one applied last; None if that was another configuration's, or none."""
        last = applied.last
        if last is None or not last.commit:
            return None
        mine = self.name()
        if not mine or (last.config != mine and not self.is_same(last.config)):
            return None
        return Lineage(last.run, last.commit, self.relation(last.commit))

    def known(self, applied: Applied) -> tuple[str, Applied]:
        """Return the name, and what was applied with the name in the place of every other one of this configuration."""
        mine = self.name() if applied.config else ""
        if not mine:
            return mine, applied
        own = {recorded for recorded in {*applied.config.values()} - {mine} if self.is_same(recorded)}
        config = {at: mine if recorded in own else recorded for at, recorded in applied.config.items()}
        return mine, replace(applied, config=config) if own else applied


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One planning. ``now`` is in UTC. ``people`` is None when nobody is to be read.

    ``applied`` is what the journal remembers of an org, by id; ``sent`` tells whether it has sent a write under an
    Idempotency-Key. ``whose`` says which configuration it is for, to tell what another one applied last. ``typed`` says
    that a user typed the selection, so that an address of it that nothing has is an error.
    """

    target: PlanTarget
    org: Reader
    people: People | None
    now: datetime
    as_of: date
    applied: Callable[[str], Applied] = lambda _: NOTHING_APPLIED
    sent: Callable[[str], bool] = lambda _: False
    lifts: tuple[Allow, ...] = ()
    selection: Selection = Selection()
    whose: Whose = Whose()
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and the reads it was made from."""

    plan: Plan
    plan_input: PlanInput

    @property
    def live(self) -> Live:
        return self.plan_input.live


def from_config(config: Config) -> PlanTarget:
    """What a config wants."""
    return PlanTarget(
        config.desired,
        config.org.name,
        config.org.url,
        config.env,
        config.org.id,
        config.digest,
        config.warnings,
        lambda facts: references(config, facts),
        people_hint(config.people, observed=config.org.kind == "observed"),
    )


def from_plan(plan: Plan) -> PlanTarget:
    """What a saved plan wants: the very values it was approved with."""
    org = plan.org
    return PlanTarget(plan.desired, org.name, org.url, org.env, org.id, plan.config_digest)


async def make_plan(request: PlanRequest) -> Planned:
    """Read and plan. Raises OrgError for an org that is not the one named, ConfigError for names it does not have and
    for two entries of one group, and Misuse for typed targets or excludes that nothing has.

    Two passes of one planner: the first, without people, says whose access is touched; only they are then read.
    """
    plan_input = _checked(request, await read_plan_input(request)).resolved
    if clashes := [problem for problem in plan_input.known.errors if problem.code == SAME_GROUP]:
        raise ConfigError(*clashes)
    return await plan_from_input(request, plan_input)


async def plan_from_input(request: PlanRequest, plan_input: PlanInput) -> Planned:
    """Plan what was asked on a read of the settings; the audit log and users are read here."""
    plan_input = await with_other_journal(request.org, plan_input, request.sent)
    begun = draft_plan(plan_input)
    plan_input = begun.plan_input
    if request.people is not None:
        directory = await read_people(request.people, request.org, plan_input.live, begun.scope)
        problems = (*left_out(directory), *await idp_problems(request.people, plan_input.live))
        warnings = (*plan_input.warnings, *problems)
        plan_input = replace(plan_input, directory=directory, scope=begun.scope, warnings=warnings)
    return Planned(make(plan_input, begun), plan_input)


def _checked(request: PlanRequest, plan_input: PlanInput) -> PlanInput:
    """Return the question with warnings about flags that match nothing. Raises Misuse for those that may not."""
    if not request.typed or not (request.selection.targets or request.selection.excludes):
        return plan_input
    known = known_addresses(plan_input.desired, plan_input.live, plan_input.applied)
    problems = [
        *flag_problems("--target", request.selection.targets, known, globs=True),
        *flag_problems("--exclude", request.selection.excludes, known, globs=False),
    ]
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return replace(plan_input, warnings=(*plan_input.warnings, *problems))


async def read_plan_input(request: PlanRequest, more: frozenset[str] = frozenset()) -> PlanInput:
    """What the planner is asked, on a fresh read of the settings; people are not read yet. Raises as ``plan`` does.

    ``more`` are sections to read in addition to those that the config speaks of.
    """
    sections = _sections(_spoken(request.target.desired.settings) | more)
    live = await request.org.read(sections)
    _check_pin(request.target, live.facts)
    applied = request.applied(live.facts.org_id)
    name, applied = request.whose.known(applied)
    dropped = _spoken(applied.settings) - sections
    plan_input = _question(request, await read_also(request.org, live, dropped), applied, name)
    return replace(plan_input, lineage=request.whose.lineage(applied))


async def read_also(org: Reader, live: Live, sections: frozenset[str]) -> Live:
    """Return a read with further sections of the same org read, those that were applied and are no longer asked for.

    Where they cannot be read at all they are unread, and the earlier read stands: nothing is planned for them.
    """
    if not sections:
        return live
    try:
        more = await org.read(sections)
    except OrgError as error:
        unread = Coverage("unread", problem=error.problems[0].message)
        return replace(live, coverage={**live.coverage, **dict.fromkeys(sections, unread)})
    return replace(
        live,
        settings=replace(live.settings, **{name: getattr(more.settings, name) for name in sections}),
        coverage={**live.coverage, **{name: more.covered(name) for name in sections}},
        versions={**live.versions, **more.versions},
        requests=live.requests + more.requests,
    )


def _question(request: PlanRequest, live: Live, applied: Applied, name: str) -> PlanInput:
    target, facts = request.target, live.facts
    problems = target.references(facts) if target.references else []
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return PlanInput(
        desired=with_role_ids(target.desired, facts.roles),
        live=live,
        org=OrgRef(target.name, facts.org_id, target.url, target.env, facts.local),
        created_at=request.now,
        as_of=request.as_of,
        config_digest=target.config_digest,
        applied=applied,
        lifts=request.lifts,
        selection=request.selection,
        warnings=(*target.warnings, *problems),
        config=name,
        people_hint=target.people_hint,
        forecasts=_forecasts(request),
        sees_invited=_from_org(request),
    )


def _from_org(request: PlanRequest) -> bool:
    """Return whether users are read from the org itself."""
    itself: object = request.org
    return request.people is itself


def _sections(spoken: frozenset[str]) -> frozenset[str]:
    """Return the sections to read for a plan of these: they themselves, what everybody's access depends on, the names
    that a config may use, and what the org demands of a write: domains, SSO and SCIM rely on each other (R1, R33), and
    so does who can sign in."""
    relied = frozenset(DECIDING_SIGN_IN if spoken & {*DECIDING_SIGN_IN, "scim"} else ())
    return spoken | relied | DECIDING_ACCESS | {"teams", "roles"}


def _forecasts(request: PlanRequest) -> bool:
    """Whether users come from elsewhere than the org, which knows no group before the IdP pushes it."""
    return request.people is not None and not _from_org(request)


def _spoken(settings: Settings) -> frozenset[str]:
    return frozenset(section for section in SECTIONS if getattr(settings, section) is not UNSET)


def _check_pin(target: PlanTarget, facts: Facts) -> None:
    if target.pin is not None and facts.org_id != target.pin:
        message = f"the config is pinned to org {target.pin}, but {target.url} is org {facts.org_id} ({facts.org_name})"
        raise OrgError(Problem("other_org", message, None, "check `org.url`, or `org.id` if the org is meant"))


async def with_other_journal(org: Reader, plan_input: PlanInput, sent: Callable[[str], bool]) -> PlanInput:
    """Return the question with what the org's audit log shows of applies that the journal at hand does not have.

    ``sent`` tells whether the journal has sent a write under an Idempotency-Key. The log is read from its newest entry
    back: to the newest write of rolecall, or to the entry that the last apply took account of. If the journal has no
    record of an apply, its own writes, left by an apply that was killed, are passed over. A log that cannot be read is
    a warning. An org without one, such as a snapshot, has no earlier applies.
    """
    if not isinstance(org, Audit):
        return plan_input
    recorded = plan_input.applied.recorded
    try:
        search = await org.search(
            lambda event: _by_rolecall(event) and (recorded or not sent(event.key or "")), plan_input.applied.log_entry
        )
    except OrgError as error:
        message = f"whether another journal has later applies is not known: {error.problems[0].message}"
        hint = "let the token read the audit log"
        return replace(
            plan_input, warnings=(*plan_input.warnings, Problem("audit_unread", message, None, hint, "warning"))
        )
    event = search.event
    unknown = None if event is None or sent(event.key or "") else _apply_of(event)
    live = replace(plan_input.live, requests=plan_input.live.requests + search.requests)
    return replace(plan_input, live=live, log=LogCheck(search.newest, search.entries, unknown, search.whole))


def _by_rolecall(event: Event) -> bool:
    parts = (event.key or "").split("/")
    return len(parts) >= 4 and parts[0] == "rolecall"


def _apply_of(event: Event) -> UnknownApply:
    _, journal, run, *_ = (event.key or "").split("/")
    return UnknownApply(journal, run, event.at)


Assertion = Literal["no-access-change", "no-escalation", "no-removal"]


def broken(plan: Plan, promised: Iterable[Assertion]) -> list[Problem]:
    """A problem for each promise that the plan does not keep, or that nobody can vouch for."""
    return [problem for name in dict.fromkeys(promised) for problem in _check(plan, name)]


def _check(plan: Plan, name: Assertion) -> Iterable[Problem]:
    impact = plan.impact
    if name == "no-removal":
        removed = [c.address for c in plan.changes if c.action == "delete" or c.moved]
        if removed:
            yield _no(name, f"the plan deletes, unmaps or renames {len(removed):,}: {_some(removed)}")
    if impact.people is None or impact.problem:
        why = f": {impact.problem}" if impact.problem else ""
        yield _no(name, f"users were not read completely, so it cannot be checked{why}")
    elif name == "no-access-change" and impact.changed:
        yield _no(name, f"the access of {impact.changed:,} people differs")
    elif name == "no-escalation" and impact.escalations:
        yield _no(name, f"{len(impact.escalations):,} people gain something above member")
    elif name == "no-removal" and impact.losing:
        yield _no(name, f"{impact.losing:,} people lose something they have")


def _no(name: Assertion, reason: str) -> Problem:
    return Problem("assertion", f"--assert {name} does not hold: {reason}")


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 3:,} more" if len(addresses) > 3 else ""
    return ", ".join(addresses[:3]) + more
