"""Report the memberships that a plan supposes to change, and what each does to its users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rolecall.plan.headline import count_users, enumerate_words
from rolecall.plan.value import MembershipChange, Plan
from rolecall.plan.what_if import membership_address
from rolecall.report.builders.shares import shares_by_address
from rolecall.report.builders.users import change_notes
from rolecall.report.document import Note
from rolecall.report.phrases import visible

_NAMED = 3
_GROUPS = 10


def what_if_notes(plan: Plan) -> Iterator[Note]:
    """Yield what is supposed, a sentence for each group that users join or leave, each with its effect on them."""
    alike: dict[tuple[str, bool], list[MembershipChange]] = {}
    for change in plan.what_if:
        alike.setdefault((change.group, change.joins), []).append(change)
    shares = shares_by_address(plan.impact) if alike else {}
    for (group, joins), changes in list(alike.items())[:_GROUPS]:
        singular, plural = ("joins", "join") if joins else ("leaves", "leave")
        emails = [change.email for change in changes]
        yield Note(f"What if {_who(emails)} {singular if len(emails) == 1 else plural} {visible(group)}?")
        at = membership_address(changes[0])
        yield from change_notes(plan, at, shares.get(at, ()))
    if len(alike) > _GROUPS:
        more = sum(map(len, list(alike.values())[_GROUPS:]))
        yield Note(f"And {count_users(more, 'joins or leaves', 'join or leave')} other groups.")


def _who(emails: Sequence[str]) -> str:
    """Return the names of a few users; the number of many, and of those who must not be named."""
    if len(emails) > _NAMED or any(" " in email for email in emails):
        return count_users(len(emails))
    return enumerate_words([visible(email) for email in emails])
