"""Opens exchanges with WRITER's public APIs, whose keys are sent to WRITER only, or to a stand-in on this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rolecall.errors import ConfigError, Problem
from rolecall.live.http.exchange import Exchange
from rolecall.live.http.pace import Clock
from rolecall.live.http.refusals import EndpointMessages

HOST: Final = "https://api.writer.com"
"""The only host that a key is sent to, besides this machine."""


def writer_exchange(
    token: Callable[[], str], url: str | None, messages: EndpointMessages, clock: Clock | None
) -> Exchange:
    """Return an exchange with WRITER, or with the stand-in at ``url``. Nothing is sent yet.

    ``token`` returns the key; it is called when a request is sent. Raises ConfigError for a URL that leads elsewhere.
    """
    from rolecall.live.http.httpx_transport import HttpTransport, base_url

    base = base_url(url or HOST, messages=messages)
    if url is not None and not base.loopback:
        message = f"`{messages.setting}` may only be an address of this machine"
        raise ConfigError(
            Problem(f"{messages.code}_url", message, None, "remove it: the key is sent to api.writer.com")
        )
    return Exchange(HttpTransport(base, token, messages=messages), clock)
