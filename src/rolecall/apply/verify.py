"""Decides whether an approved plan may still be applied, given a fresh plan from the same desired values. Pure.

It may if the org is the same, every address has its approved ``before`` or already its ``after``, the switches that
affect all users' access are unchanged, and no verdict is worse. Users may come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rolecall.apply.resume import applied_already, applied_by, same_change, settled_already
from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.kinds import field_changes, of_idp, split_address
from rolecall.model.live import Live
from rolecall.model.run import Run
from rolecall.plan.commands import FIND_CAUSE, new_plan
from rolecall.plan.coverage import USERS
from rolecall.plan.saved.summary import failed_test, other_org_words
from rolecall.plan.value import GuardResult, Plan

GRACE = timedelta(minutes=5)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class VerifiedPlan:
    """``steps`` are the approved writes still to be made, in the fresh plan's order; ``already`` have their ``after``.

    ``human`` are the manual steps. ``notes`` describe changes that are not worse.
    """

    steps: tuple[Change, ...]
    already: tuple[Change, ...]
    human: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()


def lapsed(plan: Plan, now: datetime) -> Problem | None:
    """Return the problem with a plan that expired or is from the future, with five minutes of tolerance."""
    if plan.created_at > now + GRACE:
        message = f"the plan is dated {plan.created_at:%Y-%m-%d %H:%M} UTC, which is in the future"
        return Problem("plan_from_future", message, None, f"check the clocks of both machines, then {new_plan(plan)}")
    if now <= plan.expires_at + GRACE:
        return None
    return Problem("plan_expired", f"the plan expired at {plan.expires_at:%Y-%m-%d %H:%M} UTC", None, new_plan(plan))


def stricter_here(approved: Plan, local: Plan) -> Iterator[Problem]:
    """Yield what the local configuration's policy blocks in a plan that was made with another policy."""
    hint = f"the policy of this configuration is stricter than that of the plan; {new_plan(approved)}"
    for problem in (*_verdicts(approved, local), *_access_tests(approved, local)):
        yield problem._replace(hint=hint)


def verify(
    approved: Plan, fresh: Plan, whole: Plan | None = None, runs: Sequence[Run] = (), live: Live | None = None
) -> tuple[VerifiedPlan, tuple[Problem, ...]]:
    """Return what to do, and every change for the worse; with any problem, nothing may be sent.

    ``whole`` is the fresh plan from the approved state, if some of the plan was applied already. Users and limits are
    evaluated with it, because what an interrupted run removed for a moment is not a new escalation. ``runs`` are recent
    runs, newest first. ``live`` is the read of the fresh plan, which shows whether a name belongs to another group now.
    """
    if approved.org.id != fresh.org.id:
        return VerifiedPlan((), ()), (_other_org(approved, fresh),)
    judged, key = whole or fresh, same_change(approved)
    moved = (
        *_switches(approved, fresh),
        *_apps(approved, fresh),
        *_identities(approved, live),
        *_addresses(approved, fresh, key),
        *_verdicts(approved, judged),
        *(_verdicts(approved, fresh, _OF_THE_MOMENT) if whole else ()),
        *_escalations(approved, judged),
        *_access_tests(approved, judged),
        *_unread(approved, fresh),
    )
    approved_keys = {key(change) for change in (*approved.writes, *approved.human)}
    steps = tuple(change for change in fresh.writes if key(change) in approved_keys)
    human = tuple(change for change in fresh.human if key(change) in approved_keys)
    already = applied_already(approved, fresh)
    notes = (*applied_by(approved, fresh, runs), *_notes(approved, fresh, key))
    users = () if settled_already(approved, fresh) and whole is None else _users(approved, judged)
    return VerifiedPlan(steps, already, human, (*notes, *users)), moved


