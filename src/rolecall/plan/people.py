"""A person of a directory as a plan names them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Set

from rolecall.model import normalise
from rolecall.model.desired import Desired
from rolecall.model.directory import Directory
from rolecall.model.settings import Address
from rolecall.plan.value import Who


def who(directory: Directory, number: int, org_id: str = "") -> Who:
    """The person by the org's id; where a source has no ids, by a digest of the e-mail, so that no id tells a name."""
    email, known = directory.emails[number], directory.ids[number]
    if not known or "@" in known:
        known = stand_in(org_id, email)
    return Who(known, email)


def stand_in(org_id: str, email: str) -> str:
    """An id made from an e-mail: the same in every plan for this org."""
    said = f"{org_id}\0{normalise.email(email)}".encode("utf-8", "surrogatepass")
    return f"p-{hashlib.sha256(said).hexdigest()[:16]}"


def owner_emails(desired: Desired) -> dict[Address, str]:
    """Address -> the e-mail of its owner, by address; an owner may also be called in words."""
    owned = ((at, normalise.email(intent.owner or "")) for at, intent in sorted(desired.intents.items()))
    return {at: email for at, email in owned if "@" in email}


def numbers_of(directory: Directory, wanted: Set[str]) -> dict[str, int]:
    """E-mail -> person, for the normalised e-mails that somebody has; most are written that way already."""
    found = {email: number for number, email in enumerate(directory.emails) if email in wanted} if wanted else {}
    if len(found) < len(wanted):
        rest = wanted - found.keys()
        keys = ((normalise.email(email), number) for number, email in enumerate(directory.emails))
        found |= {key: number for key, number in keys if key in rest}
    return found


def name_some(directory: Directory, numbers: Iterable[int], most: int = 5) -> str:
    """``ann@acme.com, bo@acme.com and 38 more``, sorted."""
    emails = sorted(directory.emails[number] for number in numbers)
    shown = ", ".join(emails[:most])
    return shown if len(emails) <= most else f"{shown} and {len(emails) - most:,} more"
