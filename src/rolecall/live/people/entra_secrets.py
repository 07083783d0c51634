"""Replaces the SCIM token that a provisioning job of Entra sends, and tests the connection with it.

All keys are saved together, so the others are sent back as they were read. One whose value Graph does not show could
only be lost, so nothing is saved then.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from rolecall.errors import OrgError, Problem
from rolecall.live.http.exchange import Exchanged, may_be_done, no_response
from rolecall.live.http.refusals import EndpointMessages, refusal
from rolecall.live.http.transport import Request
from rolecall.live.people.entra_app import ADDRESS, NO_JOB
from rolecall.live.people.idp_client import IdpClient, url_host
from rolecall.model.outcome import Done, Outcome, Refused, Unknown

Json = Any
TOKEN: Final = "SecretToken"
_REPLACED: Final = "***"


class EntraSecrets:
    """The connection of an enterprise application to SCIM, see ``port.ConnectionWriter``.

    ``reads`` and ``writes`` each have a credential of their own; ``path`` is the app's path in Graph.
    """

    def __init__(self, reads: IdpClient, writes: IdpClient, path: str, messages: EndpointMessages) -> None:
        self._reads = reads
        self._writes = writes
        self._path = f"{path}/synchronization"
        self._messages = messages

    async def host(self) -> str:
        """Return the host and port that the app sends to. Raises OrgError if the connection cannot be changed."""
        pairs = await self._pairs()
        if (host := url_host(pairs.get(ADDRESS, ""))) is None:
            hint = "set up provisioning in Entra first"
            raise OrgError(Problem("idp_no_connection", "the app in Entra has no SCIM URL", None, hint))
        return host

    async def test(self, secret: str) -> Outcome:
        """Let Entra send a request with a token that is not saved."""
        try:
            pairs = await self._pairs()
            return await self._validate({"useSavedCredentials": False, "credentials": _listed(pairs, secret)}, secret)
        except OrgError as error:
            return Refused(error.problems[0])

    async def save(self, secret: str) -> Outcome:
        """Save a token, and every other key as Graph shows it right now."""
        try:
            pairs = await self._pairs()
        except OrgError as error:
            return Refused(error.problems[0])
        request = Request("PUT", f"{self._path}/secrets")
        sent = await self._writes.write(request.method, request.path, {"value": _listed(pairs, secret)})
        return self._outcome(request, sent, secret)

    async def test_saved(self) -> Outcome:
        """Let Entra send a request with the token that is saved."""
        try:
            return await self._validate({"useSavedCredentials": True}, "")
        except OrgError as error:
            return Refused(error.problems[0])

    async def close(self) -> None:
        """Release the connection for writing."""
        await self._writes.close()

    async def _pairs(self) -> dict[str, str]:
        """Return the keys that are saved, without the token. Raises OrgError if a value is not shown."""
        answer = await self._reads.whole(self._reads.read_object(f"{self._path}/secrets"))
        pairs = {str(pair["key"]): str(pair.get("value") or "") for pair in answer["value"]}
        hidden = [key for key, value in pairs.items() if key != TOKEN and value and not value.strip("*")]
        if hidden:
            message = f"Entra does not show {', '.join(sorted(hidden))}, which would be lost"
            raise OrgError(Problem("idp_masked", message, None, "enter the token in Entra's portal"))
        return {key: value for key, value in pairs.items() if key != TOKEN}

    async def _validate(self, body: Json, secret: str) -> Outcome:
        path = f"{self._path}/jobs"
        jobs = await self._reads.whole(self._reads.values(path))
        if not jobs:
            raise OrgError(Problem("idp_no_connection", NO_JOB, None, "set up provisioning in Entra first"))
        request = Request("POST", f"{path}/{quote(str(jobs[0]['id']), safe='')}/validateCredentials")
        return self._outcome(request, await self._writes.write(request.method, request.path, body), secret)

    def _outcome(self, request: Request, sent: Exchanged, secret: str) -> Outcome:
        answer = sent.answer
        if answer is not None and answer.ok:
            return Done(None, None)
        if answer is None:
            problem = sent.lost.problems[0] if sent.lost else no_response(self._messages.name, request)
            return Unknown(problem) if sent.doubtful else Refused(problem)
        problem = refusal(request, answer, self._messages)
        reason = self._writes.reason(answer)
        message = f"{problem.message}: {reason}" if reason else problem.message
        problem = problem._replace(message=message.replace(secret, _REPLACED) if secret else message)
        return Unknown(problem) if sent.doubtful or may_be_done(answer) else Refused(problem)


def _listed(pairs: dict[str, str], secret: str) -> list[Json]:
    return [{"key": key, "value": value} for key, value in (*pairs.items(), (TOKEN, secret))]
