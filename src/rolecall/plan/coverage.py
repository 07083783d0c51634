"""Compute how much was read of what a plan needs: sections, mappings, fields, and users."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import date

from rolecall.errors import Problem
from rolecall.model.desired import Desired
from rolecall.model.directory import PLAIN, Directory, Gaps
from rolecall.model.fields import Kind
from rolecall.model.kinds import BY_SECTION, KINDS, SECTIONS, address, field_address, split_address, unread_fields
from rolecall.model.live import UNREAD, ChangedSince, Coverage, Facts, Live, base_name
from rolecall.model.settings import UNSET, Address, Value
from rolecall.plan.dates import day
from rolecall.plan.headline import enumerate_words
from rolecall.plan.resolve import covers, ignored


def managed_coverage(desired: Desired, live: Live) -> Mapping[str, Coverage]:
    """Return how much was read of each section that the config manages."""
    return {kind.section: live.covered(kind.section) for kind in KINDS if manages(desired, kind)}


def coverage_of(desired: Desired, live: Live, as_of: date, ignore: Iterable[str] = ()) -> Mapping[str, Coverage]:
    """Return ``managed_coverage`` with a row for each managed field that was not read in a section that was.

    Such a row is keyed by the field's address: ``sso.allow_passwords``, ``domains/acme.com.join``. What the config
    ignores on that day, or ``ignore`` names (addresses or globs), has none.
    """
    skip = (*ignored(desired.policy.ignore, as_of), *ignore)
    fields = {
        field_address(at, name): UNREAD
        for at, names in unread_parts(desired, live)
        if not covers(skip, at)
        for name in names
    }
    return {**managed_coverage(desired, live), **fields, **_changed_teams(desired, live)}


def _changed_teams(desired: Desired, live: Live) -> Mapping[str, Coverage]:
    """Return a row for teams if they were changed after they were read, and the config manages settings with teams."""
    names_teams = any(field.type == "teams" for kind in KINDS if manages(desired, kind) for field in kind.fields)
    teams = live.covered(TEAMS)
    changed = teams.state == "complete" and teams.changed_since is not None
    return {TEAMS: teams} if names_teams and changed else {}


def unread_parts(desired: Desired, live: Live) -> Iterator[tuple[Address, tuple[str, ...]]]:
    """Yield each managed address of a section that was read, with its managed fields that were not."""
    for kind in KINDS:
        if not manages(desired, kind) or live.covered(kind.section).state != "complete":
            continue
        for at, desired_value, live_value in _pairs(kind, desired, live):
            if names := unread_fields(live_value, desired_value):
                yield at, names


def manages(desired: Desired, kind: Kind) -> bool:
    """Return whether the config manages a section."""
    return getattr(desired.settings, kind.section) is not UNSET and desired.policy.managing(kind.section) != "unmanaged"


def sections_of(coverage: Iterable[str]) -> list[str]:
    """Return the sections among the keys of a plan's coverage, in the table's order."""
    return [section for section in SECTIONS if section in set(coverage)]


def section_of(name: str) -> str:
    """Return the section of a key of a plan's coverage, which is a section or a field's address."""
    return name.partition("/")[0].partition(".")[0]


def concerns(name: str, at: str) -> bool:
    """Return whether a key of a plan's coverage is about this address: its section, or a field of it."""
    return name == split_address(at)[0] or name.startswith(field_address(at, ""))


def unread_warnings(
    desired: Desired, coverage: Mapping[str, Coverage], hint: Callable[[str], str]
) -> Iterator[Problem]:
    """Yield a warning for each row that is not complete; ``hint`` returns that of a row, by its key."""
    for name, part in coverage.items():
        if part.state == "complete":
            continue
        why = f": {part.problem}" if part.problem else ""
        whole = " completely" if name in SECTIONS and part.state == "partial" else ""
        where = None if name in SECTIONS else desired.intent(_address_of(name)).source
        yield Problem("unread", f"{name} was not read{whole}{why}", where, hint(name), "warning")


def outdated(coverage: Mapping[str, Coverage]) -> tuple[str, ...]:
    """Return the sections that were changed after they were read; ``people`` is one here too."""
    return tuple(name for name, part in coverage.items() if part.changed_since is not None)


def changed_sentence(section: str, change: ChangedSince) -> str:
    """Return ``SSO was changed by ann@acme.com on 12 Nov 2026, 09:14 UTC, after it was last read.``"""
    kind = BY_SECTION.get(section)
    label, plural = (kind.label, kind.keyed) if kind else ("Teams" if section == TEAMS else "Users", True)
    was, read = ("were", "they were") if plural else ("was", "it was")
    by = f" by {change.by}" if change.by else ""
    return f"{label} {was} changed{by} on {day(change.at)}, {change.at:%H:%M} UTC, after {read} last read."


