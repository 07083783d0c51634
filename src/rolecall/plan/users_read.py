"""How much was read of the users that an answer depends on, and the sentence that says so. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping

from rolecall.model.directory import PLAIN, Directory, Gaps
from rolecall.model.kinds import split_address
from rolecall.model.live import UNREAD, Coverage, Facts
from rolecall.model.settings import Address
from rolecall.plan.headline import enumerate_words

SECTION = "people"
"""The name of users among the sections of a coverage."""


def people_coverage(
    directory: Directory | None, groups: Container[str] | None = None, *, observed: bool = False
) -> Coverage:
    """Return how much was read of the users; None is a directory that nobody asked for.

    ``groups`` are those that the answer depends on (live keys): where their source has no user in one of them, while
    the org counts members, users were partially read. ``observed`` names the console as what counts.
    """
    if directory is None:
        return UNREAD
    missing = {name: count for name, count in directory.gaps.missing.items() if groups is not None and name in groups}
    if directory.coverage.state != "complete" or not missing:
        return directory.coverage
    return Coverage("partial", problem=f"the people source has no user in {members_words(missing, observed)}")


def incomplete(seen: Coverage) -> str | None:
    """Return ``Users were not read: 403 Forbidden``, without a full stop, or None where all of them were read."""
    if seen.state == "complete":
        return None
    part = f" ({seen.read:,} of {seen.total:,})" if seen.read is not None and seen.total is not None else ""
    what = "not read" if seen.state == "unread" else f"partially read{part}"
    return f"Users were {what}{f': {seen.problem}' if seen.problem else ''}"


def incomplete_sentence(seen: Coverage) -> str | None:
    """Return the same with a full stop."""
    text = incomplete(seen)
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
    that share a name the source cannot tell which is meant: they are left out.
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
    there = facts.groups.keys() | facts.homonyms
    return Gaps(missing, differing, tuple(sorted(name for name in directory.groups if name not in there)))


def _inactive(directory: Directory) -> Iterator[int]:
    """Return the groups of each user who is not active, one by one."""
    members, offsets = directory.members, directory.offsets
    for number, traits in directory.others.items():
        if traits is not PLAIN and not traits.present:
            yield from members[offsets[number] : offsets[number + 1]]


def _shares(name: str, facts: Facts) -> bool:
    return name in facts.homonyms or (name.endswith("]") and name.rpartition(" [")[0] in facts.homonyms)
