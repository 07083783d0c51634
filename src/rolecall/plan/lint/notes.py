"""Warn about what was not read, what expires soon, metadata, and the age of an observed org."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from rolecall.errors import Problem, clause
from rolecall.model.desired import Desired
from rolecall.model.kinds import address
from rolecall.model.live import Coverage, Live
from rolecall.model.settings import Sso
from rolecall.plan.commands import READ_USERS, observe_command
from rolecall.plan.coverage import USERS, changed_sentence, incomplete, section_of, unread_warnings
from rolecall.plan.dates import day
from rolecall.plan.headline import enumerate_words
from rolecall.plan.resolve import expires_soon
from rolecall.plan.value import OrgRef


def notes(
    desired: Desired, coverage: Mapping[str, Coverage], as_of: date, observed: OrgRef | None = None
) -> list[Problem]:
    """Return the warnings of a plan, in a fixed order. ``observed`` is the org if an admin reads it."""

    def hint(name: str) -> str:
        to_read = "" if observed is None else f"; to read it: {observe_command(observed, section_of(name))}"
        return f"it is not part of this plan{to_read}"

    return [*unread_warnings(desired, coverage, hint), *_soon_expired(desired, as_of)]


def users_note(coverage: Coverage | None, hint: str) -> list[Problem]:
    """Return a warning that users were not read, and why; none where they were, or are not needed (None)."""
    message = None if coverage is None else incomplete(coverage)
    return [] if message is None else [Problem("users_unread", clause(message), None, hint or None, "warning")]


def metadata_notes(desired: Desired, live: Live, as_of: date) -> Iterator[Problem]:
    """Warn about the metadata in the configuration. ``validate`` compares it with `sso.idp` there."""
    desired_sso, current = desired.settings.sso, live.settings.sso
    if not isinstance(desired_sso, Sso) or not isinstance(desired_sso.metadata, str) or not desired_sso.metadata:
        return
    from rolecall.codec.saml import NotMetadata, decode_metadata, other_idp

    try:
        metadata = decode_metadata(desired_sso.metadata)
    except NotMetadata:
        return
    where = desired.intent(address("sso")).source
    ends = metadata.ends
    if ends is not None and ends.date() < as_of:
        message = f"sso.metadata expired on {day(ends)}: users cannot sign in with it"
        yield Problem("metadata_expired", message, where, "download the metadata XML from the IdP again", "warning")
    idp = current.idp if isinstance(current, Sso) and not isinstance(desired_sso.idp, str) else None
    if isinstance(idp, str) and other_idp(metadata, idp):
        message = f"sso.metadata does not look like metadata from {idp}: its entity ID is {metadata.entity_id}"
        yield Problem(
            "other_idp",
            message,
            where,
            "check that the metadata and `sso.idp` of the org are for the same IdP",
            "warning",
        )


def whose_reading(live: Live, sections: Iterable[str], now: datetime) -> list[Problem]:
    """Return who read an observed org and how long ago: of these sections those read first; nothing for other orgs."""
    if not live.facts.observed:
        return []
    coverage = {name: live.covered(name) for name in sections}
    oldest = min((part.taken_at for part in coverage.values() if part.taken_at is not None), default=None)
    first = {name: part for name, part in coverage.items() if part.taken_at == oldest}
    by = sorted({part.taken_by for part in first.values() if part.taken_by})
    who = f" by {enumerate_words(by, 3)}" if by else ""
    read = [name for name, part in coverage.items() if part.state != "unread"]
    whole = set(read) <= set(first)
    subject = "the org was observed" if whole else f"the oldest reading ({enumerate_words(list(first), 3)}) was made"
    message = f"{subject}{who} {_ago(oldest, now)}; later changes in the console are not included"
    return [Problem("observed", message, None, "to read it again: rolecall observe", "warning")]


def changed_notes(coverage: Mapping[str, Coverage], org: OrgRef) -> Iterator[Problem]:
    """Warn about each section that was changed after it was read, with the last change."""
    for name, part in coverage.items():
        if part.changed_since is not None:
            hint = READ_USERS if name == USERS else f"run: {observe_command(org, name)}"
            yield Problem("changed_since", changed_sentence(name, part.changed_since), None, hint, "warning")


def _ago(moment: datetime | None, now: datetime) -> str:
    """Return ``on 20 Nov 2026 (9 days ago)``."""
    if moment is None:
        return "at an unknown date"
    days = (now - moment).days
    ago = "in the future" if days < -1 else "today" if days < 1 else f"{days:,} day{'s' if days != 1 else ''} ago"
    return f"on {day(moment)} ({ago})"


def _soon_expired(desired: Desired, as_of: date) -> list[Problem]:
    warnings = []
    for at, intent in sorted(desired.intents.items()):
        if expires_soon(intent, as_of):
            hint = "then its users fall back to default access, unless another group gives them more"
            message = f"{at} expires{f' after {day(intent.expires)}' if intent.expires else ''}"
            warnings.append(Problem("expires_soon", message, intent.source, hint, "warning"))
    return warnings
