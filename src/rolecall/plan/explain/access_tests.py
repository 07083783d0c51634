"""Access tests: what the config promises about people, personas and roles, held against one state of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from rolecall.access.atoms import rank
from rolecall.access.person import Access, effective
from rolecall.access.rules import Rules
from rolecall.model.directory import Directory, Person
from rolecall.model.live import Coverage
from rolecall.model.policy import AccessTest, Combo, Policy
from rolecall.plan.coverage import incomplete, people_coverage
from rolecall.plan.headline import combos, enumerate_words, role_word
from rolecall.plan.moves import numbers_of
from rolecall.plan.value import AccessTestResult


def tests_of(policy: Policy, applied: Policy | None) -> tuple[AccessTest, ...]:
    """The config's tests, and those last applied that it no longer has as they were."""
    known = set(map(_plain, policy.access_tests))
    dropped = () if applied is None else (test for test in applied.access_tests if _plain(test) not in known)
    return (*policy.access_tests, *dropped)


_LATER = "it does so already, and passes once what this plan leaves out is done"


class Beside(NamedTuple):
    """The rules before a plan, and once everything is done that the plan leaves out."""

    before: Rules
    done: Rules


class _Wrong(NamedTuple):
    """Something a test objects to: in words, and as facts that compare. ``unread``: nothing is wrong, but users whom
    the test needs were not read."""

    said: str
    facts: frozenset[tuple[str, ...]]
    unread: bool = False


def needs_users(test: AccessTest) -> bool:
    """Return whether a test can only be evaluated with users read: all but those of a persona."""
    return test.groups is None


def run_tests(
    tests: Iterable[AccessTest], rules: Rules, directory: Directory | None, beside: Beside | None = None
) -> tuple[AccessTestResult, ...]:
    """Each test against these rules: live ones, the config's, or those after a plan. Unread people fail a test.

    With ``beside``, a failure is told apart that a plan neither brings about nor makes worse, and that goes once the
    rest is done, too.
    """
    listed = tuple(tests)
    people = _people(listed, directory)

    def wrongs(test: AccessTest, rules: Rules) -> list[_Wrong]:
        return list(_wrongs(test, rules, directory, people))

    def result(test: AccessTest) -> AccessTestResult:
        found = wrongs(test, rules)
        later = bool(found) and beside is not None and not wrongs(test, beside.done)
        later = later and beside is not None and _facts(found) <= _facts(wrongs(test, beside.before))
        said = [*(one.said for one in found), *([_LATER] if later else ())]
        evaluated = not found or not all(one.unread for one in found)
        return AccessTestResult(test.name, not found, "; ".join(said), test.source, later, evaluated)

    return tuple(map(result, listed))


def _facts(found: Iterable[_Wrong]) -> frozenset[tuple[str, ...]]:
    return frozenset().union(*(one.facts for one in found))


def _wrongs(
    test: AccessTest, rules: Rules, directory: Directory | None, people: Mapping[str, Person]
) -> Iterator[_Wrong]:
    seen = people_coverage(directory, rules.scim.groups)
    if rules.missing:
        yield _plainly(f"{', '.join(sorted(rules.missing))} not read")
    elif test.role is not None:
        yield from _granted(test.role, test.granted_by_only or (), rules, directory)
    elif test.groups is not None:
        yield from _held(test, effective(rules, Person("persona", groups=test.groups)))
    elif directory is not None and directory.coverage.state == "complete" and seen.state != "complete":
        yield _not_read(seen)
    elif (person := people.get(test.person or "")) is not None:
        yield from _held(test, effective(rules, person))
    elif seen.state != "complete":
        yield _not_read(seen)
    else:
        yield _plainly(f"{test.person} is nobody in this org")


def _plainly(said: str) -> _Wrong:
    return _Wrong(said, frozenset({(said,)}))


def _not_read(seen: Coverage, so: str = "") -> _Wrong:
    said = f"{incomplete(seen)}{so}"
    return _Wrong(said, frozenset({(said,)}), unread=True)


