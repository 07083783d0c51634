"""Signing in: a cookie holds a random session id that scripts and other sites never see, and forms carry a proof.

Sessions are in this process alone: they end with it, and two servers on one database have their own. The admin token
stays here. It is checked at every request, so a revoked or expired token ends every session that it opened.
"""

from __future__ import annotations

import hmac
import secrets
import threading
import time
import weakref
from http.cookies import CookieError, SimpleCookie
from typing import Final, NamedTuple

from rolecall.localorg.store import Database
from rolecall.localorg.web import Request

COOKIE: Final = "rolecall_console"
SIGN_IN_COOKIE: Final = "rolecall_console_sign_in"
"""A random text that the sign-in page sets and its form proves, so that no other site can sign a browser in."""
FIELD: Final = "csrf"
MOST: Final = 1000
"""The most sessions that an org may have open; the oldest one ends first."""
IDLE_SECONDS: Final = 8 * 3600.0
_FLAGS = "Path=/; HttpOnly; SameSite=Strict"


class ConsoleSession(NamedTuple):
    """An open session: its id, which is in the cookie, and the admin token that it was opened with."""

    id: str
    token: str


class _Sessions:
    """The open sessions of one org, by id, each with its token and the moment of its last request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, tuple[str, float]] = {}

    def add(self, token: str) -> ConsoleSession:
        """Open a session; above ``MOST`` the one that was unused longest ends."""
        session = ConsoleSession(secrets.token_urlsafe(32), token)
        with self._lock:
            while len(self._open) >= MOST:
                del self._open[next(iter(self._open))]
            self._open[session.id] = (token, time.monotonic())
        return session

    def find(self, session_id: str) -> ConsoleSession | None:
        """Return an open session and note that it is used; None if it is unknown or was unused for too long."""
        with self._lock:
            token, last = self._open.pop(session_id, ("", 0.0))
            if not token or time.monotonic() - last > IDLE_SECONDS:
                return None
            self._open[session_id] = (token, time.monotonic())
        return ConsoleSession(session_id, token)

    def remove(self, session_id: str) -> None:
        with self._lock:
            self._open.pop(session_id, None)


_ORGS: weakref.WeakKeyDictionary[Database, _Sessions] = weakref.WeakKeyDictionary()


def open_session(db: Database, token: str) -> ConsoleSession:
    """Open a session for a valid admin token."""
    return _ORGS.setdefault(db, _Sessions()).add(token)


def session_of(request: Request, db: Database) -> ConsoleSession | None:
    """Return the open session of a browser, or None."""
    sessions = _ORGS.get(db)
    return None if sessions is None else sessions.find(_cookie(request, COOKIE))


def close_session(db: Database, session: ConsoleSession) -> None:
    """End a session: its id is no longer valid."""
    if (sessions := _ORGS.get(db)) is not None:
        sessions.remove(session.id)


def new_secret() -> str:
    """Return a random text for the sign-in page's cookie."""
    return secrets.token_urlsafe(32)


def sign_in_secret(request: Request) -> str:
    """Return the secret that the sign-in page gave this browser; empty if there is none."""
    return _cookie(request, SIGN_IN_COOKIE)


def signing_in(secret: str, *, secure: bool) -> tuple[str, str]:
    """Return the header that keeps the sign-in page's secret."""
    return "Set-Cookie", f"{SIGN_IN_COOKIE}={secret}; {_FLAGS}{'; Secure' if secure else ''}"


def signed_in(session: ConsoleSession, *, secure: bool) -> tuple[str, str]:
    """Return the header that keeps a session until the browser closes."""
    return "Set-Cookie", f"{COOKIE}={session.id}; {_FLAGS}{'; Secure' if secure else ''}"


def signed_out() -> tuple[str, str]:
    """Return the header that forgets it."""
    return "Set-Cookie", f"{COOKIE}=; Max-Age=0; {_FLAGS}"


def proof(secret: str) -> str:
    """Return the proof in a form that only a page of the same session, or of the same sign-in, can know."""
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), b"rolecall console form", "sha256").hex()


def proven(secret: str, sent: str) -> bool:
    """Return whether a form came from such a page."""
    return bool(secret) and hmac.compare_digest(proof(secret).encode(), sent.encode("utf-8", "surrogateescape"))


def _cookie(request: Request, name: str) -> str:
    try:
        cookie = SimpleCookie(request.headers.get("cookie", "")).get(name)
    except CookieError:
        return ""
    return "" if cookie is None else cookie.value
