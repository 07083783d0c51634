"""Serves the admin API: the table of addresses, and the checks of each caller (token, right, rate limit).

``handle`` answers one request, whatever it asks for.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from rolecall.localorg.api import domains, groups, org, people, singletons
from rolecall.localorg.api.call import BODY_LIMIT, Call, OrgRow, Read, Who, Write, decode_path, decode_query, too_large
from rolecall.localorg.api.rights import require_right
from rolecall.localorg.api.writes import perform
from rolecall.localorg.store import Busy, Database, tokens
from rolecall.localorg.store.state import access_by_email
from rolecall.localorg.store.tables import ORG
from rolecall.localorg.web import Fault, Refusal, Request, Response, Router, refuse
from rolecall.model.kinds import SINGLETONS
from rolecall.model.roles import ORG_ADMIN

log = logging.getLogger("rolecall.localorg")


class Route(NamedTuple):
    """One method at one address. ``{name}`` in the path is a parameter. Either a read or a write."""

    method: str
    path: str
    read: Read | None = None
    write: Write | None = None


ROUTER = Router(
    (
        Route("GET", "/v1/org", org.read_org),
        Route("GET", "/v1/domains", domains.list_domains),
        Route("POST", "/v1/domains", write=domains.create_domain),
        Route("GET", "/v1/domains/{name}", domains.read_domain),
        Route("PUT", "/v1/domains/{name}", write=domains.update_domain),
        Route("DELETE", "/v1/domains/{name}", write=domains.delete_domain),
        *(Route("GET", kind.api_path, singletons.reader(kind.section)) for kind in SINGLETONS),
        *(Route("PUT", kind.api_path, write=singletons.writer(kind.section)) for kind in SINGLETONS),
        Route("POST", "/v1/access/scim/token", write=singletons.create_token),
        Route("DELETE", "/v1/access/scim/token/{id}", write=singletons.delete_token),
        Route("POST", "/v1/access/scim/upgrade", write=singletons.start_upgrade),
        Route("POST", "/v1/access/scim/upgrade/complete", write=singletons.complete_upgrade),
        Route("GET", "/v1/idp-groups", groups.list_groups),
        Route("GET", "/v1/idp-groups/{id}", groups.read_group),
        Route("PUT", "/v1/idp-groups/{id}/mapping", write=groups.update_mapping),
        Route("DELETE", "/v1/idp-groups/{id}/mapping", write=groups.delete_mapping),
        Route("GET", "/v1/people", people.list_people),
        Route("POST", "/v1/people/search", people.search_people),
        Route("GET", "/v1/people/{id}/access", people.read_access),
        Route("GET", "/v1/teams", org.list_teams),
        Route("GET", "/v1/roles", org.list_roles),
        Route("GET", "/v1/audit-log", org.list_audit_log),
    )
)


def handle(request: Request, db: Database) -> Response:
    """Answer one request of the admin API. Blocking; safe to call from many threads. Never raises for a request."""
    return guarded(request, lambda: _answer(request, db))


def handle_together(requests: Sequence[Request], db: Database) -> list[Response]:
    """Answer several writes of one caller in one transaction: all take effect, or none.

    The answer to the first write that is refused is the last answer.
    """
    answers: list[Response] = []

    def answer_all() -> Response:
        """Answer the requests in one transaction, and return the last answer."""
        with db.read() as tx:
            who, org = admit(tx, requests[0]), org_row(tx)
        keep_pace(db, who, org)
        with db.write() as tx:
            for request in requests:
                answers.extend((_write(request, who, org, tx),))
        return answers.pop()

    last = guarded(requests[0], answer_all)
    return [*answers, last]


def _write(request: Request, who: Who, org: OrgRow, tx: Connection) -> Response:
    route, params = _route(request.method, decode_path(request.path))
    require_right(who, route.method, route.path)
    call = Call(request, who, org, params, decode_query(request.query))
    return perform(call, tx, _writer(route, who))


def guarded(request: Request, answer: Callable[[], Response]) -> Response:
    """Return the answer, or the one that stands for its refusal or failure."""
    try:
        return answer()
    except Refusal as refusal:
        return refusal.response()
    except Busy:
        busy = Fault("busy", "The org's database is busy; try again")
        return Refusal(503, busy, headers=(("Retry-After", "1"),)).response()
    except SQLAlchemyError as error:
        log.error("%s %s: %s", request.method, request.path[:200], type(error).__name__, exc_info=error)
        return Refusal(500, Fault("database", "The org's database failed; the server's log has the error")).response()


def _answer(request: Request, db: Database) -> Response:
    if len(request.body) > BODY_LIMIT:
        raise too_large()
    segments = decode_path(request.path)
    with db.read() as tx:
        who, org = admit(tx, request), org_row(tx)
    pace = keep_pace(db, who, org)
    if org.latency_ms:
        time.sleep(org.latency_ms / 1000)
    try:
        route, params = _route(request.method, segments)
        if route.path != "/v1/org":
            require_right(who, route.method, route.path)
        return with_headers(_dispatch(route, Call(request, who, org, params, decode_query(request.query)), db), pace)
    except Refusal as refusal:
        return with_headers(refusal.response(), pace)


def _route(method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
    match = ROUTER.find(method, segments)
    if match is not None:
        return match
    methods = ROUTER.methods(segments)
    if not methods:
        raise refuse(404, "no_such_address", "There is nothing at this address")
    fault = Fault("method_not_allowed", f"This address supports {', '.join(methods)}")
    raise Refusal(405, fault, headers=(("Allow", ", ".join(methods)),))


def _dispatch(route: Route, call: Call, db: Database) -> Response:
    if route.read is not None:
        with db.read() as tx:
            return route.read(call, tx)
    write = _writer(route, call.who)
    with db.write() as tx:
        return perform(call, tx, write)


def _writer(route: Route, who: Who) -> Write:
    if who.scope != "write":
        raise refuse(403, "read_only_token", "This token may only read; use an admin token with write scope")
    if route.write is None:
        raise refuse(404, "no_such_address", "There is nothing at this address")
    return route.write


def with_headers(response: Response, headers: tuple[tuple[str, str], ...]) -> Response:
    """Return an answer with more headers, except for those that it has."""
    sent = {name for name, _ in response.headers}
    return replace(response, headers=(*response.headers, *(pair for pair in headers if pair[0] not in sent)))


_EMBEDDED = Who(None, "write", ORG_ADMIN, "embedded")
_ORG = select(*(ORG.c[name] for name in OrgRow._fields))

WINDOW = 60.0
"""The seconds over which ``per_minute`` counts."""


class RateCount(NamedTuple):
    """The rate headers: requests per minute, remaining requests, and seconds until the count restarts."""

    limit: int
    remaining: int
    reset: int

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Return the count as headers, with the seconds until it starts again."""
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
        raise _unauthorized("bad_token", "The Authorization header must be `Bearer TOKEN`")
    try:
        token = tokens.check_token(tx, secret.strip(), "admin")
    except tokens.TokenRefused as refused:
        raise _unauthorized(refused.key, f"{refused}; create one with `rolecall local token --admin`") from refused
    return Who(token.email, token.scope, ORG_ADMIN if token.email is None else _role(tx, token.email), token.id)


