"""Supposed memberships as a user states them: on the command line or in CSV files; and what they mean in an org."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.errors import OrgError, Problem, Where, did_you_mean
from rolecall.live.port import IdpSideReader
from rolecall.model import normalise
from rolecall.model.directory import Directory
from rolecall.model.live import IdpQuestion, Live, base_name
from rolecall.model.settings import BLANK, UNSET
from rolecall.plan.coverage import people_coverage
from rolecall.plan.guards.named_users import near_addresses
from rolecall.plan.headline import enumerate_words
from rolecall.plan.inputs import PlanInput
from rolecall.plan.moves import numbers_of
from rolecall.plan.value import MembershipChange

_USER = r"[^\s@]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,}|xn--[A-Za-z0-9-]+)"
_HINT = "write USER+GROUP to join, USER-GROUP to leave, or name a CSV file: ann@acme.com+Writer-Admins, moves.csv"
_SUGGESTED = 20
"""The number of users to suggest similar addresses for; in a large org that takes long."""


class Reading(NamedTuple):
    """One way to read a stated membership: an email address may have hyphens, and so may a group."""

    email: str
    group: str
    joins: bool


class Stated(NamedTuple):
    """A membership as it was stated, with every way to read it."""

    text: str
    readings: tuple[Reading, ...]
    where: Where | None = None


def stated(text: str) -> Stated | Problem:
    """Return the membership in ``ann@acme.com+Writer-Admins`` or ``ann@acme.com-Writer-Legal``, or what is wrong."""
    signs = (at for at, char in enumerate(text) if char in "+-" and re.fullmatch(_USER, text[:at].strip()))
    readings = [Reading(text[:at].strip(), text[at + 1 :].strip(), text[at] == "+") for at in signs]
    readings = [reading for reading in readings if reading.group]
    if not readings:
        return Problem("what_if_syntax", f"`--if {text}` is not a membership", None, _HINT)
    return Stated(text, tuple(readings))


class Supposed(NamedTuple):
    """Memberships in one org, and the problems with them: errors and warnings."""

    changes: tuple[MembershipChange, ...] = ()
    problems: tuple[Problem, ...] = ()


class _Known(NamedTuple):
    """The groups of an org, by each of their names; ``whole``: there are no others."""

    names: frozenset[str]
    whole: bool


async def suppose(stated: Sequence[Stated], plan_input: PlanInput, idp: IdpSideReader | None) -> Supposed:
    """Return the memberships by the live names of their groups. A group that nothing has is an error; whether the
    source of users has it is known later, see ``checked``."""
    known = _groups(plan_input)
    unknown = {r.group for s in stated for r in s.readings} - known.names
    in_idp = await _in_idp(idp, unknown) if unknown and idp is not None else frozenset[str]()
    known = known._replace(names=known.names | in_idp)
    find = plan_input.known.find
    changes, problems, places = [], [], dict[tuple[str, str], tuple[bool, str]]()
    for entry in stated:
        reading = _best(entry, known)
        change = MembershipChange(reading.email, find(reading.group), reading.joins)
        key = normalise.email(change.email), change.group
        place = str(entry.where) if entry.where else f"`--if {entry.text}`"
        if (earlier := places.get(key)) is not None:
            both = "is stated twice" if earlier[0] == change.joins else "both joins and leaves it"
            message = f"{_label(entry)}{change.email} and `{change.group}`: the user {both}; see {earlier[1]}"
            problems.append(Problem("what_if_twice", message, entry.where, "remove one of them"))
            continue
        places[key] = change.joins, place
        changes.append(change)
    return Supposed(tuple(changes), tuple(problems))


def checked(stated: Sequence[Stated], plan_input: PlanInput, everybody: Directory | None = None) -> tuple[Problem, ...]:
    """Return the problems with memberships in an org whose users were read: groups that do not exist, users who leave a
    group that they are not in; and what is supposed, as warnings. ``everybody`` are all users, to suggest some."""
    origin = {_key(reading.email, plan_input.known.find(reading.group)): s for s in stated for reading in s.readings}
    emails = () if plan_input.directory is None else (everybody or plan_input.directory).emails
    return tuple(_problems(plan_input, origin, emails))


def _problems(
    plan_input: PlanInput, origin: Mapping[tuple[str, str], Stated], emails: Sequence[str]
) -> Iterator[Problem]:
    directory, live = plan_input.directory, plan_input.live
    changes = plan_input.what_if
    coverage = people_coverage(directory)
    numbers = {} if directory is None else numbers_of(directory, {normalise.email(c.email) for c in changes})
    sourced = frozenset() if directory is None else frozenset(directory.groups)
    groups = _groups(plan_input)
    unknown = {c.group for c in changes} - groups.names - sourced if groups.whole else set[str]()
    yield from _unknown_groups([c for c in changes if c.group in unknown], origin, groups.names | sourced)
    missing = 0
    for change in changes:
        if change.group in unknown:
            continue
        lead, where = _place(origin, change)
        number = numbers.get(normalise.email(change.email))
        if directory is None or (number is None and coverage.state != "complete"):
            continue
        if number is None:
            missing += 1
            near = near_addresses(normalise.email(change.email), emails, 1) if missing < _SUGGESTED else []
            meant = f"did you mean {near[0]}?" if near else None
            if not change.joins:
                yield Problem("no_user", f"{lead}no user {change.email} in this org", where, meant)
            else:
                message = f"{lead}{change.email} is not a user of this org; the plan supposes that the IdP adds them"
                yield Problem("what_if_new_user", message, where, meant, "warning")
            continue
        person = directory.person(number)
        inside = change.group in person.groups
        if not inside and not change.joins and coverage.state == "complete":
            hint = did_you_mean(change.group, person.groups) or _groups_of(person.groups)
            message = f"{lead}{change.email} is not a member of `{change.group}`"
            yield Problem("not_a_member", message, where, hint)
        elif reason := _no_effect(change, inside, person.traits.present, person.traits.origin, live):
            yield Problem("what_if_no_effect", f"{lead}{reason}", where, None, "warning")


def _unknown_groups(
    changes: Sequence[MembershipChange], origin: Mapping[tuple[str, str], Stated], known: Iterable[str]
) -> Iterator[Problem]:
    """Yield a problem for each group that does not exist, at its first membership."""
    times = Counter(change.group for change in changes)
    first: dict[str, MembershipChange] = {}
    for change in changes:
        first.setdefault(change.group, change)
    for change in first.values():
        lead, where = _place(origin, change)
        several = f" ({times[change.group]:,} memberships)" if times[change.group] > 1 else ""
        message = f"{lead}no group `{change.group}` in the org, the configuration or the IdP{several}"
        yield Problem("no_such_group", message, where, _near_group(change.group, known))


def _place(origin: Mapping[tuple[str, str], Stated], change: MembershipChange) -> tuple[str, Where | None]:
    """Return how a message about a membership begins, and its place in a file."""
    entry = origin.get(_key(change.email, change.group)) or Stated("", ())
    return _label(entry), entry.where


def _no_effect(change: MembershipChange, inside: bool, present: bool, origin: str, live: Live) -> str | None:
    """Return why a membership changes no access now, if that is certain."""
    if inside and change.joins:
        return f"{change.email} is already a member of `{change.group}`"
    if not present:
        return f"{change.email} is not active in this org, so groups give no access"
    if origin != "scim":
        return f"{change.email} is not provisioned over SCIM, so groups give no access (R11)"
    mapped = {} if live.settings.idp_groups is UNSET else live.settings.idp_groups
    if change.group not in live.facts.groups and mapped.get(change.group, BLANK) == BLANK:
        return f"the org does not have `{change.group}` yet, so it gives no access until the IdP pushes it"
    return None


def _groups(plan_input: PlanInput) -> _Known:
    """Return the groups of the org, the configuration, the last apply, and the IdP's side as far as it was read."""
    live, facts, known = plan_input.live, plan_input.live.facts, plan_input.known
    sections = (live.settings.idp_groups, plan_input.desired.settings.idp_groups)
    names = {name for section in sections if section is not UNSET for name in section}
    names |= {*facts.groups, *(facts.legacy_links or ()), *known.names, *known.names.values()}
    names |= {base_name(name) for name in names} - facts.homonyms
    if facts.idp is not None:
        names |= {group.name for group in facts.idp.groups.values() if group is not None}
    names |= {label for label, name in known.past.items() if name in names}
    return _Known(frozenset(names), live.covered("idp_groups").state == "complete")


