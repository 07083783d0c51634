"""The org over a socket: admin API under /v1, SCIM under /api/scim/v2, console at /, contract at /openapi.yaml.

/health answers without a token whether the org's database can be read.

The console is the ASGI application that ``console.app.console_app(db)`` gives.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as Asked
from starlette.responses import Response as Answer
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from rolecall.localorg.api.admit import read_org
from rolecall.localorg.api.handle import handle
from rolecall.localorg.scim.asgi import scim_app
from rolecall.localorg.store import Busy, Database
from rolecall.localorg.web import JSON_TYPE, Refusal, dump
from rolecall.localorg.wire import read_body, request_of, send_response
from rolecall.schema_files import schema_text


def create_app(db: Database) -> Starlette:
    """The whole org as one ASGI application."""
    routes: list[BaseRoute] = [
        Route("/openapi.yaml", _contract),
        Route("/health", _health(db)),
        Route("/v1/{rest:path}", AdminApi(db)),
        Mount("/api/scim/v2", scim_app(db)),
    ]
    if Path(__file__).with_name("console").joinpath("app.py").is_file():
        routes.append(Mount("/", import_module("rolecall.localorg.console.app").console_app(db)))
    app = Starlette(routes=routes)
    app.router.redirect_slashes = False
    return app


async def _contract(asked: Asked) -> Answer:
    return Answer(schema_text("org-api.openapi.yaml"), media_type="application/yaml")


def _health(db: Database) -> Callable[[Asked], Awaitable[Answer]]:
    """Return what answers 200 while the org's database can be read, 503 while it cannot, and nothing of the org."""

    def readable() -> bool:
        try:
            with db.glance() as tx:
                read_org(tx)
        except (Busy, SQLAlchemyError):
            return False
        return True

    async def answer(asked: Asked) -> Answer:
        healthy = await run_in_threadpool(readable)
        body = dump({"status": "ok" if healthy else "unavailable"})
        return Answer(body, 200 if healthy else 503, {"Cache-Control": "no-store"}, JSON_TYPE)

    return answer


class AdminApi:
    """The admin API as an ASGI application: reads a request, lets ``handle`` answer in a thread, sends the pieces."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = request_of(scope, await read_body(receive))
            response = await run_in_threadpool(handle, request, self._db)
        except Refusal as refusal:
            response = refusal.response()
        await send_response(response, send)
