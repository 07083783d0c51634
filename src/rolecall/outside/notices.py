"""Posts a notice to a webhook: Slack-compatible or plain JSON. The URL is a secret and is never shown."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from rolecall.errors import Misuse, Problem, RolecallError

TRIES = 4
_TIMEOUT = 10.0
_LONGEST_WAIT = 30.0
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SLACK = "slack:"


class NotTold(RolecallError):
    """A notice did not get through."""


class Notice(NamedTuple):
    """What to say: as text, and as a document for those who read JSON."""

    text: str
    document: Mapping[str, Any]


def place(url: str) -> str:
    """The host of a webhook, which is all that may be shown of it."""
    return urlsplit(url.removeprefix(_SLACK)).hostname or "the webhook"


def check(url: str) -> None:
    """Raise Misuse for an address that nothing may be posted to: it must be https, or loopback."""
    parts = urlsplit(url.removeprefix(_SLACK))
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and parts.hostname in _LOOPBACK:
        return
    hint = "write https://…, or slack:https://… for one that takes Slack's form"
    raise Misuse(Problem("notify_url", "the address to notify is no https URL", None, hint))


def payload(url: str, notice: Notice) -> Mapping[str, Any]:
    """What is posted. Slack, and what is written ``slack:URL``, takes text alone, with its own escapes."""
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
) -> None:
    """Post it, and again where the other side is busy or out of reach, four times in all. Raises NotTold, Misuse.

    ``proxy`` and ``trusted``, the authorities, are those of the environment; nothing is read from it here.
    """
    import httpx

    check(url)
    why = ""
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, proxy=proxy, verify=trusted) as client:
        for attempt in range(TRIES):
            wait = 2.0**attempt
            try:
                answer = client.post(url.removeprefix(_SLACK), json=dict(payload(url, notice)))
            except httpx.HTTPError as error:
                why = f"could not be reached ({type(error).__name__})"
            else:
                if answer.is_success:
                    return
                why = f"answered {answer.status_code}"
                if answer.status_code != httpx.codes.TOO_MANY_REQUESTS and answer.status_code < 500:
                    break
                wait = _asked(answer.headers.get("Retry-After", ""), wait)
            if attempt + 1 < TRIES:
                sleep(min(wait, _LONGEST_WAIT))
    hint = "it is told again by the next look"
    raise NotTold(Problem("not_told", f"the notice did not get through: {place(url)} {why}", None, hint))


def _asked(said: str, otherwise: float) -> float:
    return float(said) if said.isascii() and said.isdecimal() else otherwise
