"""The digest of what a plan would do: SHA-256 over canonical JSON (RFC 8785)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from rolecall.codec.policy import encode_allow, encode_policy
from rolecall.codec.settings import encode_value
from rolecall.model.kinds import split_address
from rolecall.plan.value import FORMAT_VERSION, Plan


def canonical(value: Any) -> bytes:
    """Return the canonical JSON (RFC 8785) of what plans hold: strings, whole numbers, booleans, null, lists, objects
    with ASCII keys.

    Within that, Python's compact sorted JSON is the canonical form; a float or a key beyond ASCII is not allowed.
    """
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def document(plan: Plan) -> dict[str, Any]:
    """Return what the digest is computed from: format major, org, env, changes, overrides, escalated users and policy.

    Time, version, source lines, names of files and counts of other users are not part of it, so a merge keeps it. The
    memberships of a what-if are, by group, so that no apply has the digest of one.
    """
    return {
        "format": FORMAT_VERSION.partition(".")[0],
        "org": plan.org.id,
        "env": plan.org.env,
        "changes": [
            [
                change.address,
                change.action,
                encode_value(split_address(change.address)[0], change.before),
                encode_value(split_address(change.address)[0], change.after),
                *([change.id] if change.id else []),
            ]
            for change in plan.changes
        ],
        "lifts": [encode_allow(lift) for lift in plan.lifts],
        "escalated": sorted(
            [escalation.who.id, sorted(map(list, escalation.gains))] for escalation in plan.impact.escalations
        ),
        "policy": encode_policy(plan.desired.policy),
        **({"what_if": sorted([c.group, c.joins] for c in plan.what_if)} if plan.what_if else {}),
    }


def digest(plan: Plan) -> str:
    """Return the hex digest of the plan's ``document``."""
    return sha256(canonical(document(plan))).hexdigest()


def short(hexdigest: str) -> str:
    """Return the first 16 digits, in groups of four: what a user reads and types."""
    return "-".join(hexdigest[at : at + 4] for at in range(0, 16, 4))


def matches(digest_text: str, hexdigest: str) -> bool:
    """Return whether a typed digest is this one: all of it, or at least its first 16 digits; dashes are optional."""
    typed = digest_text.replace("-", "").strip().lower()
    return len(typed) >= 16 and hexdigest.startswith(typed)


def parts_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return a short hash for each part of a plan's JSON, by which edited parts of a file are found."""
    return {name: sha256(canonical(content[name])).hexdigest()[:16] for name in sorted(content.keys() - {"parts"})}


def fingerprint(*parts: str) -> str:
    """Return sixteen hex digits for a finding, as drifts have them."""
    return sha256(canonical(list(parts))).hexdigest()[:16]
