"""Enough org admins, those who must stay, and the caller: after the plan, and after each of its waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rolecall.access.entitlements import ORG
from rolecall.model import normalise
from rolecall.model.settings import Address
from rolecall.plan.guards.guard import PASS, Finding, GuardInput, Item, at, unjudged
from rolecall.plan.guards.named_users import Absent, absent_users
from rolecall.plan.guards.responsible import Blame, blame, cause_words, placed, undo_words
from rolecall.plan.headline import people
from rolecall.plan.impact.moves import Cohort
from rolecall.plan.moves import name_some
from rolecall.plan.value import Verdict


def min_org_admins(guard_input: GuardInput) -> Finding:
    """At least so many org admins after every wave; 1 whatever is said. None at all is never lifted."""
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
        already = f"There are {before:,} already, fewer than {limit:,}; this plan takes none." if before < limit else ""
        return PASS._replace(limit=limit, actual=least, message=already)
    lost = guard_input.impact_result.admins_before - dict(steps)[wave]
    named = _blame(guard_input, lost)
    left = f"{_when(guard_input, wave)} {_left(least)}; {limit:,} must stay{at(guard_input.place('min_org_admins'))}."
    finding = Finding(
        "block",
        f"{left} No longer org admin: {_names(guard_input, lost)}.{cause_words(guard_input, named)}",
        limit,
        least,
        (Item(needed - least, _causes(guard_input, lost)),),
        firm=least == 0,
        fixes=(*undo_words(guard_input, named, "To keep them"), "Or make another user org admin first."),
    )
    return placed(guard_input, finding, named)


def required_org_admins(guard_input: GuardInput) -> Finding:
    """The people named stay org admin, after every wave. Who is not org admin now is not judged by this plan."""
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
        notes = [f"Not org admin already, before this plan: {', '.join(former)}."] if former else []
        notes += [f"{user.text[:1].upper()}{user.text[1:]}." for user in unknown]
        return PASS._replace(limit=len(named), actual=len(named) - len(absent), message=" ".join(notes))
    place = at(guard_input.place("required_org_admins"))
    blamed = _blame(guard_input, lost)
    finding = Finding(
        "block",
        f"{_names(guard_input, lost)} must stay org admin{place} and would not.{cause_words(guard_input, blamed)}",
        len(named),
        len(named) - len(absent) - len(lost),
        (Item(len(lost), _causes(guard_input, lost)),),
        fixes=(
            *undo_words(guard_input, blamed, "To keep them"),
            "They need a group that is mapped to org admin at every step.",
        ),
    )
    return placed(guard_input, finding, blamed)


def _unknown(guard_input: GuardInput, emails: Iterable[str]) -> list[Absent]:
    """Return those of these users who are not active users, as far as users were read."""
    directory = guard_input.impact_result.forecast.directory
    if directory is None:
        return []
    return absent_users(emails, directory, sees_invited=guard_input.plan_input.sees_invited)


_CERTAIN = frozenset({"inactive", "misspelt"})
"""What is known of a name also where users were read in part; the guard then blocks, as it cannot know the rest."""


def _unknown_admins(guard_input: GuardInput, unknown: Sequence[Absent], limit: int, actual: int) -> Finding:
    """Return the review for required org admins whose names match no active user."""
    missing = [user for user in unknown if user.why != "unseen"]
    listed = "; ".join(user.text.rstrip("?") for user in missing)
    message = f"Required org admins that match no active user{at(guard_input.place('required_org_admins'))}: {listed}."
    fix = "Correct the addresses in `guards.required_org_admins`, or remove them."
    verdict: Verdict = "review" if guard_input.impact_result.judged else "block"
    return Finding(verdict, message, limit, actual, (Item(len(missing)),), fixes=(fix,))


def require_self(guard_input: GuardInput) -> Finding:
    """The person who applies stays org admin; never lifted. A service has nothing to lose."""
    caller = guard_input.plan_input.live.facts.caller.email
    if caller is None or not any(guards.require_self for guards in guard_input.policies):
        return PASS
    known = guard_input.impact_result.admins()
    email = normalise.email(caller)
    lost = _lost(guard_input, {email: known[email]} if email in known else {})
    if not lost:
        return PASS if guard_input.impact_result.judged else unjudged(guard_input)
    named = _blame(guard_input, lost)
    message = f"{_names(guard_input, lost)}, who runs this plan, would no longer be org admin."
    finding = Finding(
        "block",
        message + cause_words(guard_input, named),
        items=(Item(1, _causes(guard_input, lost)),),
        firm=True,
        fixes=(*undo_words(guard_input, named, "To stay org admin"), "Or let another org admin apply this plan."),
    )
    return placed(guard_input, finding, named)


def _waves(guard_input: GuardInput) -> list[tuple[int, frozenset[int]]]:
    """Org admins after each wave and at the end."""
    return [*guard_input.impact_result.admin_waves, (_END, guard_input.impact_result.admins_after)]


_END = 9


def _when(guard_input: GuardInput, wave: int) -> str:
    return "There would be" if wave == _END else f"After wave {wave} there would be"


def _left(number: int) -> str:
    return "no org admin" if number == 0 else f"{number:,} org admin{'s' if number > 1 else ''}"


def _lost(guard_input: GuardInput, admins_by_email: Mapping[str, int]) -> frozenset[int]:
    """Of these people, those who are org admin now and at some point are not."""
    numbers = frozenset(admins_by_email.values()) & guard_input.impact_result.admins_before
    return numbers - frozenset.intersection(*(admins for _, admins in _waves(guard_input)))


def _names(guard_input: GuardInput, numbers: Iterable[int]) -> str:
    directory = guard_input.impact_result.forecast.directory
    listed = sorted(numbers)
    return people(len(listed)) if directory is None else name_some(directory, listed)


def _causes(guard_input: GuardInput, numbers: Iterable[int]) -> tuple[Address, ...]:
    """The changes by which these users are no longer org admin; those that touch them where it is only for a time."""
    own = _cohorts(guard_input, numbers)
    causes = tuple(dict.fromkeys(at for cohort in own for at in cohort.causing(_lost_org(cohort))))
    return causes or tuple(dict.fromkeys(at for cohort in own for at in cohort.because))


def _cohorts(guard_input: GuardInput, numbers: Iterable[int]) -> list[Cohort]:
    users = frozenset(numbers)
    return [cohort for cohort in guard_input.impact_result.cohorts if not users.isdisjoint(cohort.numbers)]


def _lost_org(cohort: Cohort) -> int:
    return cohort.before & ~cohort.after & ORG


def _blame(guard_input: GuardInput, numbers: Iterable[int]) -> list[Blame]:
    own = _cohorts(guard_input, numbers)
    return blame([cohort for cohort in own if _lost_org(cohort)], _lost_org) or blame(own, lambda _: -1)
