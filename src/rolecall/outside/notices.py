"""Posts a notification to a webhook: Slack-compatible or plain JSON. The URL is a secret and is never shown."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rolecall.errors import Misuse, Problem, RolecallError
from rolecall.live.http.call import Call, CallError, call
from rolecall.live.http.proxies import LOOPBACK

TRIES = 4
"""Number of attempts before a notification is reported as not delivered."""
SECONDS = 10.0
"""Maximum seconds for one attempt. The response body is not read."""
TOTAL = 120.0
"""Seconds after which no further attempt starts, including waits."""
_LONGEST_WAIT = 30.0
_BUSY = 429
_SLACK = "slack:"


class NotDelivered(RolecallError):
    """A notification was not delivered."""


class Notice(NamedTuple):
    """The content of a notification: as text, and as a document for receivers of JSON."""

    text: str
    document: Mapping[str, Any]


def place(url: str) -> str:
    """Return the host of a webhook, the only part that may be shown."""
    return urlsplit(url.removeprefix(_SLACK)).hostname or "the webhook"


def check(url: str) -> None:
    """Raise Misuse for a URL that must not be posted to: it must be https, or loopback."""
    parts = urlsplit(url.removeprefix(_SLACK))
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    hint = "use https://…, or slack:https://… for a Slack-compatible webhook"
    raise Misuse(Problem("notify_url", "the notification URL is not an https URL", None, hint))


def payload(url: str, notice: Notice) -> Mapping[str, Any]:
    """Return the body to post. Slack, and URLs written as ``slack:URL``, accept only text, with their own escapes."""
    host = place(url)
    if url.startswith(_SLACK) or host == "hooks.slack.com":
        text = notice.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": text}
    return {"text": notice.text, **notice.document}


def post(
    url: str,
    notice: Notice,
    sleep: Callable[[float], None] = time.sleep,
    *,
    proxy: str | None = None,
    trusted: ssl.SSLContext | bool = True,
    seconds: float = SECONDS,
) -> None:
    """Post a notification, and retry if the server is busy or cannot be reached: at most four attempts of ``seconds``
    each, and no new one after two minutes. Raises NotDelivered, Misuse.

    ``proxy`` and ``trusted``, the authorities, come from the environment; nothing is read from it here.
    """
    check(url)
    body = json.dumps(dict(payload(url, notice)), ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    request = Call("POST", url.removeprefix(_SLACK), headers, body, proxy, trusted, seconds, largest=0)
    started = time.monotonic()
    for attempt in range(TRIES):
        reason, wait = _try(request, 2.0**attempt)
        if reason is None:
            return
        if wait is None or attempt + 1 == TRIES or time.monotonic() - started + wait > TOTAL:
            break
        sleep(wait)
    tries = f" ({attempt + 1} attempts)" if attempt else ""
    message = f"the notification was not delivered: {place(url)} {reason}{tries}"
    raise NotDelivered(Problem("not_told", message, None, "the next drift check sends it again"))


def _try(request: Call, wait: float) -> tuple[str | None, float | None]:
    """Send it once. Return why it was not delivered and the seconds until a retry, each None if there is none."""
    try:
        response = call(request)
    except CallError as error:
        return str(error), wait
    if response.ok:
        return None, None
    reason = f"returned {response.status}"
    if response.status != _BUSY and response.status < 500:
        return reason, None
    return reason, min(_retry_after(response.headers.get("retry-after", ""), wait), _LONGEST_WAIT)


def _retry_after(text: str, otherwise: float) -> float:
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 10 else otherwise
