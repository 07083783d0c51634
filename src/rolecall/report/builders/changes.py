"""Values in words: numbers, fields, mappings, reasons. Everything that comes from outside is made visible here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date
from typing import Any

from rolecall.model.change import Change, Reason, ViaReason
from rolecall.model.kinds import FieldChange, field_changes
from rolecall.model.roles import ORG_ADMIN
from rolecall.report.document import Diff
from rolecall.report.phrases import listed, visible

BLANK_IS = (
    "Blank is not no access: people whose group goes blank keep what their other groups give, "
    "or else the org's default, and can still sign in."
)
"""R7, R10, R22, said wherever a mapping goes."""

REASONS: dict[Reason, str] = {
    "config": "",
    "not_listed": "not in the config, and the section is authoritative",
    "removed": "the config says remove",
    "previously": "renamed in the IdP",
    "expired": "expired",
    "blank": "the config says blank",
    "upgrade": "endpoint upgrade",
    "rollback": "rollback",
    "drift": "drift",
}

VIA_REASONS: dict[ViaReason, str] = {
    "not_pushed": "the IdP has not pushed this group",
    "not_claimable": "this caller cannot claim that domain",
    "no_api": "the org has no API for it",
    "not_in_plan": "the org's plan does not include it",
}

_SHORT = 60
_FEW = 3


def diffs(section: str, change: Change) -> tuple[Diff, ...]:
    """Return what a change does to each field, in the order of the fields."""
    fields = field_changes(section, change.before, change.after)
    if change.action == "create":
        return created(fields)
    if change.action == "delete":
        return deleted(fields)
    return tuple(map(_diff, fields))


def created(fields: Iterable[FieldChange]) -> tuple[Diff, ...]:
    """Return the fields of a value that was not there before."""
    return tuple(Diff(field.path, None, scalar(field.path, field.after)) for field in fields)


def deleted(fields: Iterable[FieldChange]) -> tuple[Diff, ...]:
    """Return the fields of a value that is not there afterwards."""
    return tuple(Diff(f"was {field.path}", None, scalar(field.path, field.before)) for field in fields)


def scalar(path: str, value: Any) -> str:
    """Return a field's value in words; sets sorted, metadata as its entity id and certificates."""
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset | tuple | list):
        return listed(sorted(value)) or "(none)"
    text = str(value)
    if path == "metadata":
        return _metadata(text)
    if len(text) > 10 * _SHORT:
        return f"{len(text):,} characters ({_digest(text)})"
    return visible(text)


def _metadata(text: str) -> str:
    """Return the entity id, and each certificate's fingerprint and last day; of anything else its size."""
    from rolecall.codec.saml import NotMetadata, decode_metadata

    try:
        metadata = decode_metadata(text)
    except NotMetadata:
        return f"{len(text):,} characters that are not SAML metadata ({_digest(text)})"
    certificates = [f"{item.sha256[:16]}, valid until {day(item.not_after)}" for item in metadata.readable]
    plural = "s" if len(certificates) > 1 else ""
    signed = f"certificate{plural} {'; '.join(certificates)}" if certificates else "no certificate that can be read"
    return f"{visible(metadata.entity_id)} ({signed})"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def day(moment: date) -> str:
    """Return a date as text has it: ``31 Jan 2030``."""
    return f"{moment.day} {moment:%b %Y}"


def gives_org_admin(role: str | None) -> bool:
    """Return whether a mapping with this role makes org admins (R21)."""
    return role == ORG_ADMIN


def _diff(field: FieldChange) -> Diff:
    path, before, after = field
    if isinstance(before, frozenset) and isinstance(after, frozenset) and max(len(before), len(after)) > _FEW:
        return Diff(path, None, _set_diff(before, after))
    return Diff(path, scalar(path, before), scalar(path, after))


def _set_diff(before: frozenset[str], after: frozenset[str]) -> str:
    removed, added, stay = sorted(before - after), sorted(after - before), len(before & after)
    signed = [*(f"+{visible(name)}" for name in added), *(f"−{visible(name)}" for name in removed)]
    return f"{', '.join(signed)} ({stay} stay)"
