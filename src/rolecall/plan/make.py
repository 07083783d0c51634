"""Make the plan that `plan` shows and `apply` applies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from rolecall.access.rules import compile_access
from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.directory import PeopleScope
from rolecall.model.kinds import BY_SECTION, KEYED, SECTIONS, address
from rolecall.model.live import Coverage, Live
from rolecall.model.policy import Guards
from rolecall.model.settings import UNSET, IdpAssignment, IdpPush, Scim, Settings, Sso
from rolecall.plan.coverage import USERS, coverage_of, people_coverage, sections_of
from rolecall.plan.diff.changes import Difference
from rolecall.plan.draft import PlanDraft, draft_plan
from rolecall.plan.explain.access_tests import PlanContext, run_tests, tests_of
from rolecall.plan.forecast import AccessForecast, finish
from rolecall.plan.guards.evaluate import evaluate
from rolecall.plan.guards.guard import GuardInput
from rolecall.plan.guards.policy import unknown_order
from rolecall.plan.guards.policy_changes import journal_changes, policy_changes
from rolecall.plan.idp_users import app_users
from rolecall.plan.impact.apart import apart
from rolecall.plan.impact.compute import compute_impact, upgrade_impact
from rolecall.plan.impact.inventory import released, unmanaged
from rolecall.plan.inputs import PlanInput
from rolecall.plan.lint.config import lint
from rolecall.plan.lint.names import unmatched_names
from rolecall.plan.lint.notes import changed_notes, metadata_notes, notes, users_note, whose_reading
from rolecall.plan.lint.overwritten import overwritten
from rolecall.plan.lint.sources import disagreements
from rolecall.plan.order.steps import order
from rolecall.plan.value import IdpGroupFacts, IdpPart, Plan, Requests

LIFETIME = timedelta(days=7)


def make(plan_input: PlanInput, draft: PlanDraft | None = None) -> Plan:
    """Return the plan for an input. Equal input gives equal plans.

    ``draft`` is the first pass, where it was made before users were read, for an input that differs in them alone.
    """
    first, differences, chosen, unseen, scope = draft_plan(plan_input) if draft is None else draft
    plan_input = _resolved(plan_input, first)
    desired, live = plan_input.desired, plan_input.live
    forecast = unseen.with_people(plan_input.directory)
    changes, risks, timeline, limited = order(chosen, forecast)
    impact_result = compute_impact(forecast, changes, risks, timeline)
    coverage = coverage_of(desired, live, plan_input.as_of)
    users = _users(forecast, scope)
    let_go = released(plan_input, differences)
    impact = impact_result.impact._replace(
        apart=apart(plan_input, forecast, changes, impact_result.impact.moves, let_go),
        upgrade=upgrade_impact(desired, forecast, changes),
        order_limited=limited and bool(impact_result.impact.transients),
    )
    linted = lint(plan_input, forecast, changes, impact.tallies)
    tests = tests_of(desired.policy, plan_input.applied.policy)
    context = _context(forecast, differences.changes) if tests else None
    loosened = (
        *journal_changes(plan_input.log, recorded=plan_input.applied.recorded),
        *policy_changes(desired, plan_input.applied),
    )
    verdicts, idle = evaluate(GuardInput(plan_input, changes, impact_result, _policies(plan_input), coverage, loosened))
    return Plan(
        org=plan_input.org,
        created_at=plan_input.created_at,
        expires_at=_lapses(plan_input),
        as_of=plan_input.as_of,
        config_digest=plan_input.config_digest,
        desired=plan_input.written or desired,
        changes=changes,
        coverage={**coverage, **users},
        scope=scope,
        counts=_counts(live),
        switches=_switches(live),
        lifts=(*desired.policy.allow, *plan_input.lifts),
        released=let_go,
        unmanaged=unmanaged(plan_input, differences),
        impact=impact,
        guards=verdicts,
        access_tests=run_tests(tests, forecast.after, forecast.directory_after, context, desired),
        policy_changes=loosened,
        warnings=(
            *changed_notes({**coverage, **users}, plan_input.org),
            *_warnings(plan_input, differences, {**coverage, **users}, idle, linted, changes),
        ),
        requests=_requests(plan_input, changes),
        selection=plan_input.selection,
        group_ids=_group_ids(plan_input),
        errored=any(problem.severity == "error" for problem in differences.problems),
        idp=_idp(live.settings),
        metadata_file=plan_input.metadata_file,
        command=plan_input.command,
        idp_side=_idp_side(live, changes, forecast),
        what_if=plan_input.what_if,
    )


def _idp_side(live: Live, changes: Iterable[Change], forecast: AccessForecast) -> IdpPart | None:
    """Return what was read of the IdP's side, with each group that the plan assigns or pushes."""
    side = live.facts.idp
    if side is None:
        return None
    added = ((change.address, change.after) for change in changes if change.before is None)
    ids = {at: str(value.id) for at, value in added if isinstance(value, IdpAssignment | IdpPush)}
    known = {at: group for at, known_id in ids.items() if (group := side.groups.get(known_id)) is not None}
    return IdpPart(
        side.where,
        {
            at: IdpGroupFacts(group.id, group.type, None if group.members is None else len(group.members))
            for at, group in sorted(known.items())
        },
        {} if forecast.placed is None or forecast.problem else app_users(forecast.placed),
    )


