"""Administration from the command line: tokens, a reset, and the limits for tests and demos."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, NamedTuple

from rolecall.localorg.store import Database, audit, tokens
from rolecall.localorg.store.singletons import empty, seed
from rolecall.localorg.store.state import access_by_email
from rolecall.localorg.store.tables import ORG
from rolecall.localorg.store.usage import UserUsage, set_user_usage
from rolecall.model.roles import ORG_ROLES

_LOCAL = audit.Actor("service", "local")


class Knobs(NamedTuple):
    """Limits of the org that can be set; None leaves one unchanged.

    ``page_limit``: items a page may have. ``per_minute``: requests a minute and token, 0 for no limit. ``latency_ms``:
    delay of each answer. ``scim_in_plan``: whether the plan has SCIM (R34). ``audit_style``: of exported audit events.
    """

    page_limit: int | None = None
    per_minute: int | None = None
    latency_ms: int | None = None
    plan: str | None = None
    scim_in_plan: bool | None = None
    audit_style: audit.Style | None = None


def make_token(
    db: Database,
    kind: tokens.Kind,
    *,
    scope: tokens.Scope = "write",
    email: str | None = None,
    expires: datetime | None = None,
) -> tokens.Issued:
    """Create a bearer token.

    ``email`` makes an admin token a user's; in an org without users they become its first org admin. ``expires`` is a
    moment with its zone. The secret is in the result and nowhere else.
    """
    with db.write() as tx:
        issued = tokens.issue_token(tx, kind, scope=scope, email=email, expires=expires)
        shown = {"kind": kind, "scope": scope, "email": email, "expires_at": issued.token.expires}
        audit.record(tx, _LOCAL, "create", f"tokens/{issued.token.id}", None, shown)
    return issued


def standing(db: Database, email: str) -> Literal["org admin", "limited", "no org admin", "nobody"]:
    """Return the standing of a token's user in the org: the token of an org admin may do everything, that of a user
    with another role at org level some things, and others nothing (R34)."""
    with db.read() as tx:
        user = access_by_email(tx, email)
    if user is None or not user.person.traits.active:
        return "nobody"
    if user.access.org_admin:
        return "org admin"
    return "limited" if user.access.org_role is not None and user.access.org_role.role in ORG_ROLES else "no org admin"


def reset(db: Database, *, keep_tokens: bool = False) -> None:
    """Empty the org and seed it again, with the limits of a new org."""
    with db.write() as tx:
        empty(tx, keep_tokens=keep_tokens)
        seed(tx)
        audit.record(tx, _LOCAL, "reset", "org")


def set_knobs(db: Database, knobs: Knobs) -> None:
    """Set limits; they apply from the next request on, in every process that serves this org."""
    changes = {name: value for name, value in knobs._asdict().items() if value is not None}
    style = changes.pop("audit_style", None)
    if changes or style is not None:
        with db.write() as tx:
            if changes:
                tx.execute(ORG.update().values(**changes))
            if style is not None:
                audit.set_export_style(tx, style)


def set_usage(db: Database, month: str, records: Iterable[UserUsage]) -> None:
    """Replace the usage data of users for a month, such as ``2026-11``."""
    with db.write() as tx:
        set_user_usage(tx, month, records)
