"""Connects to an org by its URL, and to a source of users by its kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.http import refusals
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.roles import BUILT_IN, Role
from rolecall.model.target import URL_FORMS, PeopleKind

if TYPE_CHECKING:
    from rolecall.live.client import OrgClient
    from rolecall.live.http.exchange import Exchange
    from rolecall.live.http.pace import Clock
    from rolecall.live.http.refusals import EndpointMessages
    from rolecall.live.http.transport import Timeouts
    from rolecall.live.people.entra import EntraPeople
    from rolecall.live.people.entra_secrets import EntraSecrets
    from rolecall.live.people.file import PeopleFile
    from rolecall.live.people.okta import OktaPeople
    from rolecall.live.people.okta_writes import OktaWriter
    from rolecall.live.people.scim import ScimPeople
    from rolecall.live.people.sign_in import SignIn


def connect(
    url: str,
    token: Callable[[], str] | None = None,
    *,
    folder: Path = Path(),
    timeouts: Timeouts | None = None,
    allow_http: bool = False,
) -> OrgClient | SnapshotReader:
    """Return the adapter for ``https://…``, ``http://…`` (loopback only, unless allowed), ``local:PATH`` or
    ``observed:PATH``.

    ``token`` is called before the first request, and never for an observed org. Paths are relative to ``folder``.
    Nothing is opened or sent yet. Raises ConfigError for any other URL.
    """
    kind, colon, path = url.partition(":")
    if kind == "observed" and path:
        return SnapshotReader(folder / path, observed=True)
    if kind == "local" and path:
        return _local(path, token, folder, timeouts)
    if kind in ("http", "https") and colon:
        return _http(url, token, timeouts, allow_http)
    raise ConfigError(Problem("org_url", f"`org.url` is not a valid org URL: {url}", None, f"use {URL_FORMS}"))


class PeopleConnection(NamedTuple):
    """The settings for reaching a source of users, in addition to its kind and address.

    ``token`` is called before the first request. ``roles`` are the org's. ``role_attribute`` is what the legacy
    endpoint reads (R18). ``groups`` are those of the configuration, so that an IdP also returns the members of groups
    that it does not push yet; ``mapped`` are those with a mapping. ``client_secret``, ``url`` and ``login_url`` are
    Entra's, ``private_key`` is that of a service app in Okta, and ``client_id`` goes with either. ``clock`` measures
    waiting times. ``files`` are globs instead of one ``file``; with ``allow_empty``, files may contain no users.
    ``section`` is the part of the configuration that messages name. With ``full_names``, full names are read as well.
    ``writable``: the configuration has a credential to write with.
    """

    token: Callable[[], str] | None = None
    folder: Path = Path()
    roles: Mapping[str, Role] = BUILT_IN
    role_attribute: str | None = None
    allow_http: bool = False
    app: str = ""
    groups: tuple[str, ...] = ()
    mapped: frozenset[str] = frozenset()
    client_id: str = ""
    client_secret: Callable[[], str] | None = None
    private_key: Callable[[], str] | None = None
    url: str | None = None
    login_url: str | None = None
    clock: Clock | None = None
    files: tuple[str, ...] = ()
    allow_empty: bool = False
    section: str = "people"
    key_place: Where | None = None
    full_names: bool = False
    writable: bool = False

    def messages(self, messages: EndpointMessages) -> EndpointMessages:
        """Return the texts of an IdP for this section of the configuration."""
        return messages if self.section == "people" else messages.within(self.section)


def connect_people(
    kind: str, at: str, connection: PeopleConnection = PeopleConnection()
) -> PeopleFile | ScimPeople | OktaPeople | EntraPeople:
    """Return the source of users that ``people`` configures: ``file`` at a path in ``folder``, ``scim`` and ``okta`` at
    a base URL, ``entra`` for a tenant.

    Nothing is opened or sent yet. Raises ConfigError for a URL that must not be used, and for other kinds.
    """
    if kind == "file":
        from rolecall.live.people.file import PeopleFile

        names = connection.files or (at,)
        return PeopleFile(
            connection.folder,
            names,
            bool(connection.files),
            connection.roles,
            connection.allow_empty,
            frozenset(connection.groups),
            mapped=connection.mapped,
            full_names=connection.full_names,
        )
    if kind == "scim":
        from rolecall.live.people.scim import ScimPeople

        exchange, _ = _exchange(at, connection, refusals.SCIM)
        return ScimPeople(exchange, connection.role_attribute, full_names=connection.full_names)
    if kind == "okta":
        return _okta(at, connection)
    if kind == "entra":
        return _entra(at, connection)
    hint = f"set `people` to one of: {', '.join(get_args(PeopleKind))}"
    raise ConfigError(Problem("people_source", f"users cannot be read from `{kind}`", None, hint))


def _exchange(
    url: str, connection: PeopleConnection, messages: EndpointMessages, scheme: str = "Bearer"
) -> tuple[Exchange, str]:
    from rolecall.live.http.exchange import Exchange
    from rolecall.live.http.httpx_transport import HttpTransport, base_url

    base = base_url(url, allow_http=connection.allow_http, messages=messages)
    return Exchange(
        HttpTransport(base, connection.token, scheme=scheme, messages=messages), connection.clock
    ), base.text


def _okta(url: str, connection: PeopleConnection) -> OktaPeople:
    from rolecall.live.people.okta import OktaPeople
    from rolecall.live.people.okta_records import SCOPES

    exchange, base, messages = _okta_exchange(url, connection, SCOPES)
    return OktaPeople(
        exchange,
        base,
        connection.app,
        connection.groups,
        connection.role_attribute,
        messages,
        full_names=connection.full_names,
        writable=connection.writable,
    )


def _okta_exchange(
    url: str, connection: PeopleConnection, scopes: tuple[str, ...], *, at_once: bool = False
) -> tuple[Exchange, str, EndpointMessages]:
    """Return the exchange, its base URL and its texts; ``at_once``: get the token now, not before the first request."""
    messages, scheme = connection.messages(refusals.OKTA), "SSWS"
    if connection.token is None and connection.private_key is not None:
        sign_in = _service_sign_in(url, connection, connection.private_key, scopes)
        connection, scheme = connection._replace(token=lambda: sign_in().token), "Bearer"
    if at_once and connection.token is not None:
        known = connection.token()
        connection = connection._replace(token=lambda: known)
    return *_exchange(url, connection, messages, scheme), messages


def _service_sign_in(
    url: str, connection: PeopleConnection, private_key: Callable[[], str], scopes: tuple[str, ...]
) -> Callable[[], SignIn]:
    from rolecall.live.people.okta_token import service_sign_in

    return service_sign_in(
        url,
        connection.client_id,
        private_key,
        connection.messages(refusals.OKTA),
        connection.allow_http,
        place=connection.key_place,
        wanted_scopes=scopes,
    )


def okta_scopes(url: str, connection: PeopleConnection, scopes: Iterable[str]) -> frozenset[str] | None:
    """Return which of these scopes a service app of Okta has; None for an API token, whose rights cannot be read.

    Raises SecretError if Okta does not accept the app.
    """
    if connection.private_key is None:
        return None
    return _service_sign_in(url, connection, connection.private_key, tuple(scopes))().scopes


def connect_okta_writer(reader: OktaPeople, url: str, connection: PeopleConnection) -> OktaWriter:
    """Return the connection that writes to the app that ``reader`` reads, with a credential of its own.

    The credential is resolved here, and an access token requested. Raises SecretError if that fails.
    """
    from rolecall.live.people.okta_records import WRITE_SCOPES

    exchange, base, messages = _okta_exchange(url, connection, WRITE_SCOPES, at_once=True)
    return reader.writer(exchange, base, messages._replace(rights=refusals.OKTA_WRITE_RIGHTS))


def _entra(tenant: str, connection: PeopleConnection) -> EntraPeople:
    from rolecall.live.people.entra import EntraPeople

    exchange, base, messages = _graph_exchange(tenant, connection)
    attribute = connection.role_attribute is not None
    return EntraPeople(
        exchange,
        base,
        connection.app,
        connection.groups,
        attribute=attribute,
        messages=messages,
        tenant=tenant,
        full_names=connection.full_names,
    )


def connect_entra_secrets(reader: EntraPeople, tenant: str, connection: PeopleConnection) -> EntraSecrets:
    """Return the writer of the SCIM token of the app that ``reader`` reads, with a credential of its own.

    The credential is resolved before the first request.
    """
    exchange, base, messages = _graph_exchange(tenant, connection)
    return reader.secrets(exchange, base, messages._replace(rights=refusals.GRAPH_WRITE_RIGHTS))


def _graph_exchange(tenant: str, connection: PeopleConnection) -> tuple[Exchange, str, EndpointMessages]:
    """Return the exchange with Microsoft Graph, its base URL and its texts."""
    from rolecall.live.people.entra import client_token

    if connection.token is None:
        login = connection.login_url or "https://login.microsoftonline.com"
        token = client_token(
            login,
            tenant,
            connection.client_id,
            connection.client_secret,
            connection.url or GRAPH,
            connection.allow_http,
            connection.section,
        )
        connection = connection._replace(token=token)
    messages = connection.messages(refusals.GRAPH)
    return *_exchange(f"{(connection.url or GRAPH).rstrip('/')}/v1.0", connection, messages), messages


GRAPH = "https://graph.microsoft.com"


def _local(database: str, token: Callable[[], str] | None, folder: Path, timeouts: Timeouts | None) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.embedded import EmbeddedTransport
    from rolecall.live.http.transport import Timeouts

    where = database if "://" in database else folder / database
    transport = EmbeddedTransport(where, token, timeouts or Timeouts())
    return OrgClient(transport, columns=transport)


def _http(url: str, token: Callable[[], str] | None, timeouts: Timeouts | None, allow_http: bool) -> OrgClient:
    from rolecall.live.client import OrgClient
    from rolecall.live.http.httpx_transport import HttpTransport, base_url
    from rolecall.live.http.transport import Timeouts

    return OrgClient(HttpTransport(base_url(url, allow_http=allow_http), token, timeouts or Timeouts()))
