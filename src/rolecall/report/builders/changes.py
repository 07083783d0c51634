"""Values in words: numbers, fields, mappings, reasons. Everything that comes from outside is made visible here."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any, NamedTuple

from rolecall.model.change import Change, Reason, ViaReason
from rolecall.model.comparison import FieldChange, field_changes
from rolecall.model.roles import ORG_ADMIN
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


class Diff(NamedTuple):
    """One field in words. ``before`` is None where only one side is worth telling: a create or a delete."""

    path: str
    before: str | None
    after: str

    def __str__(self) -> str:
        arrow = f"{self.before} → " if self.before is not None else ""
        return f"{self.path}: {arrow}{self.after}"


def diffs(section: str, change: Change) -> tuple[Diff, ...]:
    """What a change does to each field, in the table's order."""
    found = field_changes(section, change.before, change.after)
    if change.action == "create":
        return tuple(Diff(item.path, None, scalar(item.path, item.after)) for item in found)
    if change.action == "delete":
        return tuple(Diff(f"was {item.path}", None, scalar(item.path, item.before)) for item in found)
    return tuple(map(_diff, found))


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
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{len(text):,} characters ({digest})"
    return visible(text)


def _metadata(text: str) -> str:
    """Return the entity id, and each certificate's fingerprint and last day; of anything else its size."""
    from rolecall.codec.saml import NotMetadata, decode_metadata

    try:
        metadata = decode_metadata(text)
    except NotMetadata:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{len(text):,} characters that are not SAML metadata ({digest})"
    certificates = [f"{item.sha256[:16]}, valid until {day(item.not_after)}" for item in metadata.readable]
    plural = "s" if len(certificates) > 1 else ""
    signed = f"certificate{plural} {'; '.join(certificates)}" if certificates else "no certificate that can be read"
    return f"{visible(metadata.entity_id)} ({signed})"


def day(moment: date) -> str:
    """Return a date as text has it: ``31 Jan 2030``."""
    return f"{moment.day} {moment:%b %Y}"


def gives_org_admin(role: str | None) -> bool:
    """Whether a mapping with this role makes org admins (R21)."""
    return role == ORG_ADMIN


def _diff(item: FieldChange) -> Diff:
    path, before, after = item
    if isinstance(before, frozenset) and isinstance(after, frozenset) and max(len(before), len(after)) > _FEW:
        return Diff(path, None, _set_diff(before, after))
    return Diff(path, scalar(path, before), scalar(path, after))


def _set_diff(before: frozenset[str], after: frozenset[str]) -> str:
    gone, new, stay = sorted(before - after), sorted(after - before), len(before & after)
    signed = [*(f"+{visible(name)}" for name in new), *(f"−{visible(name)}" for name in gone)]
    return f"{', '.join(signed)} ({stay} stay)"
