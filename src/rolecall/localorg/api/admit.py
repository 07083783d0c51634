"""Admits requests: the token, the right of an org admin (R34), and the rate limit."""

from __future__ import annotations

import threading
import time
import weakref
from typing import NamedTuple

from sqlalchemy import Connection, select

from rolecall.localorg.api.call import OrgRow, Who
from rolecall.localorg.store import Database, tokens
from rolecall.localorg.store.state import access_by_email
from rolecall.localorg.store.tables import ORG
from rolecall.localorg.web import Fault, Refusal, Request, refuse

_EMBEDDED = Who(None, "write", True, "embedded")
_ORG = select(*(ORG.c[name] for name in OrgRow._fields))

WINDOW = 60.0
"""Seconds that ``per_minute`` counts over."""


class Pace(NamedTuple):
    """The rate headers: requests a minute, how many are left, and seconds until the count starts again."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> tuple[tuple[str, str], ...]:
        return (
            ("X-RateLimit-Limit", str(self.limit)),
            ("X-RateLimit-Remaining", str(self.remaining)),
            ("X-RateLimit-Reset", str(self.reset)),
        )


def org_row(tx: Connection) -> OrgRow:
    """Return the row of the org itself."""
    return OrgRow(*tx.execute(_ORG).one())


def admit(tx: Connection, request: Request) -> Who:
    """Return the caller of a request's token. Raises Refusal 401."""
    header = request.headers.get("authorization")
    if header is None:
        if request.embedded:
            return _EMBEDDED
        raise _unauthorized("no_token", "Send an admin token as `Authorization: Bearer …`")
    scheme, _, secret = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _unauthorized("bad_token", "The Authorization header must be `Bearer` and a token")
    try:
        token = tokens.check_token(tx, secret.strip(), "admin")
    except tokens.TokenRefused as refused:
        raise _unauthorized(refused.key, f"{refused}; `rolecall local token --admin` makes one") from refused
    return Who(token.email, token.scope, token.email is None or _is_org_admin(tx, token.email), token.id)


def require_org_admin(who: Who) -> None:
    """Require the right of an org admin (R34). Raises Refusal 403."""
    if not who.org_admin:
        raise refuse(
            403,
            "not_org_admin",
            f"{who.name} is no org admin of this org; use an org admin's token, or ask an org admin to promote them",
        )


def _is_org_admin(tx: Connection, email: str) -> bool:
    user = access_by_email(tx, email)
    return user is not None and user.access.org_admin


def _unauthorized(key: str, description: str) -> Refusal:
    return Refusal(401, Fault(key, description), headers=(("WWW-Authenticate", 'Bearer realm="rolecall local org"'),))


class _Window:
    """Counts requests of one token in windows of a minute, on the monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}

    def take(self, token: str, limit: int) -> Pace:
        now = time.monotonic()
        with self._lock:
            began, count = self._counts.get(token, (now, 0))
            if now - began >= WINDOW:
                began, count = now, 0
            self._counts[token] = (began, count + 1)
        return Pace(limit, limit - count - 1, max(1, int(began + WINDOW - now + 0.999)))


_WINDOWS: weakref.WeakKeyDictionary[Database, _Window] = weakref.WeakKeyDictionary()


def keep_pace(db: Database, who: Who, org: OrgRow) -> tuple[tuple[str, str], ...]:
    """Count a request and return its rate headers; none without a limit. Raises Refusal 429.

    Counts live in this process: they are no part of the org, and two servers on one database count apart.
    """
    if not org.per_minute:
        return ()
    pace = _WINDOWS.setdefault(db, _Window()).take(who.token_id, org.per_minute)
    if pace.remaining < 0:
        wait = (("Retry-After", str(pace.reset)), ("Retry-After-Ms", str(pace.reset * 1000)))
        refusal = refuse(429, "too_many_requests", f"More than {org.per_minute} requests a minute; wait {pace.reset} s")
        raise Refusal(429, *refusal.faults, headers=(*pace._replace(remaining=0).headers(), *wait))
    return pace.headers()
