"""Handles one SCIM request: checks the caller, opens the transaction, and returns the answer as bytes."""

from __future__ import annotations

import json
import logging
import secrets
from contextlib import suppress
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from scim2_models import ForbiddenException, InvalidValueException, SCIMException, UnauthorizedException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from rolecall.localorg.scim.documents import dump
from rolecall.localorg.scim.groups import add_teams, lacks_teams
from rolecall.localorg.scim.models import provider
from rolecall.localorg.scim.operations import OrgHandler
from rolecall.localorg.scim.service import OrgService
from rolecall.localorg.scim.shapes import ScimSession
from rolecall.localorg.scim.storage import SqlStorage
from rolecall.localorg.store import Busy, Database
from rolecall.localorg.store.audit import Actor
from rolecall.localorg.store.keys import now
from rolecall.localorg.store.tables import SETTINGS
from rolecall.localorg.store.tokens import Token, TokenRefused, check_token, is_noted, note_use
from rolecall.localorg.web import Refusal, Request, Response

log = logging.getLogger("rolecall.localorg")

PREFIX: Final = "/api/scim/v2"
CURSORS: Final = "cursors"
"""The row of ``settings`` that holds the secret of the cursors, which every process of the org shares."""

_WRITES: Final = frozenset({Operation.create, Operation.replace, Operation.patch, Operation.delete, Operation.bulk})


class Unavailable(SCIMException):
    """The org cannot write at the moment."""

    status = 503
    _default_detail = "The org is busy; try again in a moment"


class DatabaseFailed(SCIMException):
    """The org's database failed."""

    status = 500
    _default_detail = "The org's database failed; the server's log has the error"


