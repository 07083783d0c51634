"""Enough org admins, those who must stay, and the caller: after the plan, and after each of its waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rolecall.access.atoms import ORG
from rolecall.model import normalise
from rolecall.model.settings import Address
from rolecall.plan.guards.blame import Blame, blame, cause_words, placed, undo_words
from rolecall.plan.guards.case import PASS, Case, Finding, Item, at, unjudged
from rolecall.plan.guards.named_users import Absent, absent_users
from rolecall.plan.headline import people
from rolecall.plan.impact.moves import Class
from rolecall.plan.moves import name_some
from rolecall.plan.value import Verdict


def min_org_admins(case: Case) -> Finding:
    """At least so many org admins after every wave; 1 whatever is said. None at all is never lifted."""
    limit = max(1, *(guards.min_org_admins for guards in case.policies))
    before = len(case.reckoning.admins_before)
    steps = _waves(case)
    least, wave = min(((len(admins), number) for number, admins in steps), default=(before, 0))
    wanted = min(limit, before)
    if least >= wanted:
        if not case.reckoning.judged:
            return unjudged(case, limit)
        if not case.reckoning.admins_known:
            return PASS._replace(limit=limit)
        already = f"There are {before:,} already, fewer than {limit:,}; this plan takes none." if before < limit else ""
        return PASS._replace(limit=limit, actual=least, message=already)
    lost = case.reckoning.admins_before - dict(steps)[wave]
    named = _blame(case, lost)
    left = f"{_when(case, wave)} {_left(least)}; {limit:,} must stay{at(case.place('min_org_admins'))}."
    finding = Finding(
        "block",
        f"{left} No longer org admin: {_names(case, lost)}.{cause_words(case, named)}",
        limit,
        least,
        (Item(wanted - least, _causes(case, lost)),),
        firm=least == 0,
        fixes=(*undo_words(case, named, "To keep them"), "Or make another user org admin first."),
    )
    return placed(case, finding, named)


def required_org_admins(case: Case) -> Finding:
    """The people named stay org admin, after every wave. Who is not org admin now is not judged by this plan."""
    named = {normalise.email(email) for guards in case.policies for email in guards.required_org_admins}
    if not named:
        return PASS
    known = case.reckoning.admins()
    lost = _lost(case, {email: known[email] for email in named & known.keys()})
    absent = sorted(named - known.keys())
    unknown = _unknown(case, absent)
    if not lost and any(row.why in _CERTAIN or case.reckoning.judged for row in unknown if row.why != "unseen"):
        return _unknown_admins(case, unknown, len(named), len(named) - len(absent))
    if not lost:
        if not case.reckoning.judged or case.users_unread:
            return unjudged(case, len(named))
        if not case.reckoning.admins_known:
            return PASS._replace(limit=len(named))
        others = [email for email in absent if email not in {row.email for row in unknown}]
        told = [f"Not org admin already, before this plan: {', '.join(others)}."] if others else []
        told += [f"{row.words[:1].upper()}{row.words[1:]}." for row in unknown]
        return PASS._replace(limit=len(named), actual=len(named) - len(absent), message=" ".join(told))
    place = at(case.place("required_org_admins"))
    blamed = _blame(case, lost)
    finding = Finding(
        "block",
        f"{_names(case, lost)} must stay org admin{place} and would not.{cause_words(case, blamed)}",
        len(named),
        len(named) - len(absent) - len(lost),
        (Item(len(lost), _causes(case, lost)),),
        fixes=(
            *undo_words(case, blamed, "To keep them"),
            "They need a group that is mapped to org admin at every step.",
        ),
    )
    return placed(case, finding, blamed)


def _unknown(case: Case, emails: Iterable[str]) -> list[Absent]:
    """Return those of these users who are not active users, as far as users were read."""
    directory = case.reckoning.outlook.directory
    if directory is None:
        return []
    return absent_users(emails, directory, sees_invited=case.question.sees_invited)


_CERTAIN = frozenset({"inactive", "misspelt"})
"""What is known of a name also where users were read in part; the guard then blocks, as it cannot know the rest."""


def _unknown_admins(case: Case, unknown: Sequence[Absent], limit: int, actual: int) -> Finding:
    """Return the review for required org admins whose names match no active user."""
    rows = [row for row in unknown if row.why != "unseen"]
    listed = "; ".join(row.words.rstrip("?") for row in rows)
    message = f"Required org admins that match no active user{at(case.place('required_org_admins'))}: {listed}."
    fix = "Correct the addresses in `guards.required_org_admins`, or remove them."
    verdict: Verdict = "review" if case.reckoning.judged else "block"
    return Finding(verdict, message, limit, actual, (Item(len(rows)),), fixes=(fix,))


def require_self(case: Case) -> Finding:
    """The person who applies stays org admin; never lifted. A service has nothing to lose."""
    caller = case.question.live.facts.caller.email
    if caller is None or not any(guards.require_self for guards in case.policies):
        return PASS
    known = case.reckoning.admins()
    email = normalise.email(caller)
    lost = _lost(case, {email: known[email]} if email in known else {})
    if not lost:
        return PASS if case.reckoning.judged else unjudged(case)
    named = _blame(case, lost)
    finding = Finding(
        "block",
        f"{_names(case, lost)}, who runs this plan, would no longer be org admin.{cause_words(case, named)}",
        items=(Item(1, _causes(case, lost)),),
        firm=True,
        fixes=(*undo_words(case, named, "To stay org admin"), "Or let another org admin apply this plan."),
    )
    return placed(case, finding, named)


def _waves(case: Case) -> list[tuple[int, frozenset[int]]]:
    """Org admins after each wave and at the end."""
    return [*case.reckoning.admin_waves, (_END, case.reckoning.admins_after)]


_END = 9


def _when(case: Case, wave: int) -> str:
    return "There would be" if wave == _END else f"After wave {wave} there would be"


def _left(number: int) -> str:
    return "no org admin" if number == 0 else f"{number:,} org admin{'s' if number > 1 else ''}"


def _lost(case: Case, wanted: Mapping[str, int]) -> frozenset[int]:
    """Of these people, those who are org admin now and at some point are not."""
    numbers = frozenset(wanted.values()) & case.reckoning.admins_before
    return numbers - frozenset.intersection(*(admins for _, admins in _waves(case)))


def _names(case: Case, numbers: Iterable[int]) -> str:
    directory = case.reckoning.outlook.directory
    listed = sorted(numbers)
    return people(len(listed)) if directory is None else name_some(directory, listed)


def _causes(case: Case, numbers: Iterable[int]) -> tuple[Address, ...]:
    """The changes by which these users are no longer org admin; those that touch them where it is only for a time."""
    own = _classes(case, numbers)
    causes = tuple(dict.fromkeys(at for row in own for at in row.causing(_lost_org(row))))
    return causes or tuple(dict.fromkeys(at for row in own for at in row.because))


def _classes(case: Case, numbers: Iterable[int]) -> list[Class]:
    wanted = frozenset(numbers)
    return [row for row in case.reckoning.classes if not wanted.isdisjoint(row.numbers)]


def _lost_org(row: Class) -> int:
    return row.before & ~row.after & ORG


def _blame(case: Case, numbers: Iterable[int]) -> list[Blame]:
    own = _classes(case, numbers)
    return blame([row for row in own if _lost_org(row)], _lost_org) or blame(own, lambda _: -1)