def _apps(approved: Plan, fresh: Plan) -> Iterator[Problem]:
    """Yield a problem if the changes in the IdP were approved for another app than the configuration has now."""
    was, now = approved.idp_side, fresh.idp_side
    changed = any(of_idp(change.address) for change in approved.changes)
    if changed and was is not None and now is not None and was.where != now.where:
        message = f"the plan was made for {was.where}, and the configuration now has {now.where}"
        yield _problem(approved, "moved", message)


def _identities(approved: Plan, live: Live | None) -> Iterator[Problem]:
    """Yield a problem if the name in an approved address belongs to another group now."""
    for change in approved.changes if live is not None else ():
        group = live.facts.groups.get(split_address(change.address)[1] or "") if live else None
        if change.id and group is not None and group.id and group.id != change.id:
            now = live.address_now(change.address, change.id) if live else None
            approved_group = f"the approved group (id {change.id}) {f'is now {now}' if now else 'no longer exists'}"
            message = f"{change.address} now names another group in the org (id {group.id}); {approved_group}"
            hint = f"check the groups in the IdP, then {new_plan(approved)}"
            yield _problem(approved, "another_group", message, change)._replace(hint=hint)


def _problem(approved: Plan, code: str, message: str, change: Change | None = None) -> Problem:
    return Problem(code, message, change.intent.source if change else None, new_plan(approved))


def _other_org(approved: Plan, fresh: Plan) -> Problem:
    return _problem(approved, "other_org", other_org_words(approved.org, fresh.org.id, fresh.org.name))


def _switches(approved: Plan, fresh: Plan) -> Iterator[Problem]:
    for name in sorted(approved.switches.keys() | fresh.switches.keys()):
        was, now = approved.switches.get(name), fresh.switches.get(name)
        planned = [c for c in approved.changes if c.address == "scim" and getattr(c.after, name, None) == now]
        if was != now and not planned:
            message = f"scim.{name} was {_value_text(was)} when the plan was made and is now {_value_text(now)}"
            yield _problem(approved, "moved", message)


def _addresses(approved: Plan, fresh: Plan, key: Callable[[Change], Key]) -> Iterator[Problem]:
    """Yield problems: a fresh change must be an approved one, and an approved change that is not needed must have its
    after.
    """
    was = {key(change): change for change in approved.changes}
    for change in fresh.changes:
        planned = was.get(key(change))
        if planned is None:
            message = f"{change.address} is not in the plan but would now change"
        elif (planned.before, planned.after) != (change.before, change.after):
            message = f"{change.address} is no longer as it was when the plan was made{_how(planned, change)}"
        elif planned.via == "api" and change.via != "api":
            message = f"{change.address} can no longer be written ({change.via_reason})"
        else:
            continue
        yield _problem(approved, "moved", message, change)


_OF_THE_MOMENT = frozenset({"min_org_admins", "required_org_admins", "require_self", "upgrade", "unread"})
"""Guards that evaluate the org's current state, whatever was approved."""


def _verdicts(approved: Plan, fresh: Plan, names: frozenset[str] | None = None) -> Iterator[Problem]:
    was = {result.name: result for result in approved.guards}
    for result in fresh.guards:
        earlier = was.get(result.name)
        if (names is None or result.name in names) and _worse(earlier, result):
            before = f"in the approved plan it {_verdict_words(earlier, _BEFORE)}" if earlier else "the plan lacks it"
            message = f"guard {result.name} now {_verdict_words(result, _NOW)}; {before}"
            yield Problem("guard_worse", message, result.source, new_plan(approved))


_NOW = {
    "block": "blocks",
    "not judged": "cannot be evaluated",
    "review": "requires approval",
    "allowed": "needs its override",
}
_BEFORE = {
    "block": "blocked",
    "not judged": "was not evaluated",
    "review": "required approval",
    "allowed": "was overridden",
    "pass": "passed",
}


