"""The way to an org that its url names: a snapshot file, the local org in this process, or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.errors import ConfigError, Problem
from rolecall.live.observed import SnapshotReader
from rolecall.model.roles import BUILT_IN, Role

if TYPE_CHECKING:
    from rolecall.live.client import OrgClient
    from rolecall.live.people_file import PeopleFile
    from rolecall.live.people_scim import ScimPeople
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


def connect_people(
    kind: str,
    at: str,
    token: Callable[[], str] | None = None,
    *,
    folder: Path = Path(),
    roles: Mapping[str, Role] = BUILT_IN,
    role_attribute: str | None = None,
    allow_http: bool = False,
) -> PeopleFile | ScimPeople:
    """The source of people that a config's ``people`` names: ``file`` at a path in ``folder``, ``scim`` at a base URL.

    ``roles`` are the org's, ``role_attribute`` is given while the org's endpoint is legacy. Nothing is opened or sent
    yet. Raises ConfigError for a url that must not be used, and for other kinds.
    """
    if kind == "file":
        from rolecall.live.people_file import PeopleFile

        return PeopleFile(folder / at, roles)
    if kind == "scim":
        from rolecall.live.exchange import Exchange
        from rolecall.live.http import HttpTransport, base_url
        from rolecall.live.people_scim import ScimPeople

        transport = HttpTransport(base_url(at, allow_http=allow_http), token)
        return ScimPeople(Exchange(transport), role_attribute)
    raise ConfigError(Problem("people_source", f"people cannot be read from `{kind}`", None, "use org, file or scim"))


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
