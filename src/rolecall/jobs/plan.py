"""Make a plan: read what it needs and no more, run the planner, and check assertions about the result."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from rolecall.desired.build import Config
from rolecall.desired.idp_groups import with_idp_ids
from rolecall.desired.references import references, with_role_ids
from rolecall.errors import ConfigError, Misuse, OrgError, Problem
from rolecall.jobs.idp_side import with_idp_side, with_members
from rolecall.jobs.people import idp_problems, left_out, people_hint, read_people
from rolecall.live.port import Audit, IdpSideReader, People, Reader
from rolecall.model.desired import NOTHING_APPLIED, Applied, Desired
from rolecall.model.directory import EVERYBODY
from rolecall.model.kinds import DECIDING_ACCESS, DECIDING_SIGN_IN, IDP_SECTIONS, ORG_SECTIONS
from rolecall.model.lineage import Lineage, LogCheck, Relation, UnknownApply
from rolecall.model.live import Facts, Live
from rolecall.model.policy import Allow
from rolecall.model.settings import UNSET, Settings
from rolecall.plan.diff.entries import SAME_GROUP
from rolecall.plan.draft import draft_plan
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.names import flag_problems, known_addresses
from rolecall.plan.make import make
from rolecall.plan.value import OrgRef, Plan, Selection

if TYPE_CHECKING:
    from rolecall.jobs.usage import ReadUsage
    from rolecall.jobs.what_if import Stated
    from rolecall.model.outcome import Event

References = Callable[[Facts], list[Problem]]
"""Checks names against the live org: errors and warnings with their places."""

ReadAudit = Callable[[Live], Awaitable[tuple[Live, tuple[Problem, ...]]]]
"""Reads WRITER's audit log: returns the org with the sections marked that were changed after they were read, and
warnings about what it may not show."""


class PlanTarget(NamedTuple):
    """The goal of a plan: the desired state, from a configuration or a saved plan, and its org.

    ``pin`` is the only org ID allowed, None for any. ``references`` is None for a saved plan, which was checked before.
    ``people_hint`` is what to do if users cannot be read. ``metadata_file`` is the file that the configuration names
    for `sso.metadata`, empty without one. ``command`` makes the plan again, empty for `rolecall plan`.
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
    metadata_file: str = ""
    command: str = ""


class Whose(NamedTuple):
    """The configuration that plans.

    ``name`` returns its name in the journal, empty if unknown; ``is_same`` whether a name in the journal means it;
    ``relation`` how its commit relates to another one. They are called only if something was applied, as they call git.
    """

    name: Callable[[], str] = str
    is_same: Callable[[str], bool] = lambda _: False
    relation: Callable[[str], Relation | None] = lambda _: None

    def lineage(self, applied: Applied) -> Lineage | None:
        """Return how this commit relates to the last applied one; None if that is another config's or unknown."""
        last = applied.last
        if last is None or not last.commit:
            return None
        mine = self.name()
        if not mine or (last.config != mine and not self.is_same(last.config)):
            return None
        return Lineage(last.run, last.commit, self.relation(last.commit))

    def known(self, applied: Applied) -> tuple[str, Applied]:
        """Return the name, and what was applied, with all names of this configuration replaced by it."""
        mine = self.name() if applied.config else ""
        if not mine:
            return mine, applied
        own = {recorded for recorded in {*applied.config.values()} - {mine} if self.is_same(recorded)}
        config = {at: mine if recorded in own else recorded for at, recorded in applied.config.items()}
        return mine, replace(applied, config=config) if own else applied


