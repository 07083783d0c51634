"""What a plan must say beside its changes: what was not read, what is about to expire, what would loosen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from rolecall.errors import Problem
from rolecall.model.desired import Desired
from rolecall.model.kinds import address
from rolecall.model.live import Coverage, Live
from rolecall.model.settings import Sso
from rolecall.plan.coverage import unread_warnings
from rolecall.plan.headline import enumerate_words
from rolecall.plan.resolve import expires_soon


def notes(desired: Desired, coverage: Mapping[str, Coverage], as_of: date) -> list[Problem]:
    """The warnings of a plan, in a fixed order."""
    unread = unread_warnings(desired, coverage, "nothing is planned for it")
    return [*unread, *_soon_expired(desired, as_of)]


def metadata_notes(desired: Desired, live: Live, as_of: date) -> Iterator[Problem]:
    """Yield what is odd about the metadata in the config. An IdP that the config names is compared by ``validate``."""
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
        message = f"sso.metadata expired on {ends.day} {ends:%b %Y}: users cannot sign in with it"
        yield Problem("metadata_expired", message, where, "download the metadata XML from the IdP again", "warning")
    idp = current.idp if isinstance(current, Sso) and not isinstance(desired_sso.idp, str) else None
    if isinstance(idp, str) and other_idp(metadata, idp):
        message = f"sso.metadata does not look like metadata of {idp}: its entity id is {metadata.entity_id}"
        yield Problem("other_idp", message, where, "check that `sso.idp` and the file are of the same IdP", "warning")


def whose_reading(live: Live, sections: Iterable[str], now: datetime) -> list[Problem]:
    """For an observed org: who wrote these sections down and how long ago, by the oldest; nothing for any other."""
    if not live.facts.observed:
        return []
    coverage = [live.covered(name) for name in sections]
    by = sorted({part.taken_by for part in coverage if part.taken_by})
    taken = [part.taken_at for part in coverage if part.taken_at is not None]
    who = enumerate_words(by, 3) if by else "somebody"
    if taken:
        oldest = min(taken)
        year = f" {oldest.year}" if oldest.year != now.year else ""
        days = (now - oldest).days
        ago = "yet to come" if days < -1 else "today" if days < 1 else f"{days:,} day{'s' if days != 1 else ''} ago"
        when = f"on {oldest.day} {oldest:%B}{year} ({ago})"
    else:
        when = "on a day that the file does not tell"
    message = f"Live is what {who} wrote down {when}, not read from WRITER. Console changes can't be seen"
    return [Problem("observed", message, None, "run `rolecall observe`", "warning")]


def _soon_expired(desired: Desired, as_of: date) -> list[Problem]:
    warnings = []
    for at, intent in sorted(desired.intents.items()):
        if expires_soon(intent, as_of):
            hint = "from the next day on its people fall back to the default; they can still sign in"
            message = f"{at} expires after {intent.expires}"
            warnings.append(Problem("expires_soon", message, intent.source, hint, "warning"))
    return warnings
