"""The way to an org that its url names: a snapshot file, the local org in this process, or HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.errors import ConfigError, Problem
from rolecall.live.observed import SnapshotReader

if TYPE_CHECKING:
    from rolecall.live.client import OrgClient
    from rolecall.live.transport import Timeouts


def connect(
    url: str,
    token: Callable[[], str] | None = None,
    *,
    folder: Path = Path(),
    timeouts: Timeouts | None = None,
    allow_http: bool = False,
) -> OrgClient | SnapshotReader:
    """The adapter for ``https://…``, ``http://…`` (loopback only, unless allowed), ``local:PATH`` or ``observed:PATH``.

    ``token`` is asked when the first request goes out, and never for an observed org. Paths are relative to
    ``folder``. Nothing is opened or sent yet. Raises ConfigError for any other url.
    """
    kind, colon, rest = url.partition(":")
    if kind == "observed" and rest:
        return SnapshotReader(folder / rest, observed=True)
    if kind == "local" and rest:
        return _local(rest, token, folder, timeouts)
    if kind in ("http", "https") and colon:
        return _http(url, token, timeouts, allow_http)
    hint = "write https://…, local:PATH or observed:PATH"
    raise ConfigError(Problem("org_url", f"`org.url` names no way to an org: {url}", None, hint))


def _local(rest: str, token: Callable[[], str] | None, folder: Path, timeouts: Timeouts | None) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.embedded import EmbeddedTransport
    from rolecall.live.transport import Timeouts

    where = rest if "://" in rest else folder / rest
    return OrgClient(EmbeddedTransport(where, token, timeouts or Timeouts()))


def _http(url: str, token: Callable[[], str] | None, timeouts: Timeouts | None, allow_http: bool) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.http import HttpTransport, base_url
    from rolecall.live.transport import Timeouts

    return OrgClient(HttpTransport(base_url(url, allow_http=allow_http), token, timeouts or Timeouts()))
