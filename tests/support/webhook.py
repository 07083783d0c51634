"""A webhook on 127.0.0.1 that keeps what is posted to it, and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Webhook:
    """``answers`` are the next status codes, with headers; when there are none left it says 200."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/services/T0/B0/s3cret-path"
        self.posts: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []

    @property
    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """The webhook, as long as the ``with`` lasts."""
    made: list[Webhook] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, headers = made[0].answers.pop(0) if made[0].answers else (200, {})
            if status < 300:
                made[0].posts.append(body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.append(Webhook(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield made[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
