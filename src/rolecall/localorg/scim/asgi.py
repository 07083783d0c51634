"""SCIM over a socket: reads a request, lets ``handle_scim`` answer it in a thread, sends the answer."""

from __future__ import annotations

from scim2_models import SCIMException
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from rolecall.localorg.scim.handle import failure, handle_scim
from rolecall.localorg.scim.models import MAX_BODY
from rolecall.localorg.store import Database
from rolecall.localorg.web import Refusal
from rolecall.localorg.wire import read_body, request_of, send_response


class ScimApp:
    """The ASGI application that is mounted at ``/api/scim/v2``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = request_of(scope, await read_body(receive, MAX_BODY))
            response = await run_in_threadpool(handle_scim, request, self._db)
        except Refusal as refusal:
            response = failure(Refused(refusal))
        await send_response(response, send)


class Refused(SCIMException):
    """A refusal that came before SCIM could look at the request, in SCIM's words."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(detail=str(refusal))
        self.status = refusal.status


def scim_app(db: Database) -> ScimApp:
    """The SCIM service of an org as an ASGI application."""
    return ScimApp(db)
