"""Lists, creates and revokes the SCIM tokens of an org with an API."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import Exchange, Exchanged, may_be_done, no_response
from rolecall.live.http.refusals import accepted, body_json, decoded, refusal
from rolecall.live.http.transport import Request, json_request
from rolecall.model.kinds import BY_SECTION
from rolecall.model.outcome import Done, Outcome, Refused, Unknown
from rolecall.model.rotation import Creation, NewToken, ScimEndpoint, ScimToken

SCIM = Request("GET", BY_SECTION["scim"].api_path)
TOKEN = f"{SCIM.path}/token"


class ScimTokens:
    """The SCIM tokens of one org, see ``port.TokenIssuer``."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def read(self) -> ScimEndpoint:
        """Return the endpoint with its valid tokens. Raises OrgError if they cannot be read."""
        body = accepted(SCIM, await self._exchange.read(SCIM))
        return decoded(SCIM, lambda: ScimEndpoint(str(body["endpoint_url"]), tuple(map(_token, body["tokens"]))))

    async def create(self, key: str) -> Creation:
        """Create a token under an Idempotency-Key; repeated, the response has the same token without its secret."""
        request = json_request("POST", TOKEN, {})
        request = request._replace(headers=(*request.headers, ("idempotency-key", key)))
        sent = await self._exchange.send(request, changes=True)
        if sent.answer is None or not sent.answer.ok:
            return _unsuccessful(request, sent)
        answer = sent.answer
        try:
            body = body_json(request, answer)
            return decoded(request, lambda: NewToken(str(body["id"]), _secret(body["token"])))
        except OrgError as error:
            return Unknown(error.problems[0])

    async def revoke(self, token_id: str, key: str) -> Outcome:
        """Revoke a token at once. Without an accepting response, the list of tokens decides."""
        request = Request("DELETE", f"{TOKEN}/{quote(token_id, safe='')}")
        request = request._replace(headers=(*request.headers, ("idempotency-key", key), ("if-match", "*")))
        sent = await self._exchange.send(request, changes=True)
        if sent.answer is not None and sent.answer.ok:
            return Done(None, None)
        failed = _unsuccessful(request, sent)
        try:
            return failed if (await self.read()).token(token_id) is not None else Done(None, None)
        except OrgError:
            return Unknown(failed.problem)


def _token(item: Any) -> ScimToken:
    created, used, wrote = (item.get(name) for name in ("created_at", "last_used_at", "last_write_at"))
    return ScimToken(str(item["id"]), str(created), _moment(used), _moment(wrote))


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _secret(value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise TypeError("a secret is text")
    return value


def _unsuccessful(request: Request, sent: Exchanged) -> Refused | Unknown:
    """Return the outcome of a write without an accepting response: certainly not made, or unknown."""
    if sent.answer is None:
        problem: Problem = sent.lost.problems[0] if sent.lost else no_response("the org", request)
        return Unknown(problem) if sent.doubtful else Refused(problem)
    problem = refusal(request, sent.answer)
    return Unknown(problem) if sent.doubtful or may_be_done(sent.answer) else Refused(problem)