def _warnings(
    plan_input: PlanInput,
    differences: Difference,
    coverage: Mapping[str, Coverage],
    idle: Iterable[Problem],
    linted: Iterable[Problem],
    changes: Sequence[Change],
) -> tuple[Problem, ...]:
    """Return what the plan warns of: first what was read, then names and policy, then what looks like a mistake."""
    desired, live, day = plan_input.desired, plan_input.live, plan_input.as_of
    settings = {name: part for name, part in coverage.items() if name != USERS}
    return (
        *whose_reading(live, sections_of(settings) or SECTIONS, plan_input.created_at),
        *plan_input.warnings,
        *differences.problems,
        *users_note(coverage.get(USERS), plan_input.people_hint),
        *notes(desired, settings, day, plan_input.org if live.facts.observed else None),
        *metadata_notes(desired, live, day),
        *unmatched_names(plan_input.known.written, live, plan_input.known.memory, day),
        *idle,
        *(unknown_order(plan_input.lineage) if changes else ()),
        *linted,
        *disagreements(plan_input),
        *(() if plan_input.command else overwritten(changes, plan_input.known.memory, plan_input.org)),
    )


def _users(forecast: AccessForecast, scope: PeopleScope) -> Mapping[str, Coverage]:
    """Return how much was read of the users, where the plan needs any."""
    if scope == PeopleScope() and not forecast.moves:
        return {}
    groups = forecast.decisive if forecast.moves else ()
    return {USERS: people_coverage(forecast.asked, groups, observed=forecast.first.facts.observed)}


def _resolved(plan_input: PlanInput, first: PlanInput) -> PlanInput:
    """Return the input with the labels as the first pass resolved them."""
    if plan_input.identity is not None:
        return plan_input
    return plan_input._replace(
        desired=first.desired, applied=first.applied, identity=first.identity, written=first.written
    )


def _group_ids(plan_input: PlanInput) -> dict[str, str]:
    """Return the id of each group that a saved plan would otherwise know by its key only."""
    written, known = plan_input.written or plan_input.desired, plan_input.known
    if written is not known.written:
        return {}
    return {
        key: group_id for key, group_id in known.group_ids.items() if not written.intent(address("idp_groups", key)).id
    }


def _context(forecast: AccessForecast, changes: Sequence[Change]) -> PlanContext | None:
    """Return the context of access tests, where the plan excludes changes or some are pending."""
    if sum(change.via != "waiting" for change in changes) == len(changes) == len(forecast.written):
        return None
    done = finish(forecast.first, changes)
    return PlanContext(
        forecast.before,
        compile_access(done.settings, done.facts, entitlements=forecast.before.entitlements),
        forecast.directory if forecast.supposed else None,
    )


def _requests(plan_input: PlanInput, changes: tuple[Change, ...]) -> Requests:
    people = 0 if plan_input.directory is None else plan_input.directory.requests
    return Requests(plan_input.live.requests + people, sum(change.via == "api" for change in changes))


def _policies(plan_input: PlanInput) -> tuple[Guards, ...]:
    """Return the guards of the config and those last applied; the stricter applies."""
    last = plan_input.applied.policy
    now = plan_input.desired.policy.guards
    return (now,) if last is None else (now, last.guards)


def _lapses(plan_input: PlanInput) -> datetime:
    """Return when the plan expires: in seven days, or when the next entry does, whichever is first."""
    ends = (intent.expires for intent in plan_input.desired.intents.values() if intent.expires)
    midnights = (datetime.combine(end, time(), UTC) + timedelta(days=1) for end in ends if end >= plan_input.as_of)
    return min((plan_input.created_at + LIFETIME, *midnights))


def _counts(live: Live) -> dict[str, int]:
    counted = {
        kind.section: len(entries) for kind in KEYED if (entries := getattr(live.settings, kind.section)) is not UNSET
    }
    people = {"people": live.facts.people, "active_people": live.facts.active_people}
    return counted | {name: count for name, count in people.items() if count is not None}


def _idp(live: Settings) -> str:
    """Return the IdP of SCIM, or of SSO where SCIM is off; empty where both are off or were not read."""
    for section in (live.scim, live.sso):
        if isinstance(section, Scim | Sso) and section.enabled is not False and isinstance(section.idp, str):
            return section.idp
    return ""


def _switches(live: Live) -> dict[str, bool | str]:
    """Return the SCIM settings that must be unchanged at the apply: enabled, endpoint, manual editing."""
    scim = live.settings.scim
    if scim is UNSET:
        return {}
    switches = {field.name: getattr(scim, field.name) for field in BY_SECTION["scim"].fields if field.decides_access}
    return {name: value for name, value in switches.items() if value is not UNSET}
