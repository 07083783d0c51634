"""The input of every endpoint: the parsed request, the caller, and the org's limits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from sqlalchemy import Connection

from rolecall.localorg.store.audit import Actor
from rolecall.localorg.web import JSON_TYPE, Refusal, Request, Response, refuse
from rolecall.model.roles import ORG_ADMIN

BODY_LIMIT = 1 << 20
"""The largest body that the admin API takes, in bytes."""

MAX_DEPTH = 32


class OrgRow(NamedTuple):
    """The org itself and its limits: items per page, requests per minute (0: no limit), delay of each answer."""

    id: str
    name: str
    plan: str
    scim_in_plan: bool
    page_limit: int
    per_minute: int
    latency_ms: int


class Who(NamedTuple):
    """The caller: an email or None for a service, its token's scope, and its role at org level (R34), empty for one
    without rights. A service is org admin."""

    email: str | None
    scope: str
    role: str
    token_id: str

    @property
    def org_admin(self) -> bool:
        return self.role == ORG_ADMIN

    @property
    def name(self) -> str:
        return self.email or "service"


@dataclass(frozen=True, slots=True)
class Call:
    """One admitted request. ``params`` are the decoded parameters of the path, ``query`` the decoded query."""

    request: Request
    who: Who
    org: OrgRow
    params: Mapping[str, str]
    query: Mapping[str, str]

    @property
    def actor(self) -> Actor:
        return Actor(self.who.name, self.request.channel, self.request.client)


class Written(NamedTuple):
    """The result of a write: the answer, and the row for the audit log.

    ``replayed`` is the body of a replay under the same Idempotency-Key, where it must differ from the first answer.
    """

    address: str
    action: str
    before: Any
    after: Any
    body: dict[str, Any]
    etag: str | None = None
    status: int = 200
    location: str | None = None
    replayed: dict[str, Any] | None = None


Read = Callable[[Call, Connection], Response]
Write = Callable[[Call, Connection], Written]


def decode_path(path: str) -> list[str]:
    """Return the segments of a path, decoded. Raises Refusal 400 for a path that is not text."""
    return [_text(segment, unquote) for segment in path.split("/")[1:]]


def decode_query(query: str) -> dict[str, str]:
    """Return the parameters of a query, each once. Raises Refusal 400."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except (UnicodeDecodeError, ValueError) as error:
        raise refuse(400, "bad_query", "The query is not percent-encoded UTF-8") from error
    decoded: dict[str, str] = {}
    for name, value in pairs:
        if name in decoded:
            raise refuse(400, "repeated_parameter", f"The parameter `{name[:50]}` is given twice", field=name[:50])
        if "\0" in value or "\0" in name:
            raise refuse(400, "bad_text", "A parameter holds a NUL character")
        decoded[name] = value
    return decoded


def check_parameters(call: Call, *known: str) -> None:
    """Refuse a query parameter that the endpoint does not know."""
    for name in call.query:
        if name not in known:
            raise refuse(
                400, "unknown_parameter", f"`{name[:50]}` is not a parameter of this address", known=list(known)
            )


def json_body(request: Request) -> Any:
    """Return the body as JSON. Raises Refusal 400, 413 or 415; NUL and lone surrogates are refused in any text."""
    if len(request.body) > BODY_LIMIT:
        raise too_large()
    if request.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        raise refuse(415, "content_encoding", "Compressed bodies are not supported; send the body uncompressed")
    _check_type(request.headers.get("content-type", ""))
    try:
        value = json.loads(request.body.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_once)
    except UnicodeDecodeError as error:
        raise refuse(400, "bad_text", "The body is not UTF-8") from error
    except RecursionError as error:
        raise refuse(400, "too_deep", "The body is nested too deeply") from error
    except ValueError as error:
        raise refuse(400, "bad_json", f"The body is not JSON: {str(error)[:200]}") from error
    for text in _strings(value, 0):
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise refuse(400, "bad_text", "The body holds a NUL character or half of a surrogate pair")
    return value


def too_large(limit: int = BODY_LIMIT) -> Refusal:
    """Return the refusal of a body over the limit."""
    return refuse(413, "too_large", f"The body is larger than {limit} bytes", limit=limit)


_TYPE = re.compile(r'application/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?', re.IGNORECASE)


def _check_type(content_type: str) -> None:
    if not _TYPE.fullmatch(content_type.strip()):
        raise refuse(415, "content_type", f"Send the body as {JSON_TYPE}")


def _text(segment: str, decode: Callable[..., str]) -> str:
    try:
        text = decode(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise refuse(400, "bad_path", "The path is not percent-encoded UTF-8") from error
    if "\0" in text:
        raise refuse(400, "bad_path", "The path holds a NUL character")
    return text


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key is given twice")
    return members


def _strings(value: Any, depth: int) -> Iterator[str]:
    if depth > MAX_DEPTH:
        raise refuse(400, "too_deep", "The body is nested too deeply")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _strings(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, depth + 1)
