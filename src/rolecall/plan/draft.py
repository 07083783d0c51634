"""Draft a plan before users are read: what differs, the access forecast, and which users must be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rolecall.access.signin import fewer_ways_in
from rolecall.model import normalise
from rolecall.model.change import Change
from rolecall.model.directory import EVERYBODY, PeopleScope
from rolecall.model.kinds import split_address
from rolecall.model.policy import AccessTest
from rolecall.model.settings import Address
from rolecall.plan.diff.changes import Difference, difference
from rolecall.plan.explain.access_tests import tests_of
from rolecall.plan.explain.all_users import about_all_users
from rolecall.plan.forecast import AccessForecast, forecast_access
from rolecall.plan.impact.expiries import MOST, moved_ends
from rolecall.plan.inputs import PlanInput, pending_mappings
from rolecall.plan.moves import owner_emails
from rolecall.plan.resolve import expires_soon


class PlanDraft(NamedTuple):
    """The first pass of a plan. ``plan_input`` is resolved, ``chosen`` are the selected changes, ``forecast`` has no
    users.

    ``scope`` has the users whose access the plan needs before and after.
    """

    plan_input: PlanInput
    found: Difference
    chosen: tuple[Change, ...]
    forecast: AccessForecast
    scope: PeopleScope


MOST_BY_ADDRESS = 200
"""At most this many users of the IdP are read by address; for more, all users are."""


def draft_plan(plan_input: PlanInput) -> PlanDraft:
    """Return what follows from the settings alone, before users are read."""
    plan_input = plan_input.resolved
    known = plan_input.known._replace(desired=plan_input.desired, applied=plan_input.applied)
    differences = difference(known, plan_input.live, plan_input.as_of)
    chosen = _selected(plan_input, differences.changes)
    forecast = forecast_access(plan_input.live, None, chosen, plan_input.what_if)
    reported = [
        *(release.live for release in differences.released),
        *(change.address for change in pending_mappings(plan_input, chosen)),
    ]
    return PlanDraft(plan_input, differences, chosen, forecast, people_scope(plan_input, forecast, reported))


def _selected(plan_input: PlanInput, changes: tuple[Change, ...]) -> tuple[Change, ...]:
    selection, known = plan_input.selection, plan_input.known
    targeted, excluded = known.matching(selection.targets), known.matching(selection.excludes)
    return tuple(
        change
        for change in changes
        if (not selection.targets or targeted(change.address))
        and not excluded(change.address)
        and (not selection.only_expired or change.reason == "expired")
    )


def people_scope(plan_input: PlanInput, forecast: AccessForecast, reported: Iterable[Address]) -> PeopleScope:
    """Return the users to read for impact, guards and access tests; empty where none are needed.

    ``reported`` are groups that are no longer managed or are pending: nothing is written, but their users are reported.

    All users are read where some may lose a way to sign in, and from an org that cannot search.
    """
    tests = tests_of(plan_input.desired.policy, plan_input.applied.policy)
    in_idp = frozenset[str]() if forecast.effect is None else forecast.effect.emails
    emails = frozenset(_emails(plan_input, tests)) | in_idp
    emails |= {normalise.email(change.email) for change in plan_input.what_if}
    groups = frozenset(_told_apart(plan_input, reported)) | _pushed_again(plan_input, forecast)
    fewer = fewer_ways_in(forecast.first.settings, forecast.last.settings)
    if not forecast.moves and not groups and not tests and not fewer and not in_idp:
        return PeopleScope()
    facts = plan_input.live.facts
    searches = not facts.can or "people.search" in facts.can
    if (
        any(map(about_all_users, tests))
        or fewer
        or forecast.scope.everybody
        or not searches
        or len(in_idp) > MOST_BY_ADDRESS
    ):
        return EVERYBODY
    other_ways = any(test.role for test in tests)
    return forecast.scope._replace(
        groups=forecast.scope.groups | groups,
        emails=emails,
        org_admins=True,
        manual=forecast.scope.manual or other_ways,
        attribute_admins=forecast.scope.attribute_admins or other_ways,
    )


def _pushed_again(plan_input: PlanInput, forecast: AccessForecast) -> frozenset[str]:
    """Return the groups of the org that the IdP pushes from now on, whose members it replaces."""
    arriving = frozenset[str]() if forecast.effect is None else forecast.effect.arriving.keys()
    return frozenset(arriving & plan_input.live.facts.groups.keys())


def _emails(plan_input: PlanInput, tests: Iterable[AccessTest]) -> Iterator[str]:
    """Yield the users that the config names, with owners."""
    for policy in (plan_input.desired.policy, plan_input.applied.policy):
        if policy is not None:
            yield from map(normalise.email, policy.guards.required_org_admins)
    yield from (test.person for test in tests if test.person)
    yield from owner_emails(plan_input.desired).values()
    if caller := plan_input.live.facts.caller.email:
        yield normalise.email(caller)


def _told_apart(plan_input: PlanInput, reported: Iterable[Address]) -> Iterator[str]:
    """Yield groups whose users are reported although nothing is written: the reported ones, and those that expire soon
    or whose `expires` changed."""
    for at in reported:
        section, key = split_address(at)
        if section == "idp_groups" and key:
            yield key
    soon = [at for at, intent in plan_input.desired.intents.items() if expires_soon(intent, plan_input.as_of)]
    for at in (*soon, *(end.address for end in moved_ends(plan_input)[:MOST])):
        section, key = split_address(at)
        if section == "idp_groups" and key:
            yield key
