"""The door of the SCIM service: who may come in, which transaction, and the answer as bytes."""

from __future__ import annotations

import json
import secrets
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from scim2_models import ForbiddenException, InvalidValueException, SCIMException, UnauthorizedException
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.routing import Operation
from sqlalchemy import Connection, select

from rolecall.localorg.scim.handler import OrgHandler
from rolecall.localorg.scim.models import provider
from rolecall.localorg.scim.service import OrgService
from rolecall.localorg.scim.session import Session
from rolecall.localorg.scim.storage import SqlStorage
from rolecall.localorg.store import Busy, Database
from rolecall.localorg.store.audit import Actor
from rolecall.localorg.store.clock import now
from rolecall.localorg.store.tables import SETTINGS
from rolecall.localorg.tokens import TokenRefused, check
from rolecall.localorg.web import Request, Response

PREFIX: Final = "/api/scim/v2"
CURSORS: Final = "cursors"
"""The row of ``settings`` that holds the secret of the cursors, which every process of the org shares."""

_READS: Final = frozenset({"GET", "HEAD"})


class Unavailable(SCIMException):
    """The org cannot write just now."""

    status = 503
    _default_detail = "The org is busy; try again in a moment"


def handle_scim(request: Request, db: Database) -> Response:
    """Serve one request below ``/api/scim/v2``. Every error is a SCIM error; nothing of a body or a token is logged."""
    try:
        asked = _scim_request(request)
    except SCIMException as error:
        return _response(_failed(error))
    try:
        return _response(_serve(request, asked, db))
    except Busy:
        answer = _failed(Unavailable())
        answer.headers["Retry-After"] = "1"
        return _response(answer)


def _serve(request: Request, asked: ScimRequest, db: Database) -> ScimResponse:
    settings = _settings(db)
    service = OrgService(provider(_attribute(settings["scim"])), _attribute(settings["scim"]), settings[CURSORS])
    writes = request.method not in _READS and not asked.path.endswith("/.search")
    try:
        _admit(request, asked, db, service, settings["scim"], writes=writes)
        with db.write() if writes else db.read() as tx:
            return _operate(asked, service, tx, Actor("scim", "scim", request.client))
    except SCIMException as error:
        return service.error_response(error)


def _operate(asked: ScimRequest, service: OrgService, tx: Connection, actor: Actor) -> ScimResponse:
    # The endpoint is read here again: an upgrade may have started since.
    endpoint = str(_read(tx)["scim"]["endpoint"])
    storage = SqlStorage(Session(tx, actor, endpoint), service.provider)
    return OrgHandler(service, storage).handle(asked)


def _admit(
    request: Request, asked: ScimRequest, db: Database, service: OrgService, scim: dict[str, Any], *, writes: bool
) -> None:
    """Raises what refuses a caller: 401 without a good SCIM token, 403 for the wrong kind or while SCIM is off."""
    if service.match(asked).operation is Operation.service_provider_config:
        return
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme or not request.embedded:
        scope = _scope(db, scheme, secret.strip())
        if writes and scope != "write":
            raise ForbiddenException(detail="This token may only read")
    if not scim["enabled"]:
        raise ForbiddenException(detail="SCIM is switched off in this org: switch it on under Access & provisioning")


def _scope(db: Database, scheme: str, secret: str) -> str:
    if scheme.lower() != "bearer" or not secret:
        raise UnauthorizedException(detail="Send the org's SCIM token as `Authorization: Bearer …`")
    try:
        with db.read() as tx:
            return check(tx, secret, "scim").scope
    except TokenRefused as refused:
        if refused.key == "wrong_token":
            raise ForbiddenException(detail=str(refused)) from refused
        raise UnauthorizedException(detail=str(refused)) from refused


def _settings(db: Database) -> dict[str, Any]:
    with db.read() as tx:
        found = _read(tx)
    if CURSORS not in found:
        with db.write() as tx:
            found = _read(tx)
            if CURSORS not in found:
                found[CURSORS] = secrets.token_urlsafe(32)
                value = json.dumps(found[CURSORS])
                tx.execute(SETTINGS.insert().values(section=CURSORS, value=value, version=0, modified=now()))
    return found


def _read(tx: Connection) -> dict[str, Any]:
    query = select(SETTINGS.c.section, SETTINGS.c.value).where(SETTINGS.c.section.in_(("scim", CURSORS)))
    return {section: json.loads(value) for section, value in tx.execute(query)}


def _attribute(scim: dict[str, Any]) -> str:
    return str(scim.get("role_attribute") or "role")


def _scim_request(request: Request) -> ScimRequest:
    """The request as the library wants it. Raises InvalidValueException for text that no one can mean."""
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


def _failed(error: SCIMException) -> ScimResponse:
    body = error.to_error()
    return ScimResponse(HTTPStatus(body.status or 500), body.model_dump())


def _response(answer: ScimResponse) -> Response:
    body = b"" if answer.body is None else json.dumps(answer.body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {**answer.headers, "Cache-Control": "no-store"}
    if not body:
        headers.pop("Content-Type", None)
    if int(answer.status) not in (204, 304):
        headers["Content-Length"] = str(len(body))
    return Response(int(answer.status), tuple(headers.items()), body)