class EarlyRefusal(SCIMException):
    """A refusal before SCIM could parse the request."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(detail=str(refusal))
        self.status = refusal.status


def handle_scim(request: Request, db: Database) -> Response:
    """Serve one request below ``/api/scim/v2``. Every error is a SCIM error; nothing of a body or a token is logged."""
    try:
        return _response(_serve(request, _scim_request(request), db))
    except SCIMException as error:
        return failure(error)
    except Busy:
        return failure(Unavailable(), ("Retry-After", "1"))
    except SQLAlchemyError as error:
        log.error("%s %s: %s", request.method, request.path[:200], type(error).__name__, exc_info=error)
        return failure(DatabaseFailed())


def failure(error: SCIMException, *headers: tuple[str, str]) -> Response:
    """Return a SCIM error as an answer."""
    body = error.to_error()
    return _response(ScimResponse(HTTPStatus(body.status or 500), body.model_dump(), dict(headers)))


def refused(refusal: Refusal) -> Response:
    """Return a refusal as a SCIM error."""
    return failure(EarlyRefusal(refusal))


def _serve(request: Request, scim_request: ScimRequest, db: Database) -> ScimResponse:
    with db.glance() as tx:
        settings = _read(tx)
        refusal = _refusal(request, tx)
    if CURSORS not in settings:
        settings = _with_secret(db)
    service = _service(_attribute(settings["scim"]), settings[CURSORS])
    try:
        writes = _admit(scim_request, service, settings["scim"], refusal)
        if settings["scim"]["endpoint"] == "legacy":
            _list_teams(db)
        with db.write() if writes else db.read() as tx:
            response = _operate(scim_request, service, tx, Actor("scim", "scim", request.client))
        if isinstance(refusal, Token) and response.status < HTTPStatus.BAD_REQUEST:
            _note_use(db, refusal, writes=writes)
        return response
    except SCIMException as error:
        return service.error_response(error)


@lru_cache(maxsize=16)
def _service(role_attribute: str, secret: str) -> OrgService:
    return OrgService(provider(role_attribute), role_attribute, secret)


def _operate(scim_request: ScimRequest, service: OrgService, tx: Connection, actor: Actor) -> ScimResponse:
    storage = SqlStorage(ScimSession(tx, actor), service.provider)
    return OrgHandler(service, storage).handle(scim_request)


def _note_use(db: Database, token: Token, *, writes: bool) -> None:
    """Record that a token was used. A response does not depend on that."""
    if is_noted(token, writes=writes):
        return
    with suppress(Busy, SQLAlchemyError), db.write() as tx:
        note_use(tx, token.id, writes=writes)


def _admit(
    scim_request: ScimRequest, service: OrgService, scim: dict[str, Any], refusal: SCIMException | Token | None
) -> bool:
    """Return whether the request writes. Raises the refusal of the caller: 401 for the token, 403 for SCIM switched
    off.

    ``refusal`` is the error of the token, or the token; None without one, in this process.
    """
    operation = service.match(scim_request).operation
    if operation is Operation.service_provider_config:
        return False
    if isinstance(refusal, SCIMException):
        raise refusal
    if not scim["enabled"]:
        raise ForbiddenException(detail="SCIM is off in this org: set it up under Access & provisioning > SCIM")
    writes = operation in _WRITES
    if writes and refusal is not None and refusal.scope != "write":
        raise ForbiddenException(detail="This token may only read")
    return writes


def _refusal(request: Request, tx: Connection) -> SCIMException | Token | None:
    header = request.headers.get("authorization", "")
    if not header and request.embedded:
        return None
    scheme, _, secret = header.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        return UnauthorizedException(detail="Send the org's SCIM token as `Authorization: Bearer …`")
    try:
        return check_token(tx, secret.strip(), "scim")
    except TokenRefused as refused:
        return UnauthorizedException(detail=str(refused))


def _with_secret(db: Database) -> dict[str, Any]:
    """Return the settings after the cursors got their secret."""
    with db.write() as tx:
        settings = _read(tx)
        if CURSORS not in settings:
            settings[CURSORS] = secrets.token_urlsafe(32)
            value = json.dumps(settings[CURSORS])
            tx.execute(SETTINGS.insert().values(section=CURSORS, value=value, version=0, modified=now()))
    return settings


def _list_teams(db: Database) -> None:
    """Give each team its group: the legacy endpoint lists teams (R18)."""
    with db.glance() as tx:
        if not lacks_teams(tx):
            return
    with db.write() as tx:
        add_teams(tx)


def _read(tx: Connection) -> dict[str, Any]:
    return {section: json.loads(value) for section, value in tx.execute(_SETTINGS)}


_SETTINGS = select(SETTINGS.c.section, SETTINGS.c.value).where(SETTINGS.c.section.in_(("scim", CURSORS)))


def _attribute(scim: dict[str, Any]) -> str:
    return str(scim.get("role_attribute") or "role")


def _scim_request(request: Request) -> ScimRequest:
    """Return the request in the form of the library. Raises InvalidValueException for an address that is not text."""
    try:
        path = unquote(request.path, errors="strict").removeprefix(PREFIX)
        pairs = parse_qsl(request.query, keep_blank_values=True, errors="strict", max_num_fields=50)
    except (UnicodeDecodeError, ValueError) as error:
        raise InvalidValueException(detail="The address is not percent-encoded UTF-8") from error
    if any("\x00" in text for text in (path, *(text for pair in pairs for text in pair))):
        raise InvalidValueException(detail="The address holds a NUL character")
    return ScimRequest(request.method, _base_url(request), path or "/", dict(pairs), request.headers, request.body)


def _base_url(request: Request) -> str:
    host = request.headers.get("host", "")
    usable = host.isascii() and all(letter.isalnum() or letter in ".-:[]" for letter in host) and 0 < len(host) < 256
    scheme = "https" if request.headers.get("x-forwarded-proto", "").lower() == "https" else "http"
    return f"{scheme}://{host if usable else 'localhost'}{PREFIX}"


def _response(answer: ScimResponse) -> Response:
    body = b"" if answer.body is None else dump(answer.body).encode()
    headers = {**answer.headers, "Cache-Control": "no-store"}
    if not body:
        headers.pop("Content-Type", None)
    if int(answer.status) not in (204, 304):
        headers["Content-Length"] = str(len(body))
    return Response(int(answer.status), tuple(headers.items()), body)
