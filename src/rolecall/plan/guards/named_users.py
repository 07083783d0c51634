"""Find users that the policy names and that are not active users: misspelled, inactive, gone, or not in the source."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from rolecall.errors import Problem
from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.plan.moves import numbers_of

Why = Literal["inactive", "misspelt", "gone", "unseen"]
_CLOSE = 0.74
"""The least similarity of two names before the @, or of two domains, for a suggestion."""


class Absent(NamedTuple):
    """A user in the configuration who is not an active user. ``near`` is the likely spelling.

    ``gone``: the source has all users and not this one. ``unseen``: it cannot have invited users, so they may exist.
    """

    email: str
    why: Why
    near: str | None = None

    @property
    def text(self) -> str:
        """Return one sentence, without a period."""
        match self.why:
            case "inactive":
                return f"{self.email} is no longer active"
            case "misspelt":
                return f"no user {self.email} in this org; did you mean {self.near}?"
            case "gone":
                return f"no user {self.email} in this org"
            case "unseen":
                return f"{self.email} is not in the source of users, which does not list invited users"

    @property
    def sentence(self) -> str:
        """Return the same with a capital letter, unless it begins with the address."""
        return self.text if self.text.startswith(self.email) else f"{self.text[:1].upper()}{self.text[1:]}"


def absent_users(emails: Iterable[str], directory: Directory, *, sees_invited: bool) -> list[Absent]:
    """Return those of these users who are not active users of the directory, by email address.

    ``sees_invited`` says that the users were read from the org itself, which has invited users too.
    """
    named = {normalise.email(email) for email in emails}
    numbers = numbers_of(directory, named)
    return [
        absent
        for email in sorted(named)
        if (absent := _absent(email, numbers.get(email), directory, sees_invited=sees_invited)) is not None
    ]


def required_admin_warnings(desired: Desired, directory: Directory, *, sees_invited: bool) -> Iterator[Problem]:
    """Yield a warning for each required org admin who is not an active user."""
    where = desired.policy.sources.get("guards.required_org_admins")
    required = desired.policy.guards.required_org_admins
    for absent in absent_users(required, directory, sees_invited=sees_invited):
        hint = "correct the address, or remove it"
        message = f"guards.required_org_admins: {absent.text}"
        yield Problem("required_admin_absent", message, where, hint, "warning")


def _absent(email: str, number: int | None, directory: Directory, *, sees_invited: bool) -> Absent | None:
    if number is not None:
        return None if directory.traits(number).active else Absent(email, "inactive")
    if near := near_addresses(email, directory.emails, 1):
        return Absent(email, "misspelt", near[0])
    return Absent(email, "gone" if sees_invited else "unseen")


def near_addresses(email: str, emails: Iterable[str], most: int) -> list[str]:
    """Return the addresses that differ least, the nearest first: in the name only, else in the domain only.

    A text without a domain is compared with the names only.
    """
    name, at, domain = email.partition("@")
    if not at:
        return _near_names(name, emails, most)
    names: dict[str, str] = {}
    domains: dict[str, str] = {}
    for known in emails:
        local, _, host = normalise.email(known).partition("@")
        if host == domain:
            names[local] = known
        elif local == name:
            domains[host] = known
    for part, candidates in ((name, names), (domain, domains)):
        if close := difflib.get_close_matches(part, candidates, most, _CLOSE):
            return [candidates[match] for match in close]
    return []


def _near_names(name: str, emails: Iterable[str], most: int) -> list[str]:
    """Return the addresses with this local part, else those whose local part is near."""
    addresses: dict[str, list[str]] = {}
    for known in emails:
        addresses.setdefault(normalise.email(known).partition("@")[0], []).append(known)
    near = [name] if name in addresses else difflib.get_close_matches(name, addresses, most, _CLOSE)
    return [known for local in near for known in addresses[local]][:most]
