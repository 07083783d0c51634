"""Access tests: what the config promises about people, personas and roles, held against one state of the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rolecall.access.atoms import rank
from rolecall.access.person import Access, effective
from rolecall.access.rules import Rules
from rolecall.model.directory import Directory, Person
from rolecall.model.policy import AccessTest, Combo, Policy
from rolecall.plan.headline import combos, enumerate_words, role_word
from rolecall.plan.people import numbers_of
from rolecall.plan.value import AccessTestResult


def tests_of(policy: Policy, applied: Policy | None) -> tuple[AccessTest, ...]:
    """The config's tests, and those last applied that it no longer has as they were."""
    known = set(map(_plain, policy.access_tests))
    dropped = () if applied is None else (test for test in applied.access_tests if _plain(test) not in known)
    return (*policy.access_tests, *dropped)


def run_tests(tests: Iterable[AccessTest], rules: Rules, directory: Directory | None) -> tuple[AccessTestResult, ...]:
    """Each test against these rules: live ones, the config's, or those after a plan. Unread people fail a test."""
    listed = tuple(tests)
    people = _people(listed, directory)
    return tuple(_run(test, rules, directory, people) for test in listed)


def _run(test: AccessTest, rules: Rules, directory: Directory | None, people: Mapping[str, Person]) -> AccessTestResult:
    if rules.missing:
        wrong = [f"{', '.join(sorted(rules.missing))} not read"]
    elif test.role is not None:
        wrong = list(_granted(test.role, test.granted_by_only or (), rules, directory))
    elif test.groups is not None:
        wrong = list(_held(test, effective(rules, Person("persona", groups=test.groups))))
    elif directory is None:
        wrong = ["people were not read"]
    elif (person := people.get(test.person or "")) is None:
        wrong = [f"{test.person} is nobody in this org"]
    else:
        wrong = list(_held(test, effective(rules, person)))
    return AccessTestResult(test.name, not wrong, "; ".join(wrong), test.source)


def _people(tests: Sequence[AccessTest], directory: Directory | None) -> dict[str, Person]:
    wanted = {test.person for test in tests if test.person}
    return {} if directory is None else {key: directory.person(n) for key, n in numbers_of(directory, wanted).items()}


def _held(test: AccessTest, access: Access) -> Iterator[str]:
    if test.expect is not None and access.pairs != test.expect:
        missing, extra = sorted(test.expect - access.pairs), sorted(access.pairs - test.expect)
        said = [f"{word} {combos(rows)}" for word, rows in (("lacks", missing), ("has also", extra)) if rows]
        yield f"{' and '.join(said)}{_reasons(access, extra)}"
    for wanted in test.has:
        if not _has(access, wanted):
            yield f"does not have {_said(wanted)}, but {combos(sorted(access.pairs))}"
    for role in test.never:
        if _has(access, role):
            found = sorted(combo for combo in access.pairs if _reaches(combo.role, role))
            yield f"must never be {role_word(role)} and is: {combos(found)}{_reasons(access, found)}"


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


def _granted(role: str, only: Sequence[str], rules: Rules, directory: Directory | None) -> Iterator[str]:
    """Groups, the default and people through whom a role comes that these groups do not give."""
    giving = {name for name, given in rules.scim.groups.items() if any(held == role for _, held in given)}
    if strange := sorted(giving - set(only)):
        yield f"{role_word(role)} also comes by {enumerate_words([f'`{name}`' for name in strange])}"
    if any(held == role for _, held in (*rules.default, *rules.scim.default)):
        yield f"{role_word(role)} also comes by the default"
    if directory is None:
        return
    allowed = {f"group:{name}" for name in (*only, *giving)} | {"default", "saml"}
    found = {
        directory.emails[number]: source
        for number in sorted(directory.others)
        if (source := _other_source(effective(rules, directory.person(number)), role, allowed))
    }
    if found:
        named = [f"{email} ({source})" for email, source in sorted(found.items())]
        yield f"{role_word(role)} also comes to {enumerate_words(named)}"


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
