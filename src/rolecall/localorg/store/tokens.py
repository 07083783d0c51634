"""Bearer tokens: created once, shown once, stored as a hash. Admin and SCIM tokens are valid for different APIs."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple

from sqlalchemy import Connection, Row, bindparam, select

from rolecall.localorg.store import counters, keys
from rolecall.localorg.store.keys import address, bucket, new_id
from rolecall.localorg.store.singletons import read_value
from rolecall.localorg.store.tables import TOKENS, USERS
from rolecall.model.roles import ORG_ADMIN

Kind = Literal["admin", "scim"]
Scope = Literal["read", "write"]


class Token(NamedTuple):
    """A token without its secret. ``email`` None is a service; times are RFC 3339 text.

    ``used`` is when a SCIM token was last used with success, ``wrote`` when it last wrote, to a quarter of a second.
    """

    id: str
    kind: str
    scope: str
    email: str | None
    created: str
    expires: str | None
    revoked: str | None
    used: str | None = None
    wrote: str | None = None


class Issued(NamedTuple):
    """A new token with its secret, which is stored nowhere."""

    secret: str
    token: Token


class TokenRefused(Exception):
    """A bearer token is not valid for this API; ``key`` is a code for the reason."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def issue_token(
    tx: Connection, kind: Kind, *, scope: Scope = "write", email: str | None = None, expires: datetime | None = None
) -> Issued:
    """Create a token. An admin token for an email in an org without users makes that user the first org admin."""
    secret = f"rolecall_{kind}_{secrets.token_urlsafe(32)}"
    token = Token(new_id(), kind, scope, email, keys.now(), keys.stamp(expires) if expires else None, None)
    tx.execute(TOKENS.insert().values(hash=_hash(secret), **token._asdict()))
    if email is not None and tx.execute(select(USERS.c.id).limit(1)).first() is None:
        _first_admin(tx, email)
    return Issued(secret, token)


def check_token(tx: Connection, secret: str, kind: Kind) -> Token:
    """Return the token of a secret. Raises TokenRefused when it is unknown, of the other kind, revoked or expired."""
    row = tx.execute(_BY_HASH, {"secret_hash": _hash(secret)}).first()
    if row is None:
        raise TokenRefused("unknown_token", "This org has no such token")
    token = _token(row)
    if token.kind != kind:
        raise TokenRefused("wrong_token", f"This is a token for {token.kind}; this API needs one for {kind}")
    if token.revoked is not None:
        raise TokenRefused("revoked_token", "This token was revoked")
    if token.expires is not None and token.expires <= keys.stamp(datetime.now(UTC)):
        raise TokenRefused("expired_token", f"This token expired at {token.expires}")
    return token


def valid_tokens(tx: Connection, kind: Kind) -> list[Token]:
    """Return the tokens of a kind that are neither revoked nor expired, oldest first."""
    rows = tx.execute(_ROWS.where(TOKENS.c.kind == kind, TOKENS.c.revoked.is_(None)).order_by(TOKENS.c.created))
    now = keys.now()
    return [token for token in map(_token, rows) if token.expires is None or token.expires > now]


def note_use(tx: Connection, token_id: str, *, writes: bool) -> None:
    """Record that a request with a token had success."""
    at = keys.now()
    changed = {"used": at, "wrote": at} if writes else {"used": at}
    tx.execute(TOKENS.update().where(TOKENS.c.id == token_id).values(**changed))


def is_noted(token: Token, *, writes: bool) -> bool:
    """Return whether the last recorded use of a token is recent enough."""
    last = token.wrote if writes else token.used
    return last is not None and last > keys.stamp(datetime.now(UTC) - OFTEN)


OFTEN = timedelta(seconds=0.25)
"""The shortest time between two recorded uses of a token."""


def revoke_token(tx: Connection, token_id: str, kind: Kind) -> bool:
    """Revoke a token at once; false when there is no valid token of that kind with the id."""
    due = (TOKENS.c.id == token_id, TOKENS.c.kind == kind, TOKENS.c.revoked.is_(None))
    return tx.execute(TOKENS.update().where(*due).values(revoked=keys.now())).rowcount > 0


_ROWS = select(*(TOKENS.c[name] for name in Token._fields))
_BY_HASH = _ROWS.where(TOKENS.c.hash == bindparam("secret_hash"))


def _token(row: Row[tuple[object, ...]]) -> Token:
    return Token(**row._asdict())


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _first_admin(tx: Connection, email: str) -> None:
    import json

    at, person = keys.now(), new_id()
    team = read_value(tx, "defaults")["teams"][0]
    tx.execute(
        USERS.insert().values(
            id=person,
            email=email,
            email_key=address(email),
            active=True,
            origin="invite",
            pending=False,
            manual=json.dumps([{"team": team, "role": ORG_ADMIN}]),
            version=1,
            bucket=bucket(person),
            created=at,
            modified=at,
        )
    )
    counters.bump(tx, "people")
