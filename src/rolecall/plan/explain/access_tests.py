"""Run access tests: what the config requires of users, personas and roles, checked against one state of the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rolecall.access.person import ORG_LEVEL, Access, effective
from rolecall.access.rules import Rules
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory, Person
from rolecall.model.live import Coverage
from rolecall.model.policy import AccessTest, Policy, TeamRole
from rolecall.plan.coverage import incomplete, people_coverage
from rolecall.plan.explain.all_users import Population, about_all_users, reaches
from rolecall.plan.headline import access_words, enumerate_words, role_word
from rolecall.plan.moves import numbers_of
from rolecall.plan.value import AccessTestResult, Detail


def tests_of(policy: Policy, applied: Policy | None) -> tuple[AccessTest, ...]:
    """Return the tests of the config, and those of the last apply that it no longer has unchanged."""
    known = set(map(_plain, policy.access_tests))
    dropped = () if applied is None else (test for test in applied.access_tests if _plain(test) not in known)
    return (*policy.access_tests, *dropped)


_LATER = "it fails before this plan too, and passes once the excluded and pending changes are made"


class PlanContext(NamedTuple):
    """The rules before a plan, and after all changes, with those that the plan excludes or that are pending.

    ``directory`` has the users before, where memberships are supposed to change; None where they are the same.
    """

    before: Rules
    done: Rules
    directory: Directory | None = None


class _Failure(NamedTuple):
    """One reason why a test fails, in words and as facts that can be compared. ``unread``: users that the test needs
    were not read."""

    message: str
    facts: frozenset[tuple[str, ...]]
    unread: bool = False
    details: tuple[Detail, ...] = ()


def needs_users(test: AccessTest) -> bool:
    """Return whether a test needs users: all but those of a persona do."""
    return test.groups is None


def run_tests(
    tests: Iterable[AccessTest],
    rules: Rules,
    directory: Directory | None,
    context: PlanContext | None = None,
    desired: Desired | None = None,
) -> tuple[AccessTestResult, ...]:
    """Return the result of each test under these rules. A test fails where users that it needs were not read.
    ``desired`` has the places of the mappings that cause a failure.

    With ``context``, a failure is marked ``later`` where the plan neither causes it nor makes it worse, and it passes
    once all changes are made.
    """
    listed = tuple(tests)
    people = _people(listed, directory)

    first = None if context is None else context.directory
    people_before = people if first is None else _people(listed, first)
    populations = _Populations(desired)

    def wrongs(test: AccessTest, rules: Rules) -> list[_Failure]:
        if first is not None and context is not None and rules is context.before:
            return list(_failures(test, rules, first, people_before, populations))
        return list(_failures(test, rules, directory, people, populations))

    def result(test: AccessTest) -> AccessTestResult:
        """Return the result of one test: whether it passes, and whether a failure is only until steps are done."""
        failures = wrongs(test, rules)
        later = bool(failures) and context is not None and not wrongs(test, context.done)
        later = later and context is not None and _facts(failures) <= _facts(wrongs(test, context.before))
        messages = [*(failure.message for failure in failures), *([_LATER] if later else ())]
        evaluated = not failures or not all(failure.unread for failure in failures)
        details = tuple(detail for failure in failures for detail in failure.details)
        return AccessTestResult(test.name, not failures, "; ".join(messages), test.source, later, evaluated, details)

    return tuple(map(result, listed))


class _Populations:
    """All users under each state of the rules, grouped when a test first needs them."""

    def __init__(self, desired: Desired | None) -> None:
        self._desired = desired
        self._known: list[tuple[Rules, Directory, Population]] = []

    def under(self, rules: Rules, directory: Directory) -> Population:
        for known, users, population in self._known:
            if known is rules and users is directory:
                return population
        population = Population(rules, directory, self._desired)
        self._known.append((rules, directory, population))
        return population


def _facts(failures: Iterable[_Failure]) -> frozenset[tuple[str, ...]]:
    return frozenset().union(*(failure.facts for failure in failures))


def _failures(
    test: AccessTest,
    rules: Rules,
    directory: Directory | None,
    people: Mapping[str, Person],
    populations: _Populations,
) -> Iterator[_Failure]:
    coverage = people_coverage(directory, rules.scim.groups)
    if rules.missing:
        yield _plainly(f"not read: {', '.join(sorted(rules.missing))}")
    elif test.role is not None or test.never_together is not None:
        if test.role is not None and (test.granted_by_only is not None or not about_all_users(test)):
            yield from _granted(test.role, test.granted_by_only or (), rules, directory)
        if about_all_users(test):
            yield from _of_all_users(test, coverage, directory, lambda users: populations.under(rules, users))
    elif test.groups is not None:
        yield from _checked(test, effective(rules, Person("persona", groups=test.groups)))
    elif directory is not None and directory.coverage.state == "complete" and coverage.state != "complete":
        yield _not_read(coverage)
    elif (person := people.get(test.person or "")) is not None:
        yield from _checked(test, effective(rules, person))
    elif coverage.state != "complete":
        yield _not_read(coverage)
    else:
        yield _plainly(f"no user {test.person} in this org")


def _of_all_users(
    test: AccessTest, coverage: Coverage, directory: Directory | None, under: Callable[[Directory], Population]
) -> Iterator[_Failure]:
    """Yield what is wrong among all users. Users who were not read can only make it worse."""
    if directory is not None and coverage.state != "unread":
        for excess in under(directory).excesses(test):
            facts = frozenset(("user", directory.emails[number]) for number in excess.users)
            yield _Failure(excess.message, facts, details=excess.details)
    if coverage.state != "complete":
        yield _not_read(coverage)


def _plainly(message: str) -> _Failure:
    return _Failure(message, frozenset({(message,)}))


def _not_read(coverage: Coverage, so: str = "") -> _Failure:
    message = f"{incomplete(coverage)}{so}"
    return _Failure(message, frozenset({(message,)}), unread=True)


def _people(tests: Sequence[AccessTest], directory: Directory | None) -> dict[str, Person]:
    named = {test.person for test in tests if test.person}
    return {} if directory is None else {key: directory.person(n) for key, n in numbers_of(directory, named).items()}


def _checked(test: AccessTest, access: Access) -> Iterator[_Failure]:
    if test.expect is not None and access.pairs != test.expect:
        missing, extra = sorted(test.expect - access.pairs), sorted(access.pairs - test.expect)
        differences = [
            (verb, unexpected) for verb, unexpected in (("lacks", missing), ("also has", extra)) if unexpected
        ]
        message = " and ".join(f"{verb} {access_words(unexpected)}" for verb, unexpected in differences)
        facts = frozenset((verb, *team_role) for verb, unexpected in differences for team_role in unexpected)
        yield _Failure(f"{message}{_reasons(access, extra)}", facts)
    for expected in test.has:
        if not _has(access, expected):
            message = f"does not have {_text(expected)}; has {access_words(sorted(access.roles))}"
            yield _Failure(message, frozenset({("does not have", _text(expected))}))
    for role in test.never:
        if _has(access, role):
            unexpected = sorted(team_role for team_role in access.roles if reaches(team_role.role, role))
            message = (
                f"must never be {role_word(role)} but has {access_words(unexpected)}{_reasons(access, unexpected)}"
            )
            yield _Failure(message, frozenset((role, *team_role) for team_role in unexpected))


def _has(access: Access, expected: str | TeamRole) -> bool:
    """Return whether a user has at least this; a ranked role includes the lower ones (R9). A role may be at org level
    (R36)."""
    if isinstance(expected, str):
        return any(reaches(role, expected) for _, role in access.roles)
    return any(team == expected.team and reaches(role, expected.role) for team, role in access.pairs)


def _reasons(access: Access, team_roles: Iterable[TeamRole]) -> str:
    listed = set(team_roles)
    sources = {granted.reasons[0].source for granted in access.team_roles if granted.team_role in listed}
    sources |= {ORG_LEVEL} if listed - access.pairs else set()
    return f" (by {enumerate_words(sorted(sources))})" if sources else ""


def _text(expected: str | TeamRole) -> str:
    return role_word(expected) if isinstance(expected, str) else access_words([expected])


def _granted(role: str, only: Sequence[str], rules: Rules, directory: Directory | None) -> Iterator[_Failure]:
    """Yield groups, default access and users that give or have a role apart from these groups."""
    giving = {name for name, granted in rules.scim.groups.items() if any(held_role == role for _, held_role in granted)}
    also = f"{role_word(role)} is also given"
    if strange := sorted(giving - set(only)):
        message = f"{also} by {enumerate_words([f'`{name}`' for name in strange])}"
        yield _Failure(message, frozenset(("group", name) for name in strange))
    if any(held_role == role for _, held_role in (*rules.default, *rules.scim.default)):
        yield _plainly(f"{also} by default access")
    coverage = people_coverage(directory, rules.scim.groups)
    if directory is None or coverage.state != "complete":
        yield _not_read(coverage, ", so manual edits and attributes that give it are unknown")
        return
    allowed = {f"group:{name}" for name in (*only, *giving)} | {"default", "saml"}
    sources = {
        directory.emails[number]: source
        for number in sorted(directory.others)
        if (source := _other_source(effective(rules, directory.person(number)), role, allowed))
    }
    if sources:
        named = [f"{email} ({source})" for email, source in sorted(sources.items())]
        yield _Failure(f"{also} to {enumerate_words(named)}", frozenset(("person", *item) for item in sources.items()))


def _other_source(access: Access, role: str, allowed: set[str]) -> str | None:
    if access.org_role is not None and access.org_role.role == role:
        return ORG_LEVEL
    sources = (
        reason.source
        for granted in access.team_roles
        if granted.role == role
        for reason in granted.reasons
        if reason.role == role and reason.source not in allowed
    )
    return next(sources, None)


def _plain(test: AccessTest) -> AccessTest:
    return test._replace(source=None)
