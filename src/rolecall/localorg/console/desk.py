"""Everything that a page works with: the signed-in user, the store, and the admin API in the same process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from rolecall.localorg.api.call import OrgRow, Who
from rolecall.localorg.api.handle import handle, handle_together
from rolecall.localorg.console.session import ConsoleSession
from rolecall.localorg.store import Database
from rolecall.localorg.web import Request, Response, refuse


class Answered(NamedTuple):
    """The admin API's answer to a form."""

    status: int
    body: Any

    @property
    def problems(self) -> list[str]:
        """Return the org's error messages; empty after a success."""
        return [] if self.status < 400 else [str(error["description"]) for error in self.body["errors"]]


class ApiCall(NamedTuple):
    """One request of the admin API, with the ETag that it expects."""

    method: str
    path: str
    body: Any = None
    etag: str | None = None


def _answered(answer: Response) -> Answered:
    return Answered(answer.status, json.loads(answer.read()))


@dataclass(frozen=True, slots=True)
class Desk:
    """One request of a user who is signed in."""

    request: Request
    db: Database
    session: ConsoleSession
    who: Who
    org: OrgRow
    params: dict[str, str]

    def read(self, path: str) -> Any:
        """Read an address of the admin API; ``path`` is percent-encoded. Raises Refusal with its answer."""
        answer = self.send("GET", path)
        if answer.problems:
            raise refuse(answer.status, "refused", answer.problems[0])
        return answer.body

    def send(self, method: str, path: str, body: Any = None, etag: str | None = None) -> Answered:
        """Send one request of the admin API under the user's token, with the channel ``console``."""
        return _answered(handle(self._request(ApiCall(method, path, body, etag)), self.db))

    def send_together(self, calls: Sequence[ApiCall]) -> list[Answered]:
        """Send writes that take effect together or not at all; the last answer is that of the first refused one."""
        return [_answered(answer) for answer in handle_together([self._request(call) for call in calls], self.db)]

    def _request(self, call: ApiCall) -> Request:
        method, path, body, etag = call
        headers = {"authorization": f"Bearer {self.session.token}", "content-type": "application/json"}
        headers |= {"if-match": etag} if etag else {}
        headers |= {"host": self.request.headers.get("host", "localhost")}
        where, _, query = path.partition("?")
        raw = b"" if body is None else json.dumps(body).encode()
        return replace(
            self.request, method=method, path=where, query=query, headers=headers, body=raw, channel="console"
        )

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the fields of the form that was sent."""
        return form_of(self.request, files=True)

    def field(self, name: str) -> str:
        """Return one field of the form; empty when it is missing."""
        return self.form.get(name, [""])[0]

    def parameter(self, name: str) -> str:
        """Return one parameter of the address; empty when it is missing."""
        return _fields(self.request.query).get(name, [""])[0]


def form_of(request: Request, *, files: bool = False) -> dict[str, list[str]]:
    """Return the fields of a form, files as text where a form may have ``files``. Raises Refusal 400 or 415."""
    content_type = request.headers.get("content-type", "")
    match content_type.partition(";")[0].strip().lower():
        case "application/x-www-form-urlencoded":
            return _fields(request.body.decode("latin-1"))
        case "multipart/form-data" if files:
            return _parts(content_type, request.body)
        case _:
            raise refuse(415, "content_type", "This is not a form of the console")


def segment(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")


def _parts(content_type: str, body: bytes) -> dict[str, list[str]]:
    """Return the fields of a form that may hold a file (RFC 7578)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    fields: dict[str, list[str]] = {}
    for part in message.iter_parts():
        name = part.get_param("name", "", header="content-disposition")
        content = part.get_payload(decode=True)
        try:
            value = content.decode() if isinstance(content, bytes) else ""
        except UnicodeDecodeError as error:
            raise refuse(400, "bad_form", "The form holds a file that is not UTF-8 text") from error
        fields.setdefault(str(name), []).append(value)
    return _checked(fields)


MOST_FIELDS = 100_000
"""The most fields that a form may have: a page of IdP groups has several for each group and team."""


def _fields(text: str) -> dict[str, list[str]]:
    try:
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise refuse(400, "bad_form", "The form is not percent-encoded UTF-8") from error
    return _checked(fields)


def _checked(fields: dict[str, list[str]]) -> dict[str, list[str]]:
    if any("\0" in value for values in fields.values() for value in values):
        raise refuse(400, "bad_form", "The form holds a NUL character")
    return fields