def _role(tx: Connection, email: str) -> str:
    """Return the role at org level by which a user has rights; empty without one."""
    user = access_by_email(tx, email)
    if user is None:
        return ""
    if user.access.org_admin:
        return ORG_ADMIN
    return user.access.org_role.role if user.access.org_role is not None else ""


def _unauthorized(key: str, description: str) -> Refusal:
    return Refusal(401, Fault(key, description), headers=(("WWW-Authenticate", 'Bearer realm="rolecall local org"'),))


class _Window:
    """Counts requests of one token in windows of a minute, on the monotonic clock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}

    def take(self, token: str, limit: int) -> RateCount:
        """Count a request of a token; a new window starts after ``WINDOW`` seconds."""
        now = time.monotonic()
        with self._lock:
            began, count = self._counts.get(token, (now, 0))
            if now - began >= WINDOW:
                began, count = now, 0
            self._counts[token] = (began, count + 1)
        return RateCount(limit, limit - count - 1, max(1, int(began + WINDOW - now + 0.999)))


_WINDOWS: weakref.WeakKeyDictionary[Database, _Window] = weakref.WeakKeyDictionary()


def keep_pace(db: Database, who: Who, org: OrgRow) -> tuple[tuple[str, str], ...]:
    """Count a request and return its rate headers; none without a limit. Raises Refusal 429.

    Counts are kept in this process, not in the database; two servers on one database count separately.
    """
    if not org.per_minute:
        return ()
    pace = _WINDOWS.setdefault(db, _Window()).take(who.token_id, org.per_minute)
    if pace.remaining < 0:
        wait = (("Retry-After", str(pace.reset)), ("Retry-After-Ms", str(pace.reset * 1000)))
        refusal = refuse(
            429, "too_many_requests", f"More than {org.per_minute} requests per minute; wait {pace.reset} s"
        )
        raise Refusal(429, *refusal.faults, headers=(*pace._replace(remaining=0).headers(), *wait))
    return pace.headers()
