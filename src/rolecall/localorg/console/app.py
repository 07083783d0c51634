"""The console over a socket."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from rolecall.localorg.console.handle import handle_page
from rolecall.localorg.store import Database
from rolecall.localorg.web import Refusal
from rolecall.localorg.wire import read_body, request_of, send_response


class ConsoleApp:
    """Reads a request, lets ``handle_page`` answer it in a thread, sends the page."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            request = request_of(scope, await read_body(receive))
            response = await run_in_threadpool(handle_page, request, self._db)
        except Refusal as refusal:
            response = refusal.response()
        await send_response(response, send)


def console_app(db: Database) -> ConsoleApp:
    """The console of an org as an ASGI application."""
    return ConsoleApp(db)
