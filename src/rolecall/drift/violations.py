"""Find policy violations in the org: standing limits, watched roles, access tests."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from rolecall.access.rules import Rules
from rolecall.drift.membership import holders, source_words
from rolecall.drift.value import Violation, ViolationKind
from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.desired import Applied, Desired
from rolecall.model.directory import Directory
from rolecall.model.roles import ORG_ADMIN
from rolecall.model.settings import Address
from rolecall.model.sighting import Holding, Sighting
from rolecall.plan.coverage import people_coverage
from rolecall.plan.explain.access_tests import needs_users, run_tests, tests_of
from rolecall.plan.headline import count_users, role_word
from rolecall.plan.saved.digest import fingerprint
from rolecall.plan.value import Who


def limits(desired: Desired, sighting: Sighting) -> Iterator[Violation]:
    """Yield that there are too few org admins, or that required ones are missing; only if all users were read."""
    if not sighting.complete:
        return
    guards, sources = desired.policy.guards, desired.policy.sources
    admins = holders(sighting, ORG_ADMIN)
    least = max(1, guards.min_org_admins)
    if len(admins) < least:
        message = f"{count_users(len(admins), 'is', 'are')} org admin; the minimum is {least:,}"
        source = sources.get("guards.min_org_admins")
        yield Violation("limit", "min_org_admins", message, fingerprint("min_org_admins"), source=source)
    admin_emails = {normalise.email(holding.email) for holding in admins.values()}
    source = sources.get("guards.required_org_admins")
    for email in guards.required_org_admins:
        if normalise.email(email) not in admin_emails:
            message = "must be an org admin but is not"
            print_ = fingerprint("required_org_admins", normalise.email(email))
            yield Violation("limit", "required_org_admins", message, print_, Who(email, email), source)


def watched(
    desired: Desired, sighting: Sighting, known: Sighting | None, explained: Collection[Address]
) -> Iterator[Violation]:
    """Yield each user who has a watched role since ``known``, except those that a drifted address explains."""
    if known is None or not known.complete or not sighting.complete:
        return
    for role in sorted(desired.policy.watch_roles):
        was, now = holders(known, role), holders(sighting, role)
        for key in sorted(now.keys() - was.keys()):
            holding = now[key]
            if holding.address not in explained:
                message = f"is now {role_word(role)}, {_by(holding)}"
                who = Who(holding.id, holding.email)
                yield Violation("watch", role, message, fingerprint("watch", role, key), who, _place(desired, holding))


def tests(desired: Desired, applied: Applied, rules: Rules, directory: Directory | None) -> Iterator[Violation]:
    """Yield each access test that fails in the org. Unless all users were read, only personas are evaluated."""
    whole = people_coverage(directory, rules.scim.groups).state == "complete"
    evaluated = [test for test in tests_of(desired.policy, applied.policy) if whole or not needs_users(test)]
    for result in run_tests(evaluated, rules, directory, None, desired):
        if not result.passed:
            print_ = fingerprint("access_test", result.name, result.message)
            yield Violation("access_test", result.name, result.text, print_, source=result.source)


def not_evaluated(
    desired: Desired, applied: Applied, sighting: Sighting | None, known: Sighting | None
) -> tuple[ViolationKind, ...]:
    """Return the kinds of checks that could not be evaluated because users were not read: now (``sighting``), and for
    watched roles also in the access record that it is compared with (``known``).

    There is always a limit: at least one org admin.
    """
    whole = sighting is not None and sighting.complete
    watch = desired.policy.watch_roles and not (whole and (known is None or known.complete))
    tested = not whole and any(map(needs_users, tests_of(desired.policy, applied.policy)))
    kinds: dict[ViolationKind, object] = {"watch": watch, "limit": not whole, "access_test": tested}
    return tuple(kind for kind, unknown in kinds.items() if unknown)


def _place(desired: Desired, holding: Holding) -> Where | None:
    """Return the place of the mapping that gives the role, if it is in the config."""
    return desired.intent(holding.address).source if holding.address else None


def _by(holding: Holding) -> str:
    place = f" ({holding.source})" if holding.source else ""
    return f"{source_words(holding)}{place}"
