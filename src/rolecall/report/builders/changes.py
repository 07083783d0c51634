"""Write values in words: numbers, fields, mappings, reasons. Everything from outside is made visible here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from rolecall.model.change import Change, Reason, ViaReason
from rolecall.model.kinds import FieldChange, field_changes
from rolecall.model.roles import MEMBER, ORG_ADMIN, RANK
from rolecall.plan.dates import day
from rolecall.report.document import Diff, Part, Sense
from rolecall.report.phrases import listed, visible

UNMAPPED = (
    "Users of an unmapped group keep access from their other groups, or else fall back to default access. "
    "They can still sign in."
)
"""R7, R10, R22: stated once wherever groups are unmapped."""

SIGN_IN = "Users who fall back to default access can still sign in."
"""R10: stated once wherever users do."""

REASONS: dict[Reason, str] = {
    "config": "",
    "not_listed": "Not in the config; the section is authoritative.",
    "removed": "Marked `remove` in the config.",
    "previously": "Renamed in the IdP.",
    "expired": "Expired.",
    "blank": "Unmapped (`blank`) in the config.",
    "upgrade": "Endpoint upgrade.",
    "rollback": "Rollback.",
    "drift": "Reverts drift.",
}

VIA_REASONS: dict[ViaReason, str] = {
    "not_pushed": "the IdP has not pushed these groups yet",
    "not_claimable": "rolecall's account cannot claim these domains",
    "role": "the role of rolecall's account cannot change these settings",
    "no_api": "this org has no API for these settings",
    "idp_read_only": "rolecall reads the IdP and does not write to it",
    "not_in_plan": "the org's WRITER plan does not include these settings",
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
    return tuple(map(changed, fields))


def created(fields: Iterable[FieldChange]) -> tuple[Diff, ...]:
    """Return the fields of a value that did not exist before."""
    return tuple(Diff(field.path, None, scalar(field.path, field.after)) for field in fields)


def deleted(fields: Iterable[FieldChange]) -> tuple[Diff, ...]:
    """Return the fields of a value that no longer exists afterward."""
    return tuple(Diff(field.path, None, scalar(field.path, field.before)) for field in fields)


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
    """Return the entity id, with the fingerprint and last day of each certificate; of other text its size."""
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


def gives_org_admin(role: str | None) -> bool:
    """Return whether a mapping with this role makes org admins (R21)."""
    return role == ORG_ADMIN


def changed(field: FieldChange) -> Diff:
    """Return what a change does to one field; only the parts that differ have a sense."""
    path, before, after = field
    if isinstance(before, frozenset) and isinstance(after, frozenset):
        if max(len(before), len(after)) > _FEW:
            return Diff(path, None, _set_diff(before, after), after_parts=_set_parts(before, after))
        was, now = _members(before, after, "less"), _members(after, before, "more")
    else:
        less, more = _senses(path, before, after)
        was, now = (Part(scalar(path, before), less),), (Part(scalar(path, after), more),)
    return Diff(path, _joined(was), _joined(now), was, now)


def _joined(parts: tuple[Part, ...]) -> str:
    return ", ".join([part.text for part in parts])


def _members(names: frozenset[str], opposite: frozenset[str], sense: Sense) -> tuple[Part, ...]:
    parts = [Part(visible(name), "same" if name in opposite else sense) for name in sorted(names)]
    return tuple(parts) or (Part("(none)"),)


def _senses(path: str, before: Any, after: Any) -> tuple[Sense, Sense]:
    """Return what the two sides of a field mean for access: of roles, which of them gives more."""
    if path != "role" or before == after:
        return "same", "new"
    was, now = RANK.get(before or MEMBER), RANK.get(after or MEMBER)
    if was is None or now is None:
        return "same", "new"
    return ("same", "more") if now > was else ("same", "less")


def _set_parts(before: frozenset[str], after: frozenset[str]) -> tuple[Part, ...]:
    removed, added, unchanged = sorted(before - after), sorted(after - before), len(before & after)
    signed = [*(Part(f"−{visible(name)}", "less") for name in removed)]
    signed += [Part(f"+{visible(name)}", "more") for name in added]
    return (*signed, Part(f"{unchanged:,} unchanged"))


def _set_diff(before: frozenset[str], after: frozenset[str]) -> str:
    return ", ".join(part.text for part in _set_parts(before, after))
