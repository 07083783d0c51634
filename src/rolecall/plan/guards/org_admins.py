"""Keep enough org admins, the required ones, and the caller: after the plan and after each of its waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rolecall.access.entitlements import ORG
from rolecall.model import normalise
from rolecall.model.settings import Address
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, unjudged
from rolecall.plan.guards.named_users import Absent, absent_users
from rolecall.plan.guards.responsible import ResponsibleChanges, blame, causes, placed, undo_words
from rolecall.plan.headline import count_users
from rolecall.plan.impact.cohorts import Cohort
from rolecall.plan.moves import name_some
from rolecall.plan.value import Detail, Verdict


def min_org_admins(guard_input: GuardInput) -> Finding:
    """Block a plan that leaves too few org admins after any wave. Leaving none cannot be overridden."""
    limit = max(1, *(guards.min_org_admins for guards in guard_input.policies))
    before = len(guard_input.impact_result.admins_before)
    steps = _waves(guard_input)
    least, wave = min(((len(admins), number) for number, admins in steps), default=(before, 0))
    needed = min(limit, before)
    if least >= needed:
        if not guard_input.impact_result.judged:
            return unjudged(guard_input, limit)
        if not guard_input.impact_result.admins_known:
            return PASS._replace(limit=limit)
        short = f"{_org_admins(before)}, as before this plan; the limit is {limit:,}" if before < limit else ""
        return PASS._replace(limit=limit, actual=least, message=short)
    lost = guard_input.impact_result.admins_before - dict(steps)[wave]
    named = _blame(guard_input, lost)
    finding = Finding(
        "block",
        f"{_org_admins(least)} {_when(wave)}; the limit is {limit:,}",
        limit,
        least,
        (Item(needed - least, _causes(guard_input, lost)),),
        firm=least == 0,
        fixes=(*undo_words(guard_input, named, "To keep them"), "Or make another user org admin first."),
        details=(Detail(f"No longer org admin: {_names(guard_input, lost)}"), *causes(guard_input, named)),
    )
    return placed(guard_input, finding, named)


def required_org_admins(guard_input: GuardInput) -> Finding:
    """Block a plan that takes org admin from a required user after any wave. Users who are not org admin now are only
    reported."""
    named = {normalise.email(email) for guards in guard_input.policies for email in guards.required_org_admins}
    if not named:
        return PASS
    known = guard_input.impact_result.admins()
    lost = _lost(guard_input, {email: known[email] for email in named & known.keys()})
    absent = sorted(named - known.keys())
    unknown = _unknown(guard_input, absent)
    if not lost and any(
        user.why in _CERTAIN or guard_input.impact_result.judged for user in unknown if user.why != "unseen"
    ):
        return _unknown_admins(guard_input, unknown, len(named), len(named) - len(absent))
    if not lost:
        if not guard_input.impact_result.judged or guard_input.users_unread:
            return unjudged(guard_input, len(named))
        if not guard_input.impact_result.admins_known:
            return PASS._replace(limit=len(named))
        former = [email for email in absent if email not in {user.email for user in unknown}]
        notes = [f"Not org admins, as before this plan: {', '.join(former)}."] if former else []
        notes += [f"{user.sentence}." for user in unknown]
        return PASS._replace(limit=len(named), actual=len(named) - len(absent), message=" ".join(notes))
    blamed = _blame(guard_input, lost)
    finding = Finding(
        "block",
        f"{len(lost):,} {_required(len(lost))} would no longer be org admin: {_names(guard_input, lost)}",
        len(named),
        len(named) - len(absent) - len(lost),
        (Item(len(lost), _causes(guard_input, lost)),),
        fixes=(
            *undo_words(guard_input, blamed, "To keep them"),
            "Or add them to another group that is mapped to org admin.",
        ),
        details=causes(guard_input, blamed),
    )
    return placed(guard_input, finding, blamed)


def _required(number: int) -> str:
    return f"required org admin{'' if number == 1 else 's'}"


def _unknown(guard_input: GuardInput, emails: Iterable[str]) -> list[Absent]:
    """Return those of these users who are not active users, as far as users were read."""
    directory = guard_input.impact_result.forecast.directory
    if directory is None:
        return []
    return absent_users(emails, directory, sees_invited=guard_input.plan_input.sees_invited)


_CERTAIN = frozenset({"inactive", "misspelt"})
"""Reasons that are certain even where users were partially read; the guard blocks then: the others are unknown."""


def _unknown_admins(guard_input: GuardInput, unknown: Sequence[Absent], limit: int, actual: int) -> Finding:
    """Return the review for required org admins whose names match no active user."""
    missing = [user for user in unknown if user.why != "unseen"]
    details = tuple(Detail(user.sentence) for user in missing)
    are = "is not an active user" if len(missing) == 1 else "are not active users"
    message = f"{len(missing):,} {_required(len(missing))} {are}"
    fix = "Correct the addresses in `guards.required_org_admins`, or remove them."
    verdict: Verdict = "review" if guard_input.impact_result.judged else "block"
    return Finding(verdict, message, limit, actual, (Item(len(missing)),), fixes=(fix,), details=details)


def require_self(guard_input: GuardInput) -> Finding:
    """Block a plan that takes org admin from the user who applies it; cannot be overridden. Service accounts pass."""
    caller = guard_input.plan_input.live.facts.caller.email
    if caller is None or not any(guards.require_self for guards in guard_input.policies):
        return PASS
    known = guard_input.impact_result.admins()
    email = normalise.email(caller)
    lost = _lost(guard_input, {email: known[email]} if email in known else {})
    if not lost:
        return PASS if guard_input.impact_result.judged else unjudged(guard_input)
    named = _blame(guard_input, lost)
    message = f"{_names(guard_input, lost)} runs this plan and would no longer be org admin"
    finding = Finding(
        "block",
        message,
        items=(Item(1, _causes(guard_input, lost)),),
        firm=True,
        fixes=(*undo_words(guard_input, named, "To stay org admin"), "Or let another org admin apply this plan."),
        details=causes(guard_input, named),
    )
    return placed(guard_input, finding, named)


def _waves(guard_input: GuardInput) -> list[tuple[int, frozenset[int]]]:
    """Return the org admins after each wave and after the plan."""
    return [*guard_input.impact_result.admin_waves, (_END, guard_input.impact_result.admins_after)]


_END = 9


def _when(wave: int) -> str:
    return "after this plan" if wave == _END else f"after wave {wave}"


def _org_admins(number: int) -> str:
    return f"{number:,} org admin{'' if number == 1 else 's'}" if number else "No org admins"


def _lost(guard_input: GuardInput, admins_by_email: Mapping[str, int]) -> frozenset[int]:
    """Return those of these users who are org admin now and are not after some wave."""
    numbers = frozenset(admins_by_email.values()) & guard_input.impact_result.admins_before
    return numbers - frozenset.intersection(*(admins for _, admins in _waves(guard_input)))


def _names(guard_input: GuardInput, numbers: Iterable[int]) -> str:
    directory = guard_input.impact_result.forecast.directory
    listed = sorted(numbers)
    return count_users(len(listed)) if directory is None else name_some(directory, listed)


def _causes(guard_input: GuardInput, numbers: Iterable[int]) -> tuple[Address, ...]:
    """Return the changes that take org admin from these users; where it is temporary, those that affect them."""
    own = _cohorts(guard_input, numbers)
    causes = tuple(dict.fromkeys(at for cohort in own for at in cohort.causing(_lost_org(cohort))))
    return causes or tuple(dict.fromkeys(at for cohort in own for at in cohort.because))


def _cohorts(guard_input: GuardInput, numbers: Iterable[int]) -> list[Cohort]:
    users = frozenset(numbers)
    return [cohort for cohort in guard_input.impact_result.cohorts if not users.isdisjoint(cohort.numbers)]


def _lost_org(cohort: Cohort) -> int:
    return cohort.before & ~cohort.after & ORG


def _blame(guard_input: GuardInput, numbers: Iterable[int]) -> list[ResponsibleChanges]:
    own = _cohorts(guard_input, numbers)
    return blame([cohort for cohort in own if _lost_org(cohort)], _lost_org) or blame(own, lambda _: -1)