def _people(tests: Sequence[AccessTest], directory: Directory | None) -> dict[str, Person]:
    wanted = {test.person for test in tests if test.person}
    return {} if directory is None else {key: directory.person(n) for key, n in numbers_of(directory, wanted).items()}


def _held(test: AccessTest, access: Access) -> Iterator[_Wrong]:
    if test.expect is not None and access.pairs != test.expect:
        missing, extra = sorted(test.expect - access.pairs), sorted(access.pairs - test.expect)
        rows = [(word, found) for word, found in (("lacks", missing), ("has also", extra)) if found]
        said = " and ".join(f"{word} {combos(found)}" for word, found in rows)
        facts = frozenset((word, *combo) for word, found in rows for combo in found)
        yield _Wrong(f"{said}{_reasons(access, extra)}", facts)
    for wanted in test.has:
        if not _has(access, wanted):
            said = f"does not have {_said(wanted)}, but {combos(sorted(access.pairs))}"
            yield _Wrong(said, frozenset({("does not have", _said(wanted))}))
    for role in test.never:
        if _has(access, role):
            found = sorted(combo for combo in access.pairs if _reaches(combo.role, role))
            said = f"must never be {role_word(role)} and is: {combos(found)}{_reasons(access, found)}"
            yield _Wrong(said, frozenset((role, *combo) for combo in found))


def _has(access: Access, wanted: str | Combo) -> bool:
    """At least: a higher ranked role holds the lower ones (R9)."""
    if isinstance(wanted, str):
        return any(_reaches(role, wanted) for _, role in access.pairs)
    return any(team == wanted.team and _reaches(role, wanted.role) for team, role in access.pairs)


def _reaches(role: str, wanted: str) -> bool:
    return role == wanted or (rank(wanted) > 0 and rank(role) > rank(wanted))


def _reasons(access: Access, found: Iterable[Combo]) -> str:
    wanted = set(found)
    sources = {granted.reasons[0].source for granted in access.combos if granted.combo in wanted}
    return f" (by {enumerate_words(sorted(sources))})" if sources else ""


def _said(wanted: str | Combo) -> str:
    return role_word(wanted) if isinstance(wanted, str) else combos([wanted])


def _granted(role: str, only: Sequence[str], rules: Rules, directory: Directory | None) -> Iterator[_Wrong]:
    """Groups, the default and people through whom a role comes that these groups do not give."""
    giving = {name for name, given in rules.scim.groups.items() if any(held == role for _, held in given)}
    also = f"{role_word(role)} also comes"
    if strange := sorted(giving - set(only)):
        said = f"{also} by {enumerate_words([f'`{name}`' for name in strange])}"
        yield _Wrong(said, frozenset(("group", name) for name in strange))
    if any(held == role for _, held in (*rules.default, *rules.scim.default)):
        yield _plainly(f"{also} by the default")
    seen = people_coverage(directory, rules.scim.groups)
    if directory is None or seen.state != "complete":
        yield _not_read(seen, ", so it is unknown who has it by a manual edit or an attribute")
        return
    allowed = {f"group:{name}" for name in (*only, *giving)} | {"default", "saml"}
    found = {
        directory.emails[number]: source
        for number in sorted(directory.others)
        if (source := _other_source(effective(rules, directory.person(number)), role, allowed))
    }
    if found:
        named = [f"{email} ({source})" for email, source in sorted(found.items())]
        yield _Wrong(f"{also} to {enumerate_words(named)}", frozenset(("person", *row) for row in found.items()))


def _other_source(access: Access, role: str, allowed: set[str]) -> str | None:
    sources = (
        reason.source
        for granted in access.combos
        if granted.role == role
        for reason in granted.reasons
        if reason.role == role and reason.source not in allowed
    )
    return next(sources, None)


def _plain(test: AccessTest) -> AccessTest:
    return replace(test, source=None)