def _verdict_words(result: GuardResult, verdicts: Mapping[str, str]) -> str:
    """Return ``blocks (62 users lose access; the limit is 58)``: the verdict, and its message or number if any."""
    cause = result.message.removesuffix(".") or (f"{result.found:,}" if result.found else "")
    return f"{verdicts[result.verdict]}{f' ({cause})' if cause else ''}"


def _how(planned: Change, now: Change) -> str:
    """Return which fields changed, from what to what; empty if other fields changed."""
    section = split_address(now.address)[0]
    fields = field_changes(section, planned.before, now.before)
    moves = [f"{field.path} was {_value_text(field.before)} and is {_value_text(field.after)}" for field in fields]
    return f": {'; '.join(moves)}" if moves else ""


def _value_text(value: object) -> str:
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return "unset" if value is None else str(value)


_SEVERITY = {"pass": 0, "allowed": 1, "review": 2, "not judged": 3, "block": 4}


def _worse(earlier: GuardResult | None, now: GuardResult) -> bool:
    """Return whether a verdict is worse. A limit, overridden or not, was approved with the plan; within it, nothing is
    worse.
    """
    if now.verdict == "pass":
        return False
    if earlier is None:
        return True
    if now.verdict == "allowed":
        return earlier.verdict == "pass" and now.found > earlier.found
    return now.found > earlier.found or _SEVERITY[now.verdict] > _SEVERITY[earlier.verdict]


def _escalations(approved: Plan, fresh: Plan) -> Iterator[Problem]:
    known = {
        (escalation.who.id, team_role) for escalation in approved.impact.escalations for team_role in escalation.gains
    }
    for escalation in fresh.impact.escalations:
        for team_role in escalation.gains:
            if (escalation.who.id, team_role) not in known:
                who = escalation.who.email or escalation.who.id
                message = f"{who} would now gain {team_role.role} on {team_role.team}, which was not approved"
                yield _problem(approved, "escalation", message)


def _access_tests(approved: Plan, fresh: Plan) -> Iterator[Problem]:
    failed = {test.name for test in approved.access_tests if test.refuses}
    for test in fresh.access_tests:
        if test.refuses and test.name not in failed:
            yield failed_test(test)


def _unread(approved: Plan, fresh: Plan) -> Iterator[Problem]:
    known = {*approved.unread, *((USERS,) if approved.impact.problem else ())}
    hint = f"make it readable, then apply the same plan again; {FIND_CAUSE}"
    for section in fresh.unread:
        if section not in known:
            why, name = fresh.coverage[section].problem, "users" if section == USERS else section
            yield Problem("unread", f"{name} can no longer be read{f': {why}' if why else ''}", None, hint)
    for problem in fresh.warnings if fresh.errored and not approved.errored else ():
        if problem.severity == "error":
            yield problem


def _notes(approved: Plan, fresh: Plan, key: Callable[[Change], Key]) -> Iterator[str]:
    was = {key(change): change for change in approved.changes}
    for change in fresh.changes:
        if (planned := was.get(key(change))) is not None and planned.address != change.address:
            yield f"{planned.address} was renamed to {change.address}; the step follows the group"
    arrived = {(c.address, c.action) for c in approved.waiting} & {(c.address, c.action) for c in fresh.writes}
    for address, _ in sorted(arrived):
        yield f"{address} is no longer pending; to map it, apply again"
    by_hand = {key(change) for change in approved.human}
    for change in fresh.writes:
        if key(change) in by_hand:
            yield f"{change.address} can now be written, so the manual step is not needed"


def _users(approved: Plan, judged: Plan) -> Iterator[str]:
    """Yield how many more or fewer users the whole plan now affects."""
    difference = judged.impact.changed - approved.impact.changed
    if judged.impact.people is not None and difference:
        affected = f"{abs(difference):,} {'user' if abs(difference) == 1 else 'users'}"
        more = "more" if difference > 0 else "fewer"
        yield f"The plan now affects {affected} {more}: users or their groups have changed since"
