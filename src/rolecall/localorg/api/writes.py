"""Performs writes: If-Match, Idempotency-Key, the audit log, and the answer."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from rolecall.localorg.api.call import Call, Write, Written
from rolecall.localorg.store import audit
from rolecall.localorg.store.tables import AUDIT
from rolecall.localorg.web import Refusal, Response, dump, json_response, refuse

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_ETAG = re.compile(r'(W/)?("[\x21\x23-\x7e]*")')
_ETAGS = re.compile(rf"{_ETAG.pattern}(\s*,\s*{_ETAG.pattern})*")


def etag(version: int) -> str:
    """Return the ETag of a version, as header and item have it."""
    return f'"{version}"'


def perform(call: Call, tx: Connection, write: Write) -> Response:
    """Perform a write once: replay its answer if its key is known, otherwise write, record and answer."""
    key = _key(call)
    digest = _digest(call)
    if key is not None and (replay := _replay(tx, key, digest)) is not None:
        return replay
    done = write(call, tx)
    answer = _answer(done)
    stored_answer = answer if done.replayed is None else answer._replace(body=done.replayed)
    keyed = audit.Keyed(key, digest, dump(stored_answer._asdict())) if key else None
    audit.record(tx, call.actor, done.action, done.address, done.before, done.after, keyed)
    return answer.response()


def check_match(call: Call, standing: str) -> None:
    """Check the request's If-Match against the current ETag. Raises Refusal 428, 400 or 412."""
    header = call.request.headers.get("if-match")
    if header is None:
        raise refuse(
            428,
            "if_match_required",
            "Send If-Match with the ETag that you read, or `*` to overwrite any version",
        )
    if header.strip() == "*":
        return
    if not _ETAGS.fullmatch(header.strip()):
        raise refuse(400, "bad_if_match", 'If-Match must be `*` or quoted ETags such as `"12"`')
    strong = {tag for weak, tag in _ETAG.findall(header) if not weak}
    if standing not in strong:
        raise Refusal(
            412,
            *refuse(412, "stale", "It has changed since you read it; read it again", etag=standing).faults,
            headers=(("ETag", standing),),
        )


def _key(call: Call) -> str | None:
    key = call.request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise refuse(400, "bad_idempotency_key", "Idempotency-Key must be 1 to 255 visible ASCII characters")
    return key


def _digest(call: Call) -> str:
    request = call.request
    parts = (call.who.name.encode(), request.method.encode(), request.path.encode(), request.body)
    return sha256(b"\0".join(parts)).hexdigest()


def _replay(tx: Connection, key: str, digest: str) -> Response | None:
    row = tx.execute(select(AUDIT.c.request_digest, AUDIT.c.answer).where(AUDIT.c.key == key)).first()
    if row is None:
        return None
    if row.request_digest != digest:
        raise refuse(422, "idempotency_key_reused", "This Idempotency-Key was used for another request; use a new one")
    answer = _Answer(**json.loads(row.answer))
    return answer._replace(headers={**answer.headers, "Idempotency-Replayed": "true"}).response()


class _Answer(NamedTuple):
    """An answer as it is stored for a replay."""

    status: int
    headers: dict[str, str]
    body: Any

    def response(self) -> Response:
        return json_response(self.status, self.body, tuple(self.headers.items()))


def _answer(done: Written) -> _Answer:
    headers = {"ETag": done.etag, "Location": done.location}
    return _Answer(done.status, {name: value for name, value in headers.items() if value}, done.body)
