"""Answer `access`, `why` and `test`: who has which access in a state of the org, and whether access tests pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

from rolecall.access.evaluate import masks
from rolecall.access.person import Access, effective
from rolecall.access.rules import Rules, compile_access
from rolecall.errors import Misuse, OrgError, Problem, Stale, did_you_mean
from rolecall.jobs.people import people_or_unread
from rolecall.jobs.plan import PlanRequest, make_plan
from rolecall.live.port import People
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.model.desired import Desired
from rolecall.model.directory import EVERYBODY, Directory, PeopleScope, Person, Traits
from rolecall.model.live import COMPLETE, Coverage, Facts, Live
from rolecall.model.roles import ORG_ROLES, role_id
from rolecall.model.settings import UNSET
from rolecall.plan.commands import FIND_CAUSE
from rolecall.plan.coverage import people_coverage
from rolecall.plan.explain.access_tests import PlanContext, needs_users, run_tests, tests_of
from rolecall.plan.explain.why import Why, WhyNot, persona, why, why_not
from rolecall.plan.forecast import State, finish, forecast_access, replaced_members
from rolecall.plan.guards.named_users import near_addresses
from rolecall.plan.idp_users import idp_effect, place_users
from rolecall.plan.resolve import on_day
from rolecall.plan.saved.summary import other_org_words
from rolecall.plan.value import AccessTestResult, OrgRef, Plan, Released, Unmanaged

At = Literal["live", "desired"] | Plan
"""A state: the org now, once it matches the configuration, or after a saved plan."""

NOBODY: PeopleScope = PeopleScope()
"""The users that a question about a persona needs."""


@dataclass(frozen=True, slots=True)
class OrgState:
    """A state of an org, with the users that were read.

    ``desired`` is the configuration on the day, at live addresses; ``at`` is which state this is. ``group_name``
    returns the live name of a group by its key or a former name. ``coverage`` is how much was read of the users that
    the question needs; complete if it needs none.
    """

    org: OrgRef
    rules: Rules
    directory: Directory
    desired: Desired
    facts: Facts
    tests: tuple[AccessTestResult, ...] = ()
    coverage: Coverage = COMPLETE
    at: Literal["live", "desired", "plan"] = "live"
    group_name: Callable[[str], str] = str


class UserAccess(NamedTuple):
    """A user and their access."""

    email: str
    access: Access


async def state(request: PlanRequest, at: At, scope: PeopleScope = EVERYBODY, *, test: bool = False) -> OrgState:
    """Read the org and the users in scope, and return the state.

    The desired state is that with all changes done, including those that are pending in the IdP. With ``test``, users
    are read only if an access test needs them. Raises OrgError if settings that decide about access could not be read,
    Stale for a saved plan of another org. Users who could not be read are reported by the state's ``coverage``.
    """
    planned = await make_plan(request._replace(people=None))
    live = planned.live
    if isinstance(at, Plan) and at.org.id != live.facts.org_id:
        message = other_org_words(at.org, live.facts.org_id, request.target.name)
        hint = f"use the configuration of {at.org.name}, with -C, -c or --env"
        raise Stale(Problem("other_org", message, None, hint))
    tests = tests_of(planned.plan.desired.policy, planned.plan_input.applied.policy) if test else ()
    if test and not any(map(needs_users, tests)):
        scope = NOBODY
    directory = await people_or_unread(_people(request), request.org, live, scope)
    if at != "live":
        directory = after_idp(live, planned.plan.changes if at == "desired" else at.changes, directory)
    ends = _ends(live, planned.plan)
    rules = (
        forecast_access(live, None, at.changes).after
        if isinstance(at, Plan)
        else ends.before
        if at == "live"
        else ends.done
    )
    if rules.missing:
        message = f"access is unknown, since {', '.join(sorted(rules.missing))} could not be read"
        raise OrgError(Problem("unread", message, None, FIND_CAUSE))
    question = planned.plan_input
    tests = tests_of(question.desired.policy, question.applied.policy) if test else ()
    lines = on_day(question.desired, question.as_of)
    results = run_tests(tests, rules, directory, ends if isinstance(at, Plan) else None, lines)
    coverage = (
        COMPLETE if scope == NOBODY else people_coverage(directory, rules.scim.groups, observed=live.facts.observed)
    )
    kind: Literal["live", "desired", "plan"] = "plan" if isinstance(at, Plan) else at
    return OrgState(planned.plan.org, rules, directory, lines, live.facts, results, coverage, kind, question.known.find)


def after_idp(live: Live, changes: Sequence[Change], directory: Directory) -> Directory:
    """Return the users once changes in the IdP are made and provisioned; partial if that is not known."""
    effect = idp_effect(live, changes)
    if effect is None or directory.coverage.state == "unread":
        return directory
    after = place_users(effect, directory).after
    done = finish(State(live.settings, live.facts), changes)
    problem = effect.problem or replaced_members(effect, (live.settings, done.settings), directory)
    if problem is None:
        return after
    return replace(after, coverage=after.coverage._replace(state="partial", problem=problem))


def _ends(live: Live, planned: Plan) -> PlanContext:
    """Return the rules of access now, and those with all changes done."""
    before = forecast_access(live, None, ()).before
    done = finish(State(live.settings, live.facts), planned.changes)
    return PlanContext(before, compile_access(done.settings, done.facts))


class Inventory(NamedTuple):
    """The mappings that the configuration does not manage, and what was applied and is no longer managed."""

    org: OrgRef
    unmanaged: tuple[Unmanaged, ...]
    released: tuple[Released, ...]


async def inventory(request: PlanRequest) -> Inventory:
    """Return what the org has and the configuration does not manage, with member counts. Users are not read.

    Raises OrgError where the mappings could not be read.
    """
    planned = await make_plan(request._replace(people=None))
    plan, coverage = planned.plan, planned.live.covered("idp_groups")
    if coverage.state != "complete":
        why = f": {coverage.problem}" if coverage.problem else ""
        message = f"unmanaged mappings are unknown, since idp_groups could not be read{why}"
        raise OrgError(Problem("unread", message, None, FIND_CAUSE))
    return Inventory(plan.org, plan.unmanaged, plan.released)


def holders(org_state: OrgState, team: str | None = None, role: str | None = None) -> Iterator[UserAccess]:
    """Yield the users with access, by email address; only those with a role in ``team`` and with ``role``, if given.

    Bit masks limit who may be among them; only these are evaluated with reasons, and equal users once.
    """
    directory = org_state.directory

    @lru_cache(_ALIKE)
    def access_of(groups: tuple[int, ...], traits: Traits) -> Access:
        names = tuple(directory.groups[group] for group in groups)
        return effective(org_state.rules, Person("", groups=names, traits=traits))

    for number in sorted(_likely(org_state, team, role), key=lambda number: directory.emails[number]):
        groups = directory.members[directory.offsets[number] : directory.offsets[number + 1]]
        access = access_of(tuple(groups), directory.traits(number))
        if any((team in (None, team_role.team)) and (role in (None, team_role.role)) for team_role in access.roles):
            yield UserAccess(directory.emails[number], access)


_ALIKE = 10_000
"""The number of cached results for users with the same groups and traits."""


def _likely(org_state: OrgState, team: str | None, role: str | None) -> list[int]:
    """Return the numbers of users with any access, or with access to that team and that role or a higher one, and of
    those who have it at org level."""
    rules, directory = org_state.rules, org_state.directory
    for _ in masks(rules, directory, directory.others):
        pass  # numbers the teams and roles of manual edits
    team_bits = -1 if team is None else rules.entitlements.team_bit(team)
    role_bits = -1 if role is None else rules.entitlements.role_bits(role)
    at_org_level = {
        number
        for number, traits in directory.others.items()
        if traits.org_role is not None and team is None and role in (None, traits.org_role.role)
    }
    return [
        number
        for number, mask in masks(rules, directory)
        if (mask & team_bits and mask & role_bits) or number in at_org_level
    ]


def find(org_state: OrgState, email: str) -> Person | None:
    """Return a user by email address (R28), or None if not all users were read and they are not among them.

    Raises Misuse, with near matches, if all users were read and none has this address.
    """
    key = normalise.email(email)
    for number, known in enumerate(org_state.directory.emails):
        if normalise.email(known) == key:
            return org_state.directory.person(number)
    if org_state.coverage.state != "complete":
        return None
    raise Misuse(no_user(email, org_state.directory.emails))


def no_user(email: str, known: Iterable[str]) -> Problem:
    """Return the problem of an address that no user of the org has, with up to three near ones."""
    near = near_addresses(normalise.email(email), known, 3)
    hint = f"did you mean {' or '.join(near)}?" if near else "for the list of users: rolecall access"
    return Problem("no_user", f"no user {email} in this org", None, hint)


def role_of(org_state: OrgState, role_name: str) -> str:
    """Return a role's ID by its ID or its name in the console. Raises Misuse for a role that the org does not have."""
    roles = {**ORG_ROLES, **org_state.facts.roles}
    if (role := role_id(role_name, roles)) not in roles:
        names = [*roles, *(known.name for known in roles.values())]
        containing = sorted(known for known in roles if role_name.casefold() in known)
        near = f"choose one of: {', '.join(containing)}" if len(containing) > 1 else did_you_mean(role_name, names)
        hint = near or f"choose one of the org's roles: {', '.join(sorted(roles))}"
        raise Misuse(Problem("no_role", f"no role `{role_name}` in this org", None, hint))
    return role


