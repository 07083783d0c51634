"""Sends requests over a socket: HTTP/1.1 through httpx, with TLS verification and without following redirects."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from rolecall import __version__
from rolecall.errors import ConfigError, Problem, SecretError
from rolecall.live.http.proxies import LOOPBACK, Proxy, ProxyProblemError, certificates, proxy_for
from rolecall.live.http.refusals import ORG, EndpointMessages
from rolecall.live.http.transport import Answer, NoAnswer, Request, Timeouts

if TYPE_CHECKING:
    import httpx

CONNECTIONS = 8
LARGEST_ANSWER = 64 * 1024 * 1024
"""Maximum bytes of one response after decompression; a page is far smaller."""
_ERRNO = re.compile(r"^\[Errno -?\d+\] ")

Token = Callable[[], str]
"""Returns the bearer token; called once, before the first request."""


class BaseUrl(NamedTuple):
    """The base of all API paths: ``https://rolecall.example.com``, optionally with a path, without a trailing slash."""

    text: str
    host: str
    loopback: bool


def base_url(text: str, *, allow_http: bool = False, messages: EndpointMessages = ORG) -> BaseUrl:
    """Parse an ``org.url``, or the URL of another endpoint.

    Raises ConfigError for an invalid URL, and for one that would send a token unencrypted.
    """
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigError(_bad_url(messages, "is not a URL", text)) from None
    if parts.scheme not in ("https", "http") or not host:
        raise ConfigError(_bad_url(messages, "is not in the form https://HOST", text))
    if parts.username is not None or parts.password is not None:
        token = f"{messages.setting.rpartition('.')[0]}.token"
        raise ConfigError(_bad_url(messages, f"contains a user or password; use `{token}` instead", None))
    if parts.query or parts.fragment:
        raise ConfigError(_bad_url(messages, "contains a query or a fragment", None))
    if parts.scheme == "http" and host not in LOOPBACK and not allow_http:
        raise ConfigError(_bad_url(messages, "would send the token unencrypted; use https", text))
    return BaseUrl(f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", host, host in LOOPBACK)


def _bad_url(messages: EndpointMessages, why: str, shown: str | None) -> Problem:
    return Problem(f"{messages.code}_url", f"`{messages.setting}` {why}{'' if shown is None else f': {shown}'}")


class HttpTransport:
    """Sends requests with a bearer token. No other class has the token."""

    def __init__(
        self,
        base: BaseUrl,
        token: Token | None,
        timeouts: Timeouts = Timeouts(),
        scheme: str = "Bearer",
        messages: EndpointMessages = ORG,
    ) -> None:
        self._messages = messages
        self._base = base
        self._scheme = scheme
        self._ask_token = token
        self._timeouts = timeouts
        self._token: str | None = None
        self._connections: _Connections | None = None

    @property
    def name(self) -> str:
        return self._base.text

    async def send(self, request: Request) -> Answer:
        """Send a request on a connection of the running event loop. Raises NoAnswer, which names a proxy in between."""
        headers = self._headers(request)
        if self._connections is None or self._connections.loop is not asyncio.get_running_loop():
            self._connections = _open_connections(self._base, self._timeouts, self._messages)
        url = self._base.text + request.path
        async with self._connections.lend() as client:
            try:
                return await _answered(client, url, request, headers, self._timeouts, self._token, self._messages)
            except NoAnswer as error:
                raise _by_way_of(self._connections.proxy, error) from None

    async def close(self) -> None:
        if self._connections is not None and self._connections.loop is asyncio.get_running_loop():
            await self._connections.close()
        self._connections = None

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {
            "accept": "application/json",
            "accept-encoding": "gzip, deflate",
            "user-agent": f"rolecall/{__version__}",
        }
        if self._token is None and self._ask_token is not None:
            self._token = _sendable(self._ask_token())
        if self._token is not None:
            headers["authorization"] = f"{self._scheme} {self._token}"
        return headers | dict(request.headers)


def _open_connections(base: BaseUrl, timeouts: Timeouts, messages: EndpointMessages) -> _Connections:
    try:
        return _Connections(base, timeouts)
    except ProxyProblemError as error:
        problem = error.problem._replace(code=f"{messages.code}_proxy")
        message = f"{base.host} cannot be reached: {problem.message}"
        raise NoAnswer(problem._replace(message=message), sent=False, final=True) from None


def _by_way_of(proxy: Proxy | None, error: NoAnswer) -> NoAnswer:
    """Return the same error, naming the proxy if one was used, because the proxy itself may be unreachable."""
    if proxy is None:
        return error
    problem = error.problems[0]
    hint = f"check the proxy; {problem.hint}" if problem.hint else "check the proxy"
    with_proxy = problem._replace(
        message=f"{problem.message} (through the proxy {proxy.shown} from {proxy.variable})", hint=hint
    )
    return NoAnswer(with_proxy, sent=error.sent, final=error.final)


class _Connections:
    """The connections of one event loop, which they do not outlive: one client each, opened on demand.

    One client with eight connections would check all eight twice on every request.
    """

    def __init__(self, base: BaseUrl, timeouts: Timeouts) -> None:
        import httpx

        self.loop = asyncio.get_running_loop()
        self.proxy = None if base.loopback else proxy_for(base.text)
        self._timeout = httpx.Timeout(timeouts.read, connect=timeouts.connect, pool=None)
        self._trusted = certificates(environment=not base.loopback)
        self._slots = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[httpx.AsyncClient] = []
        self._all: list[httpx.AsyncClient] = []

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[httpx.AsyncClient]:
        """Lend the free connection that was used last; wait for one if all are in use.

        One whose request fails or is canceled is not lent again: httpx never uses a connection whose first request
        is canceled right after it connected, and the next request would wait for it without end.
        """
        async with self._slots:
            if not self._idle:
                self._open()
            client = self._idle.pop()
            try:
                yield client
            except BaseException:
                self._all.remove(client)
                await client.aclose()
                raise
            self._idle.append(client)

    async def close(self) -> None:
        for client in self._all:
            await client.aclose()

    def _open(self) -> None:
        import httpx

        client = httpx.AsyncClient(
            follow_redirects=False,
            http1=True,
            http2=False,
            verify=self._trusted,
            trust_env=False,
            proxy=None if self.proxy is None else self.proxy.url,
            timeout=self._timeout,
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
        )
        self._idle.append(client)
        self._all.append(client)


async def _answered(
    client: httpx.AsyncClient,
    url: str,
    request: Request,
    headers: dict[str, str],
    timeouts: Timeouts,
    token: str | None,
    messages: EndpointMessages,
) -> Answer:
    import httpx

    try:
        async with (
            asyncio.timeout(timeouts.whole),
            aclosing(await client.send(_sent(url, request, headers), stream=True)) as response,
        ):
            body = await _body(response, request, messages)
            return Answer(response.status_code, _lower(response.headers), _scrubbed(body, response, token))
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise _unreachable(url, error, messages) from None
    except httpx.TimeoutException:
        message = (
            f"{messages.name} ({urlsplit(url).netloc}) sent nothing for {timeouts.read:g} s in response to {request}"
        )
        raise _lost(f"{messages.code}_timeout", message) from None
    except TimeoutError:
        server = f"{messages.name} ({urlsplit(url).netloc})"
        message = f"{server} did not complete its response to {request} within {timeouts.whole:g} s"
        raise _lost(f"{messages.code}_timeout", message) from None
    except (httpx.TransportError, httpx.DecodingError, httpx.StreamError) as error:
        raise _lost(f"{messages.code}_cut", f"the response to {request} was cut off ({type(error).__name__})") from None


def _sent(url: str, request: Request, headers: dict[str, str]) -> httpx.Request:
    """Return the request for httpx. It is built here because the client would add cookies that an org may have set."""
    import httpx

    query = request.query or None
    return httpx.Request(request.method, url, params=query, headers=headers, content=request.body)


async def _body(response: httpx.Response, request: Request, messages: EndpointMessages) -> bytes:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise NoAnswer(
                Problem(
                    f"{messages.code}_too_large", f"the response to {request} is larger than {LARGEST_ANSWER >> 20} MiB"
                ),
                sent=True,
                final=True,
            )
        parts.append(part)
    return b"".join(parts)


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _scrubbed(body: bytes, response: httpx.Response, token: str | None) -> bytes:
    """Return the text of an error response without our token, which the error may quote."""
    return body if token is None or response.is_success else body.replace(token.encode(), b"***")


def _sendable(token: str) -> str:
    if not token or not all("!" <= char <= "~" for char in token):
        raise SecretError(Problem("token_unusable", "the token is empty or contains invalid characters", None,
                                  "check that the secret contains only the token, on one line"))  # fmt: skip
    return token


def _unreachable(url: str, error: Exception, messages: EndpointMessages) -> NoAnswer:
    host = urlsplit(url).netloc
    if _caused_by_tls(error):
        hint = "if a private certificate authority (CA) issued it, set SSL_CERT_FILE to the CA's certificate"
        problem = Problem(f"{messages.code}_tls", f"the certificate of {host} is not valid: {error}", None, hint)
        return NoAnswer(problem, sent=False, final=True)
    message = f"{host} cannot be reached: {_ERRNO.sub('', str(error)) or 'connection timed out'}"
    hint = "check the network" if messages.fixed else f"check `{messages.setting}` and the network"
    return NoAnswer(Problem(f"{messages.code}_unreachable", message, None, hint), sent=False)


def _caused_by_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _lost(code: str, message: str) -> NoAnswer:
    return NoAnswer(Problem(code, message, None, "try again"), sent=True)
