"""Signing in: the admin token travels in a cookie that scripts and other sites never see, and forms carry a proof.

The database is the only state: a revoked or expired token ends every session it opened, in every process.
"""

from __future__ import annotations

import hmac
from http.cookies import CookieError, SimpleCookie
from typing import Final

from rolecall.localorg.web import Request

COOKIE: Final = "rolecall_console"
FIELD: Final = "csrf"
_FLAGS = "Path=/; HttpOnly; SameSite=Strict"


def token_of(request: Request) -> str | None:
    """The admin token that the browser is signed in with."""
    try:
        found = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


def signed_in(token: str, *, secure: bool) -> tuple[str, str]:
    """The header that keeps a token until the browser closes."""
    return "Set-Cookie", f"{COOKIE}={token}; {_FLAGS}{'; Secure' if secure else ''}"


def signed_out() -> tuple[str, str]:
    """The header that forgets it."""
    return "Set-Cookie", f"{COOKIE}=; Max-Age=0; {_FLAGS}"


def proof(token: str) -> str:
    """What a form of this session carries, and a form of another site cannot know."""
    return hmac.digest(token.encode("utf-8", "surrogateescape"), b"rolecall console form", "sha256").hex()


def proven(token: str, said: str) -> bool:
    """Whether a form came from a page of this session."""
    return hmac.compare_digest(proof(token).encode(), said.encode("utf-8", "surrogateescape"))