def team_of(org_state: OrgState, name: str) -> str:
    """Return a team's name as the org has it. Raises Misuse for an unknown team, if the teams were read."""
    team, teams = normalise.name(name), org_state.facts.teams
    if teams is not None and team not in teams:
        raise Misuse(Problem("no_team", f"no team `{name}` in this org", None, did_you_mean(name, teams)))
    return team


def explain(org_state: OrgState, person: Person) -> Why:
    """Return each team role of a user, with the reasons."""
    return why(org_state.rules, person, org_state.desired)


def explain_not(org_state: OrgState, person: Person, role: str) -> WhyNot:
    """Return what would have to change for a user to have a role."""
    return why_not(org_state.rules, person, role, org_state.desired)


def imagined(groups: Sequence[str], org_state: OrgState) -> Person:
    """Return a new user in these groups. Raises Misuse for a group that the org does not have."""
    mapped = org_state.rules.settings.idp_groups
    known = {*org_state.facts.groups, *(() if mapped is UNSET else mapped)}
    unknown = [name for name in groups if org_state.group_name(name) not in known]
    if unknown:
        raise Misuse(*(_no_group(name, known) for name in unknown))
    return persona(map(org_state.group_name, groups))


def _no_group(name: str, known: Iterable[str]) -> Problem:
    return Problem("no_group", f"no IdP group `{name}` in this org", None, did_you_mean(name, known))


def one_person(email: str) -> PeopleScope:
    """Return the scope that reads one user."""
    return PeopleScope(emails=frozenset((email,)))


def failed(tests: Iterable[AccessTestResult]) -> bool:
    """Return whether any test failed. A test that could not be evaluated has not failed."""
    return any(test.refuses and test.evaluated for test in tests)


def _people(request: PlanRequest) -> People:
    if request.people is None:
        hint = request.target.people_hint or FIND_CAUSE
        raise OrgError(Problem("unread", "there is no source from which users can be read", None, hint))
    return request.people
