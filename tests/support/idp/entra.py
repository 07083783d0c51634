"""A stand-in Entra: who may call Microsoft Graph, which requests it answers, pages, throttling and errors."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from idp import entra_cycle
from idp.entra_reads import READS
from idp.entra_state import EntraState, Job
from idp.entra_writes import WRITES
from idp.ids import BadFilter
from idp.scim_out import ScimTarget
from idp.wire import Call, Refused, Reply, StandIn, find_route

Json = Any
ROUTES = (*READS, *WRITES)
CODES = {
    400: "Request_BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Authorization_RequestDenied",
    404: "Request_ResourceNotFound",
    405: "Request_BadRequest",
    409: "Request_MultipleObjectsWithSameKeyValue",
    429: "TooManyRequests",
    500: "InternalServerError",
}
"""Graph's error codes by status."""


@dataclass
class AppRegistration:
    """A client with a secret, and its application permissions."""

    secret: str
    permissions: tuple[str, ...]


@dataclass
class Entra(EntraState, StandIn):
    """A stand-in for Microsoft Graph v1.0 and the sign-in service, at one URL. See the package for how to use it.

    ``tokens`` are other tokens, with their permissions. ``clients`` are app registrations by client id.
    ``page`` is the most rows of a page. ``provision_each``: run a cycle after each write, not only when ``provision``
    is called.
    """

    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    clients: dict[str, AppRegistration] = field(default_factory=dict)
    page: int = 1000
    provision_each: bool = False
    seconds: Callable[[], float] = time.monotonic
    scim: ScimTarget | None = None
    demands: list[float] = field(default_factory=list, init=False, repr=False)

    spec_name: ClassVar[str] = "graph-subset.openapi.yaml"
    spec_base: ClassVar[str] = "/v1.0"
    undescribed: ClassVar[str] = r"/v1\.0/users(/|$)|/auditLogs/"

    def handle(self, call: Call) -> Reply:
        """Return the response to a request, and change the state. Raises Refused."""
        if call.method == "POST" and call.path.endswith("/oauth2/v2.0/token"):
            return self._sign_in(call)
        permissions = self._permissions(call)
        route, call = find_route(ROUTES, call)
        if permissions is not None and not all(_covered(needed, permissions) for needed in route.scope.split()):
            raise Refused(403, "Insufficient privileges to complete the operation.")
        try:
            reply = route.handler(self, call)
        except BadFilter as error:
            raise Refused(400, f"Invalid filter clause: {error}") from None
        if self.provision_each and call.method != "GET":
            self.provision()
        return self._paged(call, reply.body) if isinstance(reply.body, list) else reply

    def connect(self, url: str, token: str) -> Job:
        """Set up provisioning to the SCIM endpoint of an org, with a job that runs and sends what is assigned."""
        self.secrets |= {"BaseAddress": url, "SecretToken": token, "SyncAll": "false"}
        return self.add_job()

    def provision(self, *, full: bool = False) -> None:
        """Run one cycle of each job that is on: the initial one, an incremental one, or a full one."""
        with self.lock:
            for job in self.jobs.values():
                if job.state == "Active":
                    job.full = job.full or full
                    entra_cycle.run_cycle(self, job, self.target())

    def target(self) -> ScimTarget:
        """Return where the saved secrets lead, with the log of requests that were sent there."""
        url, token = self.secrets.get("BaseAddress", "http://127.0.0.1:9"), self.secrets.get("SecretToken", "")
        if self.scim is None or (self.scim.url, self.scim.token) != (url.rstrip("/"), token):
            sent = self.scim.sent if self.scim else []
            self.scim = ScimTarget(url, token)
            self.scim.sent = sent
        return self.scim

    def refusal(self, status: int, text: str, code: str = "") -> Reply:
        """Return an error in Graph's form."""
        date = "2026-11-22T10:00:00"
        inner = {"date": date, "request-id": f"request-{len(self.requests)}", "client-request-id": "client"}
        body = {"error": {"code": code or CODES.get(status, "UnknownError"), "message": text, "innerError": inner}}
        return Reply(status, body, {"retry-after": self._wait()} if status == 429 else {})

    def _wait(self) -> str:
        """Return the seconds until a further request on demand is accepted; 0 for a 429 that a fault made."""
        if len(self.demands) < 5:
            return "0"
        return str(max(1, round(self.demands[0] + 10 - self.seconds())))

    def _permissions(self, call: Call) -> tuple[str, ...] | None:
        """Return the permissions of the caller, None for all. Raises Refused for an unknown token."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer" and token == self.token:
            return None
        if scheme == "Bearer" and token in self.tokens:
            return self.tokens[token]
        raise Refused(401, "Access token is empty or not valid.")

    def _paged(self, call: Call, rows: list[Json]) -> Reply:
        start = int(call.query.get("$skiptoken", 0))
        size = min(self.page, int(call.query.get("$top", 100)))
        body: dict[str, Json] = {"value": rows[start : start + size]}
        if start + size < len(rows):
            following = urlencode({**call.query, "$skiptoken": start + size})
            body["@odata.nextLink"] = f"{call.base}{call.path}?{following}"
        return Reply(200, body)

    def _sign_in(self, call: Call) -> Reply:
        form = call.body
        client = self.clients.get(form.get("client_id", ""))
        if client is None or form.get("client_secret") != client.secret:
            text = f"AADSTS7000215: Invalid client secret {form.get('client_secret')}."
            return Reply(401, {"error": "invalid_client", "error_description": f"{text}\r\nTrace ID: 1"})
        token = f"{form['client_id']}-token-{len(self.tokens)}"
        self.tokens[token] = client.permissions
        return Reply(200, {"access_token": token, "token_type": "Bearer", "expires_in": 3599})


def _covered(needed: str, permissions: tuple[str, ...]) -> bool:
    """Return whether permissions cover one; the right to write includes the one to read."""
    return needed in permissions or needed.replace(".Read.", ".ReadWrite.") in permissions