async def _in_idp(idp: IdpSideReader, names: set[str]) -> frozenset[str]:
    """Return those of these names that groups of the IdP have; none if it cannot be read."""
    try:
        side = await idp.read_side(IdpQuestion({"idp_pushes": frozenset(names)}, {}))
    except OrgError:
        return frozenset()
    known = {} if side.facts.idp is None else side.facts.idp.names
    return frozenset(name for name in names if known.get(name))


def _best(entry: Stated, known: _Known) -> Reading:
    """Return the reading whose group is known, else the first."""
    return next((reading for reading in entry.readings if reading.group in known.names), entry.readings[0])


def _near_group(group: str, known: Iterable[str]) -> str | None:
    listed = sorted(known)
    alike = [f"`{name}`" for name in listed if base_name(name) == group]
    if alike:
        return f"several groups have this name; choose one of {enumerate_words(alike)}"
    return did_you_mean(group, listed)


def _groups_of(groups: Sequence[str]) -> str:
    if not groups:
        return "the user is in no group"
    return f"the user is in {enumerate_words([f'`{name}`' for name in sorted(groups)])}"


def _label(entry: Stated) -> str:
    return "" if entry.where or not entry.text else f"`--if {entry.text}`: "


def _key(email: str, group: str) -> tuple[str, str]:
    return normalise.email(email), group
