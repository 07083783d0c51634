"""A stand-in Okta: who may call it, which requests it answers, pages, rate limits and errors."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from idp import okta_push
from idp.ids import BadFilter
from idp.okta_reads import READS
from idp.okta_state import PROVISIONING, OktaState
from idp.okta_writes import WRITES
from idp.scim_out import ScimTarget
from idp.wire import Call, Refused, Reply, StandIn, find_route

Json = Any
ROUTES = (*READS, *WRITES)
CODES = {
    400: "E0000001",
    401: "E0000011",
    403: "E0000006",
    404: "E0000007",
    405: "E0000022",
    409: "E0000060",
    429: "E0000047",
    500: "E0000009",
}
"""Okta's error codes by status."""

SUMMARIES = {
    401: "Invalid token provided",
    403: "You do not have permission to perform the requested action",
    429: "API call exceeded rate limit due to too many requests.",
    500: "Internal Server Error",
}


@dataclass
class ServiceApp:
    """An OAuth service app: its key, and the scopes that an admin granted it."""

    public_key: Any
    scopes: tuple[str, ...]


@dataclass
class Okta(OktaState, StandIn):
    """A stand-in Okta on 127.0.0.1. See the package for how to use it.

    ``token`` is an API token; ``tokens`` are others, with the scopes that they stand for. ``apps``
    are OAuth service apps by client id; access tokens with the granted scopes are made at `/oauth2/v1/token`.
    ``page`` is the most rows of a page, ``rate_limit`` how many requests are answered a minute. ``provision_each``:
    provision after each write, not only when ``provision`` is called; ``connect`` names the org.
    """

    tokens: dict[str, tuple[str, ...]] = field(default_factory=dict)
    apps: dict[str, ServiceApp] = field(default_factory=dict)
    page: int = 1000
    rate_limit: int = 600
    provision_each: bool = False
    scim: ScimTarget | None = None
    seconds: Callable[[], float] = time.time
    _window: list[float] = field(default_factory=list, init=False, repr=False)

    scheme: ClassVar[str] = "SSWS"
    spec_name: ClassVar[str] = "okta-subset.openapi.yaml"
    undescribed: ClassVar[str] = r"/apps/[^/]+/users/[^/]+$|/api/v1/users(/|$)|/logs$"

    def handle(self, call: Call) -> Reply:
        """Return the response to a request, and change the state. Raises Refused."""
        if (call.method, call.path) == ("POST", "/oauth2/v1/token"):
            return self._sign_in(call)
        scopes = self._scopes(call)
        limits = self._limits()
        route, call = find_route(ROUTES, call)
        if scopes is not None and not all(_covered(needed, scopes) for needed in route.scope.split()):
            raise Refused(403, SUMMARIES[403])
        try:
            reply = route.handler(self, call)
        except BadFilter as error:
            raise Refused(400, f"Invalid search criteria: {error}", "E0000031") from None
        if self.provision_each and call.method != "GET":
            self.provision()
        if isinstance(reply.body, list):
            reply = self._paged(call, reply.body)
        return reply._replace(headers={**reply.headers, **limits})

    def connect(self, url: str, token: str) -> None:
        """Set up provisioning to the SCIM endpoint of an org, which no API of Okta can do."""
        self.scim, self.features = ScimTarget(url, token), PROVISIONING

    def provision(self) -> None:
        """Send what changed to the org. Users and pushed groups have the outcome, and so has the system log."""
        with self.lock:
            if self.scim is not None and self.features and self.status == "ACTIVE":
                okta_push.provision(self, self.scim)

    def import_groups(self) -> None:
        """Read the org's groups, so that pushes can be linked to them."""
        with self.lock:
            assert self.scim is not None
            okta_push.import_groups(self, self.scim)

    def refusal(self, status: int, text: str, code: str = "") -> Reply:
        """Return an error in Okta's form. Where Okta has a fixed summary, the reason is one of its causes."""
        summary = text if code else SUMMARIES.get(status, text)
        code = code or CODES.get(status, "E0000009")
        summary = f"Api validation failed: {text}" if code == "E0000001" else summary
        body = {
            "errorCode": code,
            "errorSummary": summary,
            "errorLink": code,
            "errorId": f"oae{len(self.requests):017}",
            "errorCauses": [] if summary == text else [{"errorSummary": text}],
        }
        return Reply(status, body, self._exhausted() if status == 429 else {})

    def _scopes(self, call: Call) -> tuple[str, ...] | None:
        """Return the scopes of the caller, None for all. Raises Refused for an unknown token."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if scheme == "SSWS" and token == self.token:
            return None
        if scheme in ("SSWS", "Bearer") and token in self.tokens:
            return self.tokens[token]
        raise Refused(401, SUMMARIES[401])

    def _limits(self) -> dict[str, str]:
        """Count a request and return the headers of the limit. Raises Refused beyond it."""
        now = self.seconds()
        self._window = [at for at in self._window if at > now - 60]
        if len(self._window) >= self.rate_limit:
            raise Refused(429, SUMMARIES[429])
        self._window.append(now)
        remaining = self.rate_limit - len(self._window)
        return self._limit_headers(remaining, int(self._window[0]) + 60)

    def _exhausted(self) -> dict[str, str]:
        """Return the headers of a 429: when the window ends, or now if a fault made it."""
        full = len(self._window) >= self.rate_limit
        return self._limit_headers(0, int(self._window[0]) + 60 if full else int(self.seconds()))

    def _limit_headers(self, remaining: int, reset: int) -> dict[str, str]:
        names = ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset")
        return dict(zip(names, map(str, (self.rate_limit, remaining, reset)), strict=True))

    def _paged(self, call: Call, rows: list[Json]) -> Reply:
        start = int(call.query.get("after", 0))
        size = min(self.page, int(call.query.get("limit", 100)))
        links = [f'<{call.base}{call.path}>; rel="self"']
        if start + size < len(rows):
            following = urlencode({**call.query, "after": start + size})
            links.append(f'<{call.base}{call.path}?{following}>; rel="next"')
        return Reply(200, rows[start : start + size], {"link": ", ".join(links)})

    def _sign_in(self, call: Call) -> Reply:
        """Return a token for the assertion of a service app (RFC 7523), as Okta's own authorization server does."""
        form = call.body
        head, claims, signature = form["client_assertion"].split(".")
        content = json.loads(_decoded(claims))
        client = self.apps.get(content["iss"])
        try:
            assert client is not None
            assert json.loads(_decoded(head))["alg"] == "RS256"
            assert content["aud"] == f"{call.base}{call.path}"
            assert content["sub"] == content["iss"]
            client.public_key.verify(_decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        except (AssertionError, InvalidSignature):
            text = f"bad assertion {form['client_assertion']}"
            return Reply(401, {"error": "invalid_client", "error_description": text})
        requested = tuple(form["scope"].split())
        if not set(requested) <= set(client.scopes):
            text = "One or more scopes are not granted."
            return Reply(400, {"error": "invalid_scope", "error_description": text})
        token = f"{content['iss']}-token-{len(self.tokens)}"
        self.tokens[token] = requested
        body = {"access_token": token, "token_type": "Bearer", "expires_in": 3600, "scope": form["scope"]}
        return Reply(200, body)


def _covered(needed: str, scopes: tuple[str, ...]) -> bool:
    """Return whether scopes cover one; the right to manage includes the one to read."""
    return needed in scopes or needed.replace(".read", ".manage") in scopes


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(f"{text}==")
