"""Checks the parts of a policy that the schema cannot: access tests, limits, and overlays that relax the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rolecall.desired.check.schema import check_schema
from rolecall.desired.load.sources import Sources, ValidConfig
from rolecall.errors import Problem, Where
from rolecall.model import normalise
from rolecall.model.roles import RANK, role_id

_POLICY = ("manage", "ignore", "guards", "allow", "watch", "access_tests")


def check_policy(sound: ValidConfig, sources: Sources) -> Iterator[Problem]:
    """Yield problems with the policy; ``sound`` is the part of the configuration that fits the schema."""
    yield from _bands(sound.get("guards", {}), sources)
    for at, test in enumerate(sound.get("access_tests", ())):
        if test:
            yield from _test(at, test, sources)
    if sources.overlaid and _intact(sound, sources.effective):
        yield from _loosened(sources)


def _bands(guards: ValidConfig, sources: Sources) -> Iterator[Problem]:
    for name in ("max_people_losing_access", "max_removals", "deprovisions"):
        band = guards.get(name, {})
        review, block = band.get("review"), band.get("block")
        if isinstance(review, int) and isinstance(block, int) and block < review:
            where = sources.where(("guards", name, "block"))
            message = f"`block` ({block}) is lower than `review` ({review}) in `{name}`"
            yield Problem("band", message, where, "set `block` higher than `review`", "warning")


_FITTING = {
    "person": ("expect", "has", "never"),
    "role": ("granted_by_only", "at_most", "only_domains"),
    "never_together": (),
}
"""The expectations that a test may have, by its subject."""


def _test(at: int, test: ValidConfig, sources: Sources) -> Iterator[Problem]:
    where = sources.where(("access_tests", at))
    name = test["name"]
    about = [key for key in _FITTING if key in test]
    if len(about) != 1:
        message = f"`{name}` must have one of `person`, `role` and `never_together`"
        yield Problem("access_test", message, where, "keep exactly one of them")
        return
    expectations = [key for keys in _FITTING.values() for key in keys if key in test]
    fitting = _FITTING[about[0]]
    if fitting and not expectations:
        yield Problem("access_test", f"`{name}` has no expectation", where, f"add {' or '.join(fitting)}")
    for key in expectations:
        if key not in fitting:
            place = sources.where(("access_tests", at, key), key=True)
            message = f"`{key}` does not apply to a `{about[0]}` test"
            yield Problem("access_test", message, place, f"use {' or '.join(fitting)}" if fitting else "remove it")
    if isinstance(test.get("person"), str) and "@" not in test["person"]:
        place = sources.where(("access_tests", at, "person"))
        hint = "write a user's email address, or `person: {groups: [GROUP, ...]}` for a user who is in these groups"
        yield Problem("access_test", f"`{test['person']}` is not an email address", place, hint)
    yield from _domains(at, test.get("only_domains", ()), sources)
    yield from _together(at, test.get("never_together", ()), sources)


def _domains(at: int, domains: Iterable[Any], sources: Sources) -> Iterator[Problem]:
    for number, text in enumerate(domains):
        try:
            normalise.domain(text)
        except ValueError as error:
            place = sources.where(("access_tests", at, "only_domains", number))
            yield Problem("access_test", str(error), place, "write the part after the @, such as `acme.com`")


def _together(at: int, listed: Iterable[Any], sources: Sources) -> Iterator[Problem]:
    """Yield a problem for each team whose roles include each other: a higher one never comes without the lower."""
    role_of_team: dict[str, str] = {}
    for number, item in enumerate(listed):
        team, role = normalise.name(item["team"]), role_id(item["role"])
        earlier = role_of_team.get(team)
        if earlier is not None and (earlier == role or {earlier, role} <= RANK.keys()):
            place = sources.where(("access_tests", at, "never_together", number))
            message = f"{earlier} and {role} of team `{team}` include each other"
            yield Problem("access_test", message, place, "name roles of different teams")
        role_of_team[team] = role


def _loosened(sources: Sources) -> Iterator[Problem]:
    """Yield a problem for each rule that the overlay relaxes. An overlay may only make policy stricter."""
    from rolecall.desired.load.policy import read_policy
    from rolecall.model.policy import policy_differences

    base = check_schema(sources.base, sources, explained=False).sound
    if not _intact(base, sources.base):
        return
    over = sources.documents[-1]
    try:
        before, after = read_policy(sources.base, sources), read_policy(sources.effective, sources)
    except ValueError:  # an invalid date, which check_names reports
        return
    for difference in policy_differences(before, after):
        if difference.loosens:
            path = tuple(difference.path.split("."))
            change = f"from {_quoted(difference.before)} to {_quoted(difference.after)}"
            yield _loosening(difference.path, change, over.where(path, key=True))
    for name in _unprotected(base.get("idp_groups", {}), sources.effective.get("idp_groups", {})):
        yield _loosening(f"idp_groups/{name}.protect", "from true to false", over.where(("idp_groups", name), key=True))


def _intact(sound: ValidConfig, whole: ValidConfig) -> bool:
    """Return whether the schema accepts the whole policy. A part that it refuses is replaced or missing in
    ``sound``.
    """
    return all(key in sound and sound[key] is whole[key] for key in _POLICY if key in whole)


def _loosening(path: str, change: str, where: Where) -> Problem:
    hint = "change it in the main file; an overlay can only make policy stricter"
    return Problem("loosens", f"this overlay makes `{path}` less strict, {change}", where, hint)


def _quoted(value: Any) -> str:
    return "nothing" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _unprotected(base: ValidConfig, effective: Any) -> Iterator[str]:
    entries = effective if isinstance(effective, dict) else {}
    for name, entry in base.items():
        if isinstance(entry, dict) and entry.get("protect") is True:
            now = entries.get(name)
            if not (isinstance(now, dict) and now.get("protect") is True):
                yield name
