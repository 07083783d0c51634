"""Warn about what is valid in the config but looks like a mistake, given the org and its users.

Warnings that need all users are given only where all were read: ``validate --online`` reads all users, a plan for an
org that can search only those it affects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import combinations

from rolecall.access.evaluate import group_masks, memberships
from rolecall.access.rules import Rules, default_team_roles
from rolecall.errors import Problem
from rolecall.model.change import Change
from rolecall.model.directory import Directory
from rolecall.model.kinds import address, value_at
from rolecall.model.roles import RANK
from rolecall.model.settings import BLANK, UNSET, Address, GroupMapping
from rolecall.plan.dates import day
from rolecall.plan.forecast import AccessForecast
from rolecall.plan.headline import access_words, count_users, enumerate_words
from rolecall.plan.idp_users import both_of
from rolecall.plan.impact.inventory import vacant
from rolecall.plan.inputs import PlanInput
from rolecall.plan.moves import numbers_of, owner_emails
from rolecall.plan.resolve import expired
from rolecall.plan.value import Tally

PATIENCE = timedelta(days=30)
SEVERAL = 20
"""Warnings of one kind that are given one by one; more are given as one."""


def lint(
    plan_input: PlanInput,
    forecast: AccessForecast,
    changes: Sequence[Change],
    tallies: Mapping[Address, Tally],
) -> list[Problem]:
    """Return all warnings, in a fixed order."""
    warnings = [
        *_without_role(plan_input),
        *_attribute(plan_input),
        *_empty(plan_input),
        *_long_waits(plan_input, changes),
        *_lapsed(plan_input),
        *_both_already(plan_input),
    ]
    if forecast.directory is not None and forecast.problem is None:
        warnings += _idle(changes, forecast, tallies)
    if forecast.directory is not None and forecast.directory.coverage.state == "complete":
        warnings += owners_gone(plan_input, forecast.directory)
    if forecast.directory is not None and plan_input.everybody and not forecast.after.missing:
        warnings += [
            *_unmapped(forecast.after, forecast.directory, _mappings(plan_input)),
            *_conflicts(forecast.after, forecast.directory),
        ]
    return warnings


def _both_already(plan_input: PlanInput) -> Iterator[Problem]:
    """Yield a warning for groups that are both assigned and pushed already, unless the source of users gave it."""
    code = "idp_assigned_and_pushed"
    names = sorted((both_of(plan_input.live.settings) or {}).values())
    if names and all(problem.code != code for problem in plan_input.warnings):
        message = f"groups are both assigned and pushed in Okta: {enumerate_words(names, _NAMED)}"
        hint = "Okta advises against this; assign users by one group and push others"
        yield Problem(code, message, None, hint, "warning")


_NAMED = 5


def _mappings(plan_input: PlanInput) -> Mapping[str, GroupMapping]:
    groups = plan_input.desired.settings.idp_groups
    return {} if groups is UNSET else groups


def _warning(plan_input: PlanInput, code: str, key: str, message: str, hint: str | None = None) -> Problem:
    where = plan_input.desired.intent(address("idp_groups", key)).source
    return Problem(code, message, where, hint, "warning")


def _without_role(plan_input: PlanInput) -> Iterator[Problem]:
    for key in sorted(key for key, mapping in _mappings(plan_input).items() if mapping.role is None and mapping.teams):
        message = f"`{key}` has teams but no role, so its users get the default role there"
        yield _warning(plan_input, "no_role", key, message, "set the `role`")


def _attribute(plan_input: PlanInput) -> Iterator[Problem]:
    """Warn about a role attribute on the new endpoint, which ignores it (R19)."""
    desired, live = plan_input.desired.settings.scim, plan_input.live.settings.scim
    if desired is UNSET or desired.role_attribute is UNSET:
        return
    endpoint = desired.endpoint if desired.endpoint is not UNSET else UNSET if live is UNSET else live.endpoint
    if endpoint == "new":
        where = plan_input.desired.intent(address("scim")).source
        message = f"the role attribute `{desired.role_attribute}` is ignored on the new endpoint"
        yield Problem("role_attribute", message, where, "remove it: roles come from groups only", "warning")


def _empty(plan_input: PlanInput) -> Iterator[Problem]:
    empty = sorted(vacant(plan_input, (name for name, mapping in _mappings(plan_input).items() if mapping != BLANK)))
    if len(empty) > SEVERAL:
        message = f"{enumerate_words([f'`{key}`' for key in empty])} are mapped but have no users"
        yield Problem("empty_group", message, None, "remove mappings that are no longer needed", "warning")
        return
    for key in empty:
        hint = "remove mappings that are no longer needed"
        yield _warning(plan_input, "empty_group", key, f"`{key}` is mapped but has no users", hint)


def _long_waits(plan_input: PlanInput, changes: Iterable[Change]) -> Iterator[Problem]:
    for change in changes:
        since = plan_input.applied.waiting.get(change.address)
        if change.via == "waiting" and since is not None and plan_input.as_of - since > PATIENCE:
            days = (plan_input.as_of - since).days
            message = f"{change.address} has been pending for {days:,} days: the IdP has not pushed the group"
            hint = "push the group, correct its name, or remove the entry"
            yield Problem("long_wait", message, change.intent.source, hint, "warning")


def _lapsed(plan_input: PlanInput) -> Iterator[Problem]:
    """Warn about expired entries whose mapping no longer exists; removing one that still exists is a change."""
    if plan_input.live.settings.idp_groups is UNSET:
        return
    for at, intent in sorted(item for item in plan_input.desired.intents.items() if expired(item[1], plan_input.as_of)):
        if value_at(plan_input.live.settings, at) in (None, BLANK):
            ended = f" after {day(intent.expires)}" if intent.expires else ""
            message = f"the mapping {at} expired{ended}, and its group is no longer mapped in the org"
            hint = "delete the entry, or set a new date in `expires` to map the group again"
            yield Problem("expired", message, intent.source, hint, "warning")


def _idle(changes: Iterable[Change], forecast: AccessForecast, tallies: Mapping[Address, Tally]) -> Iterator[Problem]:
    for change in changes:
        mapping = change.address.startswith("idp_groups/") and change.via != "waiting" and change.moved is None
        if mapping and change.address not in tallies and forecast.last.settings.scim is not UNSET:
            message = f"{change.address} does not change any user's access"
            hint = "the group has no users, or they have this access already"
            yield Problem("changes_nobody", message, change.intent.source, hint, "warning")


def owners_gone(plan_input: PlanInput, directory: Directory) -> Iterator[Problem]:
    """Yield a warning for each owner who is not an active user, of those that were looked up."""
    scope, owned = plan_input.scope, owner_emails(plan_input.desired)
    checked = {email for email in owned.values() if plan_input.everybody or (scope and email in scope.emails)}
    known = numbers_of(directory, checked)
    for at, email in owned.items():
        number = known.get(email)
        if email in checked and (number is None or not directory.traits(number).active):
            intent = plan_input.desired.intent(at)
            state = "is no longer active" if number is not None else "is not a user"
            message = f"{intent.owner}, the owner of {at}, {state} in this org"
            yield Problem("owner_gone", message, intent.source, "set a new owner", "warning")


def _unmapped(rules: Rules, directory: Directory, desired_groups: Mapping[str, GroupMapping]) -> Iterator[Problem]:
    """Warn about users who only have groups that are neither mapped nor unmapped on purpose (R7, R10)."""
    if rules.scim.endpoint != "new":
        return
    giving = [name in rules.scim.groups or desired_groups.get(name) == BLANK for name in directory.groups]
    members, offsets = directory.members, directory.offsets
    flags = bytes(map(giving.__getitem__, members))
    number = sum(
        1
        for person in range(len(directory))
        if offsets[person] < offsets[person + 1]
        and flags.find(1, offsets[person], offsets[person + 1]) < 0
        and _synced(directory, person)
    )
    if number:
        default = access_words(default_team_roles(rules.settings.defaults))
        message = (
            f"{count_users(number, 'has', 'have')} default access only ({default}): none of their groups is mapped"
        )
        hint = "they can sign in; to give them more access, map one of their groups"
        yield Problem("unmapped_people", message, None, hint, "warning")


def _conflicts(rules: Rules, directory: Directory) -> Iterator[Problem]:
    """Warn about users with two groups that give different ranked roles in one team (R9)."""
    masks = group_masks(rules, directory)
    ranks = {
        mask: {
            team_role.team: RANK[team_role.role]
            for team_role in rules.entitlements.team_roles(mask)
            if team_role.role in RANK
        }
        for mask in set(masks)
    }
    ranked = [ranks[mask] for mask in masks]
    high = {mask for mask, roles in ranks.items() if any(rank > 1 for rank in roles.values())}
    upper = {n for n, mask in enumerate(masks) if mask in high}
    conflicts: Counter[tuple[str, str]] = Counter()
    last = -1
    for person, _ in memberships(directory, upper) if upper else ():
        if person != last and _synced(directory, person):
            last = person
            conflicts.update(set(_pairs(directory, ranked, person)))
    if conflicts:
        shown = [
            f"`{first}` and `{second}` ({number:,})" for (first, second), number in sorted(conflicts.items(), key=_most)
        ]
        message = f"users are in two groups that give different roles in one team: {enumerate_words(shown)}"
        hint = "to set one role, leave each user in one of the groups; until then, the higher role applies (R9)"
        yield Problem("conflicting_roles", message, None, hint, "warning")


def _most(item: tuple[tuple[str, str], int]) -> tuple[int, tuple[str, str]]:
    return -item[1], item[0]


def _pairs(directory: Directory, ranked: Sequence[Mapping[str, int]], person: int) -> Iterator[tuple[str, str]]:
    """Yield every two groups of a user that give different roles in a team."""
    groups = directory.members[directory.offsets[person] : directory.offsets[person + 1]]
    by_team: dict[str, list[int]] = {}
    for group in set(groups):
        for team in ranked[group]:
            by_team.setdefault(team, []).append(group)
    for team, sharing in by_team.items():
        if len({ranked[group][team] for group in sharing}) > 1:
            for first, second in combinations(sorted(sharing, key=directory.groups.__getitem__), 2):
                if ranked[first][team] != ranked[second][team]:
                    yield directory.groups[first], directory.groups[second]


def _synced(directory: Directory, person: int) -> bool:
    traits = directory.traits(person)
    return traits.present and traits.origin == "scim"