def _address_of(field: str) -> Address:
    return Address(field.rpartition(".")[0])


def _pairs(kind: Kind, desired: Desired, live: Live) -> Iterator[tuple[Address, Value, Value]]:
    """Yield what desired and live hold at each address that both have. A mapping is always read completely."""
    desired_section, live_section = getattr(desired.settings, kind.section), getattr(live.settings, kind.section)
    if kind.whole:
        return
    if not kind.keyed:
        yield address(kind.section), desired_section, live_section
        return
    for key, value in desired_section.items():
        if key in live_section:
            yield address(kind.section, key), value, live_section[key]


USERS = "people"
"""The name of users among the sections of a coverage."""
TEAMS = "teams"
"""The same of teams, which a configuration names and does not manage."""


def people_coverage(
    directory: Directory | None, groups: Container[str] | None = None, *, observed: bool = False
) -> Coverage:
    """Return how much was read of the users; None is a directory that was not requested.

    ``groups`` are those that the answer depends on (live keys): where their source has no user in one of them, or fewer
    than half of the members that the org counts, users were partially read. ``observed`` names the console as what
    counts.
    """
    if directory is None:
        return UNREAD
    if directory.coverage.state != "complete" or groups is None:
        return directory.coverage
    missing = {name: count for name, count in directory.gaps.missing.items() if name in groups}
    if missing:
        return Coverage("partial", problem=f"the source of users has no user in {members_words(missing, observed)}")
    few = {name: org for name, (org, own) in directory.gaps.differing.items() if name in groups and own * 2 < org}
    if few:
        problem = f"the source of users has fewer than half of the users in {members_words(few, observed)}"
        return Coverage("partial", problem=problem)
    return directory.coverage


def incomplete(coverage: Coverage) -> str | None:
    """Return ``Users were not read: 403 Forbidden``, without a full stop, or None where all of them were read."""
    if coverage.state == "complete":
        return None
    part = (
        f" ({coverage.read:,} of {coverage.total:,})"
        if coverage.read is not None and coverage.total is not None
        else ""
    )
    what = "not read" if coverage.state == "unread" else f"partially read{part}"
    return f"Users were {what}{f': {coverage.problem}' if coverage.problem else ''}"


def incomplete_sentence(coverage: Coverage) -> str | None:
    """Return the same with a full stop."""
    text = incomplete(coverage)
    return None if text is None else text if text.endswith((".", "?", "!")) else f"{text}."


def members_words(members: Mapping[str, int], observed: bool) -> str:
    """Return ``Writer-Legal, which has 57 members according to the org`` for groups with the members it counts."""
    counts = [f"{name} ({members_count(count)})" for name, count in sorted(members.items())]
    source = f"according to the {'console' if observed else 'org'}"
    if len(members) == 1:
        ((name, count),) = members.items()
        return f"{name}, which has {members_count(count)} {source}"
    return f"{enumerate_words(counts)} {source}"


def counted_words(members: Mapping[Address, int], observed: bool) -> str:
    """Return ``Writer-Legal has 57 members according to the console.`` for the groups at these addresses."""
    counts = [f"{split_address(at)[1]} has {members_count(number)}" for at, number in sorted(members.items())]
    return f"{enumerate_words(counts)} according to the {'console' if observed else 'org'}."


def members_count(number: int) -> str:
    """Return ``1 member``, ``57 members``."""
    return f"{number:,} member{'' if number == 1 else 's'}"


def gaps(directory: Directory, facts: Facts) -> Gaps:
    """Compare the members that the org counts with a directory of all users from another source.

    A count that the source meets either with all users of a group or with its active ones does not differ. Of groups
    that share a name the source cannot tell which one it has: they are left out.
    """
    counted = {name: group.members for name, group in facts.groups.items() if group.members is not None}
    sizes = Counter(directory.members)
    inactive = Counter(_inactive(directory))
    known = {name: (sizes[n], sizes[n] - inactive[n]) for n, name in enumerate(directory.groups)}
    plain = {name: count for name, count in counted.items() if not _shares(name, facts)}
    missing = {name: count for name, count in plain.items() if count and not known.get(name, (0, 0))[0]}
    differing = {
        name: (count, known[name][1])
        for name, count in plain.items()
        if name in known and name not in missing and count not in known[name]
    }
    org_groups = facts.groups.keys() | facts.homonyms
    return Gaps(missing, differing, tuple(sorted(name for name in directory.groups if name not in org_groups)))


def _inactive(directory: Directory) -> Iterator[int]:
    """Return the groups of each user who is not active, one by one."""
    members, offsets = directory.members, directory.offsets
    for number, traits in directory.others.items():
        if traits is not PLAIN and not traits.present:
            yield from members[offsets[number] : offsets[number + 1]]


def _shares(name: str, facts: Facts) -> bool:
    return name in facts.homonyms or base_name(name) in facts.homonyms
