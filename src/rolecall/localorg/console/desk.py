"""What a page works with: the user who is signed in, the store, and the admin API in the same process."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from rolecall.localorg.api.call import OrgRow, Who
from rolecall.localorg.api.handle import handle
from rolecall.localorg.console.session import ConsoleSession
from rolecall.localorg.store import Database
from rolecall.localorg.web import Request, refuse


class Answered(NamedTuple):
    """The admin API's answer to a form."""

    status: int
    body: Any

    @property
    def problems(self) -> list[str]:
        """Return what the org says is wrong, in words; empty after a success."""
        return [] if self.status < 400 else [str(error["description"]) for error in self.body["errors"]]


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
        headers = {"authorization": f"Bearer {self.session.token}", "content-type": "application/json"}
        headers |= {"if-match": etag} if etag else {}
        headers |= {"host": self.request.headers.get("host", "localhost")}
        where, _, query = path.partition("?")
        raw = b"" if body is None else json.dumps(body).encode()
        request = replace(
            self.request, method=method, path=where, query=query, headers=headers, body=raw, channel="console"
        )
        answer = handle(request, self.db)
        return Answered(answer.status, json.loads(answer.read()))

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the fields of the form that was sent."""
        return form_of(self.request)

    def field(self, name: str) -> str:
        """Return one field of the form; empty when it is missing."""
        return self.form.get(name, [""])[0]

    def parameter(self, name: str) -> str:
        """Return one parameter of the address; empty when it is missing."""
        return _fields(self.request.query).get(name, [""])[0]


def form_of(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form. Raises Refusal 400 or 415."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise refuse(415, "content_type", "This is no form of the console")
    return _fields(request.body.decode("latin-1"))


def segment(text: str) -> str:
    """Return text as one segment of a path."""
    return quote(text, safe="")


def _fields(text: str) -> dict[str, list[str]]:
    try:
        fields = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=2000)
    except (UnicodeDecodeError, ValueError) as error:
        raise refuse(400, "bad_form", "The form is not percent-encoded UTF-8") from error
    if any("\0" in value for values in fields.values() for value in values):
        raise refuse(400, "bad_form", "The form holds a NUL character")
    return fields
