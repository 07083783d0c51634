"""Sends SCIM requests to an org, as the provisioning of an IdP does, and keeps a log of them."""

from __future__ import annotations

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

Json = Any
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Sent(NamedTuple):
    """A request, and the response: status 0 if there was none."""

    method: str
    path: str
    body: Json
    status: int
    response: Json


class ScimError(Exception):
    """The org refused a request, or did not respond."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"{status or 'no response'}: {reason}")
        self.status = status


class ScimTarget:
    """The SCIM endpoint of an org: ``url`` ends in `/api/scim/v2`. ``sent`` are all requests, in order."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url.rstrip("/"), token
        self.sent: list[Sent] = []

    def call(self, method: str, path: str, body: Json = None, **query: str) -> Json:
        """Return the JSON of a response. Raises ScimError."""
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/scim+json"}
        if body is not None:
            headers["content-type"] = "application/scim+json"
        target = f"{self.url}{path}{'?' if query else ''}{urlencode(query)}"
        try:
            status, data = _exchange(method, target, headers, None if body is None else json.dumps(body))
        except (OSError, HTTPException, ValueError) as error:
            status, data = 0, {"detail": str(error)}
        self.sent.append(Sent(method, path, body, status, data))
        if not 200 <= status < 300:
            raise ScimError(status, str((data or {}).get("detail", "")))
        return data

    def find(self, path: str, attribute: str, value: str, **query: str) -> Json:
        """Return the only resource with this value, or None. Raises ScimError, also for several."""
        quoted = json.dumps(value, ensure_ascii=False)
        resources = self.call("GET", path, filter=f"{attribute} eq {quoted}", **query)["Resources"]
        if len(resources) > 1:
            raise ScimError(409, f"{len(resources)} resources have the {attribute} {value}")
        return resources[0] if resources else None

    def patch(self, path: str, *operations: Json) -> Json:
        """Send a PATCH and return the resource. Raises ScimError."""
        return self.call("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)})

    @property
    def writes(self) -> list[Sent]:
        """The requests that are no reads."""
        return [request for request in self.sent if request.method != "GET"]


def _exchange(method: str, url: str, headers: dict[str, str], content: str | None) -> tuple[int, Json]:
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=20)) as connection:
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, target, None if content is None else content.encode(), headers)
        reply = connection.getresponse()
        data = reply.read()
        return reply.status, json.loads(data) if data else None
