"""An org of answers made beforehand: it says after a delay what another org said to the very same request.

python bench/replay.py ANSWERS DELAY_MS        prints its URL; ANSWERS is JSON, {request line: body}

Mappings can be written, in memory. It costs next to nothing, so what is measured is the client.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

GROUPS = b"/v1/idp-groups"


class Asked(NamedTuple):
    """``line`` is ``GET /v1/people?…``, unquoted."""

    line: bytes
    body: bytes


class Replay:
    """Answers by request line; rows of groups are shared between the pages, so that a write shows in the lists."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._said = {line.encode(): body.encode() for line, body in answers.items()}
        self._pages: dict[bytes, Any] = {}
        self._rows: dict[str, dict[str, Any]] = {}
        for line, body in self._said.items():
            if line.startswith(b"GET " + GROUPS):
                page = self._pages[line] = json.loads(body)
                self._rows.update((row["id"], row) for row in page["data"])

    def answer(self, asked: Asked) -> bytes | None:
        if asked.line.startswith((b"PUT ", b"DELETE ")):
            return self._write(asked)
        if asked.line in self._pages:
            return json.dumps(self._pages[asked.line]).encode()
        return self._said.get(asked.line)

    def _write(self, asked: Asked) -> bytes | None:
        method, _, path = asked.line.partition(b" ")
        row = self._rows.get(path.removeprefix(GROUPS + b"/").removesuffix(b"/mapping").decode())
        if row is None:
            return None
        row["mapping"] = json.loads(asked.body) if method == b"PUT" else None
        row["etag"] = f'"{int(row["etag"].strip(chr(34))) + 1}"'
        return json.dumps(row if method == b"PUT" else {"id": row["id"], "deleted": True, "etag": row["etag"]}).encode()


async def serve(replay: Replay, delay: float) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    server = await asyncio.start_server(lambda reader, writer: _one(reader, writer, replay, delay), sock=listener)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await server.serve_forever()


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, replay: Replay, delay: float) -> None:
    """One connection."""
    while asked := await _asked(reader):
        await asyncio.sleep(delay)
        body = replay.answer(asked)
        status = b"200 OK" if body is not None else b"404 Not Found"
        size = str(len(body or b"")).encode()
        head = b"\r\ncontent-type: application/json\r\ncontent-length: " + size
        writer.write(b"HTTP/1.1 " + status + head + b"\r\n\r\n" + (body or b""))
        await writer.drain()
    writer.close()


async def _asked(reader: asyncio.StreamReader) -> Asked | None:
    """The next request of a connection, None at its end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return None
    _, found, size = head.lower().partition(b"content-length:")
    body = await reader.readexactly(int(size.split(b"\r\n", 1)[0])) if found else b""
    return Asked(unquote_to_bytes(head.split(b" HTTP/", 1)[0]), body)


if __name__ == "__main__":
    said = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    asyncio.run(serve(Replay(said), float(sys.argv[2]) / 1000))
