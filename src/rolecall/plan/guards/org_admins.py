"""Enough org admins, those who must stay, and the caller: after the plan, and after each of its waves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rolecall.errors import Where
from rolecall.model import normalise
from rolecall.model.settings import Address
from rolecall.plan.guards.case import PASS, Case, Finding, Item, at, unjudged
from rolecall.plan.headline import people
from rolecall.plan.people import name_some


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
        if case.reckoning.outlook.directory is None:
            return PASS._replace(limit=limit)
        already = f"There are {before:,} already, fewer than {limit:,}; this plan takes none." if before < limit else ""
        return PASS._replace(limit=limit, actual=least, message=already)
    lost = case.reckoning.admins_before - dict(steps)[wave]
    cause = _cause(case, lost)
    said = f"{_when(case, wave)} {_left(least)}; {limit:,} must stay{at(case.place('min_org_admins'))}."
    return Finding(
        "block",
        f"{said} {_names(case, lost)} would no longer be{cause}.",
        limit,
        least,
        (Item(wanted - least, _causes(case, lost)),),
        _source(case, lost),
        firm=least == 0,
        fixes=("Keep a mapping to org admin for them, or make somebody else org admin first.",),
    )


def required_org_admins(case: Case) -> Finding:
    """The people named stay org admin, after every wave. Who is not org admin now is not judged by this plan."""
    named = {normalise.email(email) for guards in case.policies for email in guards.required_org_admins}
    if not named:
        return PASS
    known = case.reckoning.admins()
    lost = _lost(case, {email: known[email] for email in named & known.keys()})
    absent = sorted(named - known.keys())
    if not lost:
        if not case.reckoning.judged:
            return unjudged(case, len(named))
        if case.reckoning.outlook.directory is None:
            return PASS._replace(limit=len(named))
        already = f"Not org admin already, before this plan: {', '.join(absent)}." if absent else ""
        return PASS._replace(limit=len(named), actual=len(named) - len(absent), message=already)
    place = at(case.place("required_org_admins"))
    return Finding(
        "block",
        f"{_names(case, lost)} must stay org admin{place} and would not{_cause(case, lost)}.",
        len(named),
        len(named) - len(absent) - len(lost),
        (Item(len(lost), _causes(case, lost)),),
        _source(case, lost),
        fixes=("Keep them in a group that is mapped to org admin, by every step of the plan.",),
    )


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
    return Finding(
        "block",
        f"{_names(case, lost)}, who runs this plan, would no longer be org admin{_cause(case, lost)}.",
        items=(Item(1, _causes(case, lost)),),
        source=_source(case, lost),
        firm=True,
        fixes=("Let another org admin apply this plan.",),
    )


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
    wanted = frozenset(numbers)
    return tuple(dict.fromkeys(at for row in case.reckoning.classes if wanted & set(row.numbers) for at in row.because))


def _cause(case: Case, numbers: Iterable[int]) -> str:
    found = case.cause(_causes(case, numbers))
    return f", because of {found[0]}{at(found[1])}" if found else ""


def _source(case: Case, numbers: Iterable[int]) -> Where | None:
    found = case.cause(_causes(case, numbers))
    return found[1] if found else None
