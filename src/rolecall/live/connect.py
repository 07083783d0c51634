"""The way to an org that its url names: a snapshot file, the local org in this process, or HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.errors import ConfigError, Problem
from rolecall.live.http import endpoint_messages
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.roles import BUILT_IN, Role

if TYPE_CHECKING:
    from rolecall.live.client import OrgClient
    from rolecall.live.http.endpoint_messages import Party
    from rolecall.live.http.exchange import Exchange
    from rolecall.live.http.pace import Clock
    from rolecall.live.http.transport import Timeouts
    from rolecall.live.people.entra import EntraPeople
    from rolecall.live.people.file import PeopleFile
    from rolecall.live.people.okta import OktaPeople
    from rolecall.live.people.scim import ScimPeople


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


@dataclass(frozen=True, slots=True)
class PeopleWay:
    """How to reach a source of people, beside its kind and address.

    ``token`` is asked when the first request goes out. ``roles`` are the org's. ``role_attribute`` is what the legacy
    endpoint reads (R18). ``wanted`` are groups of the config, for an IdP to tell the people of those not pushed yet;
    ``mapped`` are those of them with a mapping.
    ``client_id`` and ``client_secret``, ``url`` and ``login_url`` are Entra's. ``clock`` is what waits are taken by.
    ``files`` are globs in the place of one ``file``; ``allow_empty``: files may hold nobody.
    """

    token: Callable[[], str] | None = None
    folder: Path = Path()
    roles: Mapping[str, Role] = field(default_factory=lambda: dict(BUILT_IN))
    role_attribute: str | None = None
    allow_http: bool = False
    app: str = ""
    wanted: tuple[str, ...] = ()
    mapped: frozenset[str] = frozenset()
    client_id: str = ""
    client_secret: Callable[[], str] | None = None
    url: str | None = None
    login_url: str | None = None
    clock: Clock | None = None
    files: tuple[str, ...] = ()
    allow_empty: bool = False


def connect_people(
    kind: str, at: str, way: PeopleWay = PeopleWay()
) -> PeopleFile | ScimPeople | OktaPeople | EntraPeople:
    """The source of people that a config's ``people`` names: ``file`` at a path in ``folder``, ``scim`` and ``okta`` at
    a base URL, ``entra`` of a tenant.

    Nothing is opened or sent yet. Raises ConfigError for a url that must not be used, and for other kinds.
    """
    if kind == "file":
        from rolecall.live.people.file import PeopleFile

        names = way.files or (at,)
        return PeopleFile(
            way.folder, names, bool(way.files), way.roles, way.allow_empty, frozenset(way.wanted), mapped=way.mapped
        )
    if kind == "scim":
        from rolecall.live.people.scim import ScimPeople

        exchange, _ = _exchange(at, way, endpoint_messages.SCIM)
        return ScimPeople(exchange, way.role_attribute)
    if kind == "okta":
        from rolecall.live.people.okta import OktaPeople

        exchange, base = _exchange(at, way, endpoint_messages.OKTA, "SSWS")
        return OktaPeople(exchange, base, way.app, way.wanted, way.role_attribute)
    if kind == "entra":
        return _entra(at, way)
    hint = "use org, file, scim, okta or entra"
    raise ConfigError(Problem("people_source", f"people cannot be read from `{kind}`", None, hint))


def _exchange(url: str, way: PeopleWay, whose: Party, scheme: str = "Bearer") -> tuple[Exchange, str]:
    from rolecall.live.http.exchange import Exchange
    from rolecall.live.http.httpx_transport import HttpTransport, base_url

    base = base_url(url, allow_http=way.allow_http, party=whose)
    return Exchange(HttpTransport(base, way.token, scheme=scheme, party=whose), way.clock), base.text


def _entra(tenant: str, way: PeopleWay) -> EntraPeople:
    from rolecall.live.people.entra import EntraPeople, client_token

    if way.token is None:
        login = way.login_url or "https://login.microsoftonline.com"
        token = client_token(login, tenant, way.client_id, way.client_secret, way.url or GRAPH, way.allow_http)
        way = replace(way, token=token)
    exchange, base = _exchange(f"{(way.url or GRAPH).rstrip('/')}/v1.0", way, endpoint_messages.GRAPH)
    return EntraPeople(exchange, base, way.app, way.wanted, attribute=way.role_attribute is not None)


GRAPH = "https://graph.microsoft.com"


def _local(rest: str, token: Callable[[], str] | None, folder: Path, timeouts: Timeouts | None) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.embedded import EmbeddedTransport
    from rolecall.live.http.transport import Timeouts

    where = rest if "://" in rest else folder / rest
    transport = EmbeddedTransport(where, token, timeouts or Timeouts())
    return OrgClient(transport, columns=transport)


def _http(url: str, token: Callable[[], str] | None, timeouts: Timeouts | None, allow_http: bool) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.http.httpx_transport import HttpTransport, base_url
    from rolecall.live.http.transport import Timeouts

    return OrgClient(HttpTransport(base_url(url, allow_http=allow_http), token, timeouts or Timeouts()))