class PlanRequest(NamedTuple):
    """One planning. ``now`` is in UTC. ``people`` is None if no users are to be read.

    ``applied`` returns what was applied to an org, by ID; ``sent`` whether the journal has a write with an
    Idempotency-Key. ``whose`` is the configuration, to find what another one applied last. ``typed``: a user typed the
    selection, so an unknown address in it is an error. ``audit`` is None without an audit log at WRITER, ``usage``
    without usage data, ``idp`` if the IdP's side cannot be read. ``what_if`` are memberships to suppose.
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
    audit: ReadAudit | None = None
    usage: ReadUsage | None = None
    idp: IdpSideReader | None = None
    what_if: tuple[Stated, ...] = ()


class Planned(NamedTuple):
    """A plan, and the reads it was made from."""

    plan: Plan
    plan_input: PlanInput

    @property
    def live(self) -> Live:
        """The org as it was read."""
        return self.plan_input.live


def from_config(config: Config) -> PlanTarget:
    """Return the target that a configuration asks for."""
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
        config.metadata_file,
    )


def from_plan(plan: Plan) -> PlanTarget:
    """Return the target of a saved plan: the values that were approved."""
    org = plan.org
    return PlanTarget(
        plan.desired,
        org.name,
        org.url,
        org.env,
        org.id,
        plan.config_digest,
        metadata_file=plan.metadata_file,
        command=plan.command,
    )


async def make_plan(request: PlanRequest) -> Planned:
    """Read and plan, in two passes: the first, without users, says who is affected; only they are then read.

    Raises OrgError for another org than the configured one, ConfigError for names that it does not have and for two
    entries of one group, Misuse for unknown addresses of targets and excludes that a user typed, and for memberships
    to suppose that the org cannot have.
    """
    plan_input = _checked(request, await read_plan_input(request)).resolved
    if clashes := [problem for problem in plan_input.known.errors if problem.code == SAME_GROUP]:
        raise ConfigError(*clashes)
    return await (_supposing if request.what_if else plan_from_input)(request, plan_input)


async def _supposing(request: PlanRequest, plan_input: PlanInput) -> Planned:
    """Plan as if users had joined and left groups; the problems with that are errors or warnings of the plan."""
    from rolecall.jobs.what_if import checked, suppose

    supposed = await suppose(request.what_if, plan_input, request.idp)
    planned = await plan_from_input(request, plan_input._replace(what_if=supposed.changes))
    problems = (*supposed.problems, *checked(request.what_if, planned.plan_input))
    if any(problem.code == "no_user" and not problem.hint for problem in problems) and request.people is not None:
        everybody = await read_people(request.people, request.org, planned.live, EVERYBODY)
        problems = (*supposed.problems, *checked(request.what_if, planned.plan_input, everybody))
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return planned._replace(plan=planned.plan._replace(warnings=(*planned.plan.warnings, *problems)))


async def plan_from_input(request: PlanRequest, plan_input: PlanInput) -> Planned:
    """Plan from settings that were read; the audit log and users are read here."""
    plan_input = await with_other_journal(request.org, plan_input, request.sent)
    begun = draft_plan(plan_input)
    plan_input = await with_members(request.idp, begun.plan_input, begun.chosen)
    begun = begun if plan_input is begun.plan_input else draft_plan(plan_input)
    if request.people is not None:
        directory = await read_people(request.people, request.org, plan_input.live, begun.scope)
        problems = (*left_out(directory), *await idp_problems(request.people, plan_input.live))
        warnings = (*plan_input.warnings, *problems)
        plan_input = plan_input._replace(directory=directory, scope=begun.scope, warnings=warnings)
    plan = make(plan_input, begun)
    if request.usage is not None:
        from rolecall.jobs.usage import with_usage

        plan = await with_usage(plan, plan_input, request.usage, request.org, request.people)
    return Planned(plan, plan_input)


def _checked(request: PlanRequest, plan_input: PlanInput) -> PlanInput:
    """Return the input with warnings about patterns that match nothing. Raises Misuse for unknown addresses."""
    if not request.typed or not (request.selection.targets or request.selection.excludes):
        return plan_input
    known = known_addresses(plan_input.desired, plan_input.live, plan_input.applied)
    problems = [
        *flag_problems("--target", request.selection.targets, known, globs=True),
        *flag_problems("--exclude", request.selection.excludes, known, globs=False),
    ]
    if errors := [problem for problem in problems if problem.severity == "error"]:
        raise Misuse(*errors)
    return plan_input._replace(warnings=(*plan_input.warnings, *problems))


async def read_plan_input(request: PlanRequest, more: frozenset[str] = frozenset()) -> PlanInput:
    """Return the planner's input from a fresh read of the settings, without users. Raises as ``make_plan`` does.

    ``more`` are sections to read in addition to those in the configuration.
    """
    sections = _sections(_spoken(request.target.desired.settings) | more)
    live = await request.org.read(sections)
    check_pin(request.target, live.facts)
    applied = request.applied(live.facts.org_id)
    check_rehearsal(applied, live.facts)
    name, applied = request.whose.known(applied)
    dropped = _spoken(applied.settings) - sections
    live = await read_also(request.org, live, dropped)
    live = await with_idp_side(request.idp, request.target.desired, live)
    unknown: tuple[Problem, ...] = ()
    if request.audit is not None:
        live, unknown = await request.audit(live)
    plan_input = _question(request, live, applied, name)
    warnings = (*plan_input.warnings, *unknown)
    return plan_input._replace(warnings=warnings, lineage=request.whose.lineage(applied))


async def read_also(org: Reader, live: Live, sections: frozenset[str]) -> Live:
    """Return the read with more sections of the same org: those that were applied and are no longer configured.

    If they cannot be read, they are marked as unread, and nothing is planned for them.
    """
    if not sections:
        return live
    try:
        more = await org.read(sections)
    except OrgError as error:
        return live.with_unread(sections, error.problems[0].message)
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
        desired=with_idp_ids(with_role_ids(target.desired, facts.roles), facts.idp),
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
        metadata_file=target.metadata_file,
        command=target.command,
    )


def _from_org(request: PlanRequest) -> bool:
    """Return whether users are read from the org itself."""
    itself: object = request.org
    return request.people is itself


def _sections(spoken: frozenset[str]) -> frozenset[str]:
    """Return the sections to read for a plan of these.

    They are these sections, those that everyone's access depends on, the names that a configuration may use, and what
    writes require: domains, SSO and SCIM depend on each other (R1, R33), and so does who can sign in.
    """
    relied = frozenset(DECIDING_SIGN_IN if spoken & {*DECIDING_SIGN_IN, "scim"} else ())
    return (spoken - {*IDP_SECTIONS}) | relied | DECIDING_ACCESS | {"teams", "roles"}


def _forecasts(request: PlanRequest) -> bool:
    """Return whether users come from another source than the org, which knows no group before the IdP pushes it."""
    return request.people is not None and not _from_org(request)


def _spoken(settings: Settings) -> frozenset[str]:
    return frozenset(section for section in ORG_SECTIONS if getattr(settings, section) is not UNSET)


def check_pin(target: PlanTarget, facts: Facts) -> None:
    """Raise OrgError unless the org is the one that the configuration pins."""
    if target.pin is not None and facts.org_id != target.pin:
        message = f"`org.id` is {target.pin}, but {target.url} is org {facts.org_id} ({facts.org_name})"
        raise OrgError(Problem("other_org", message, None, "correct `org.url`, or `org.id` if this is the right org"))


def check_rehearsal(applied: Applied, facts: Facts) -> None:
    """Raise OrgError if the journal's last apply was to a local org with this ID and this org is none, or the reverse.

    Their last applied values must not be mixed. A journal of 0.1.0 does not record which it was, and is not refused.
    """
    if applied.local is None or applied.local == facts.local:
        return
    last, this = ("a local org", "this org") if applied.local else ("an org", "this local org")
    message = f"the last apply in the journal was to {last} with the ID {facts.org_id}, not to {this}"
    hint = "give this org a journal of its own: `journal.url` in its overlay, or ROLECALL_JOURNAL"
    raise OrgError(Problem("journal_rehearsal", message, None, hint))


async def with_other_journal(org: Reader, plan_input: PlanInput, sent: Callable[[str], bool]) -> PlanInput:
    """Return the input with what the org's audit log shows of applies that this journal does not have.

    ``sent`` returns whether the journal has a write with an Idempotency-Key. The log is read from its newest entry
    back, to the newest write of rolecall or to the newest entry at the last apply. If the journal has no record of an
    apply, its own writes, left by an apply that was killed, are skipped. A log that cannot be read is a warning. An org
    without one, such as a snapshot, has no earlier applies.
    """
    if not isinstance(org, Audit):
        return plan_input
    recorded = plan_input.applied.recorded
    try:
        search = await org.search(
            lambda event: _by_rolecall(event) and (recorded or not sent(event.key or "")), plan_input.applied.log_entry
        )
    except OrgError as error:
        message = (
            "could not check in the audit log whether the org was changed by an apply that this journal does not have: "
            f"{error.problems[0].message}"
        )
        hint = error.problems[0].hint or "use a token that may read the audit log"
        return plan_input._replace(
            warnings=(*plan_input.warnings, Problem("audit_unread", message, None, hint, "warning"))
        )
    event = search.event
    unknown = None if event is None or sent(event.key or "") else _apply_of(event)
    live = replace(plan_input.live, requests=plan_input.live.requests + search.requests)
    return plan_input._replace(live=live, log=LogCheck(search.newest, search.entries, unknown, search.whole))


def _by_rolecall(event: Event) -> bool:
    parts = (event.key or "").split("/")
    return len(parts) >= 4 and parts[0] == "rolecall"


def _apply_of(event: Event) -> UnknownApply:
    _, journal, run, *_ = (event.key or "").split("/")
    return UnknownApply(journal, run, event.at)
