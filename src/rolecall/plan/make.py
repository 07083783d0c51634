"""The one planner: `plan` renders what it makes, `apply` carries the same thing out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from rolecall.access.rules import compile_access
from rolecall.model.change import Change
from rolecall.model.directory import PeopleScope
from rolecall.model.kinds import BY_SECTION, KEYED, SECTIONS, address
from rolecall.model.live import Coverage, Live
from rolecall.model.policy import Guards
from rolecall.model.settings import UNSET
from rolecall.plan.coverage import USERS, coverage_of, people_coverage, sections_of
from rolecall.plan.draft import Begun, begin
from rolecall.plan.explain.access_tests import Beside, run_tests, tests_of
from rolecall.plan.guards.evaluate import Case, judge
from rolecall.plan.guards.policy import unknown_order
from rolecall.plan.guards.policy_changes import journal_changes, policy_changes
from rolecall.plan.impact.apart import apart
from rolecall.plan.impact.compute import reckon, upgrade_impact
from rolecall.plan.impact.inventory import released, unmanaged
from rolecall.plan.lint.config import lint
from rolecall.plan.lint.names import unmatched_names
from rolecall.plan.lint.notes import metadata_notes, notes, whose_reading
from rolecall.plan.lint.sources import disagreements
from rolecall.plan.order.steps import order
from rolecall.plan.outlook import Outlook, finish
from rolecall.plan.question import Question
from rolecall.plan.value import Plan, Requests, Selection

__all__ = ["LIFETIME", "Question", "make"]

LIFETIME = timedelta(days=7)


def make(question: Question, begun: Begun | None = None) -> Plan:
    """The plan for a question. Equal questions give equal plans.

    ``begun`` is the first pass, where it was made before people were read: for a question that differs in them alone.
    """
    first, found, chosen, unseen, scope = begin(question) if begun is None else begun
    question = _resolved(question, first)
    desired, live = question.desired, question.live
    outlook = unseen.with_people(question.directory)
    changes, risks, timeline, limited = order(chosen, outlook)
    reckoning = reckon(outlook, changes, risks, timeline)
    coverage = coverage_of(desired, live, question.as_of)
    let_go = released(question, found)
    impact = replace(
        reckoning.impact,
        apart=apart(question, outlook, changes, reckoning.impact.moves, let_go),
        upgrade=upgrade_impact(desired, outlook, changes),
        order_limited=limited and bool(reckoning.impact.transients),
    )
    linted = lint(question, outlook, changes, impact.tallies)
    tests = tests_of(desired.policy, question.applied.policy)
    beside = _beside(outlook, found.changes) if tests else None
    loosened = (
        *journal_changes(question.log, recorded=question.applied.recorded),
        *policy_changes(desired, question.applied),
    )
    verdicts, idle = judge(Case(question, changes, reckoning, _policies(question), coverage, loosened))
    return Plan(
        org=question.org,
        created_at=question.created_at,
        expires_at=_lapses(question),
        as_of=question.as_of,
        config_digest=question.config_digest,
        desired=question.written or desired,
        changes=changes,
        coverage={**coverage, **_users(outlook, scope)},
        scope=scope,
        counts=_counts(live),
        switches=_switches(live),
        lifts=(*desired.policy.allow, *question.lifts),
        released=let_go,
        unmanaged=unmanaged(question, found),
        impact=impact,
        guards=verdicts,
        access_tests=run_tests(tests, outlook.after, question.directory, beside),
        policy_changes=loosened,
        warnings=(
            *whose_reading(live, sections_of(coverage) or SECTIONS, question.created_at),
            *question.warnings,
            *found.problems,
            *notes(desired, coverage, question.as_of),
            *metadata_notes(desired, live, question.as_of),
            *unmatched_names(question.known.written, live, question.known.memory, question.as_of),
            *idle,
            *(unknown_order(question.lineage) if changes else ()),
            *linted,
            *disagreements(question),
        ),
        requests=_requests(question, changes),
        selection=Selection(question.targets, question.excludes, question.only_expired),
        group_ids=_group_ids(question),
        errored=any(problem.severity == "error" for problem in found.problems),
    )


def _users(outlook: Outlook, scope: PeopleScope) -> Mapping[str, Coverage]:
    """How much was read of the users, where the plan needs any."""
    if scope == PeopleScope() and not outlook.moves:
        return {}
    groups = outlook.decisive if outlook.moves else ()
    return {USERS: people_coverage(outlook.asked, groups, observed=outlook.first.facts.observed)}


def _resolved(question: Question, first: Question) -> Question:
    """The question with the labels as the first pass resolved them."""
    if question.identity is not None:
        return question
    return replace(
        question, desired=first.desired, applied=first.applied, identity=first.identity, written=first.written
    )


def _group_ids(question: Question) -> dict[str, str]:
    """The id of each group that a saved plan would otherwise know by its key alone."""
    written, known = question.written or question.desired, question.known
    if written is not known.written:
        return {}
    return {key: found for key, found in known.group_ids.items() if not written.intent(address("idp_groups", key)).id}


def _beside(outlook: Outlook, found: Sequence[Change]) -> Beside | None:
    """What access tests are told apart by, where the plan leaves out something that was found."""
    if sum(change.via != "waiting" for change in found) == len(found) == len(outlook.written):
        return None
    done = finish(outlook.first, found)
    return Beside(outlook.before, compile_access(done.settings, done.facts, atoms=outlook.before.atoms))


def _requests(question: Question, changes: tuple[Change, ...]) -> Requests:
    people = 0 if question.directory is None else question.directory.requests
    return Requests(question.live.requests + people, sum(change.via == "api" for change in changes))


def _policies(question: Question) -> tuple[Guards, ...]:
    """The guards of the config, and those last applied; the stricter of the two counts."""
    last = question.applied.policy
    now = question.desired.policy.guards
    return (now,) if last is None else (now, last.guards)


def _lapses(question: Question) -> datetime:
    """Seven days on, or when the next entry expires, whichever comes first."""
    ends = (intent.expires for intent in question.desired.intents.values() if intent.expires)
    midnights = (datetime.combine(end, time(), UTC) + timedelta(days=1) for end in ends if end >= question.as_of)
    return min((question.created_at + LIFETIME, *midnights))


def _counts(live: Live) -> dict[str, int]:
    counted = {kind.section: len(held) for kind in KEYED if (held := getattr(live.settings, kind.section)) is not UNSET}
    people = {"people": live.facts.people, "active_people": live.facts.active_people}
    return counted | {name: count for name, count in people.items() if count is not None}


def _switches(live: Live) -> dict[str, bool | str]:
    """What an apply must find as it was: SCIM on or off, the endpoint, the manual-editing toggle."""
    scim = live.settings.scim
    if scim is UNSET:
        return {}
    said = {field.name: getattr(scim, field.name) for field in BY_SECTION["scim"].fields if field.decides_access}
    return {name: value for name, value in said.items() if value is not UNSET}
