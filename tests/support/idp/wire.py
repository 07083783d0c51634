"""Serves a stand-in on 127.0.0.1: keeps a log of each request, injects faults, and checks each response against the
IdP's published description where `ROLECALL_SPECS` has it."""

from __future__ import annotations

import json
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
from idp_specs import Exchanged, find_specs

Json = Any


class Call(NamedTuple):
    """A request. ``ids`` are the parts of the path that stand for `{}` in the route; ``body`` is JSON, or a form."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json = None
    ids: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The URL of the server."""
        return f"http://{self.headers['host']}"


class Reply(NamedTuple):
    """A response. Without a body it has no content."""

    status: int
    body: Json = None
    headers: Mapping[str, str] = MappingProxyType({})


class Refused(Exception):
    """Ends the handling of a request with an error of the IdP; ``text`` is the reason, ``code`` the IdP's own code."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code


@dataclass
class Fault:
    """What goes wrong with some requests.

    ``what`` is the status of an error, `silence` (the connection ends without a response, after ``hold`` seconds, so
    that a client with less patience has a time-out), or `truncated` (JSON that ends in the middle). A status has no
    effect on the state, unless ``after`` is set: then the request is carried out first. A silence comes before the
    effect or ``after`` it; what is truncated is always the response to a request that was carried out.

    Of the requests that match ``method`` and the regular expression ``path``, those from the ``number``-th on fail
    (from 1), ``times`` of them.
    """

    what: int | Literal["silence", "truncated"]
    number: int = 1
    times: int = 1
    method: str = ""
    path: str = ""
    after: bool = False
    hold: float = 0.0
    matched: int = field(default=0, init=False)

    def hits(self, call: Call) -> bool:
        """Count a request, and return whether it fails."""
        if (self.method and call.method != self.method) or not re.search(self.path, call.path):
            return False
        self.matched += 1
        return self.number <= self.matched < self.number + self.times


Handler = Callable[[Any, Call], Reply]


class Route(NamedTuple):
    """A request that the IdP answers. ``{}`` is one part of the path; ``scope`` is what the credential needs,
    several scopes with a space between them."""

    method: str
    template: str
    scope: str
    handler: Handler

    def ids(self, path: str) -> tuple[str, ...] | None:
        """Return the parts of the path that stand for `{}`, or None if the path is another one."""
        pattern = re.escape(self.template).replace(r"\{\}", "([^/]+)")
        match = re.fullmatch(pattern, path)
        return match and tuple(map(unquote, match.groups()))


@dataclass
class StandIn(ABC):
    """A stand-in of an IdP: its routes, its log, its faults. ``requests`` are all that were received, in order.

    ``token`` is the credential with every right.
    """

    token: str = "secret-token"
    requests: list[Exchanged] = field(default_factory=list, init=False)
    faults: list[Fault] = field(default_factory=list, init=False)
    violations: list[str] = field(default_factory=list, init=False)
    stopped: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    scheme: ClassVar[str] = "Bearer"
    """The scheme of ``token`` in the header `Authorization`."""
    spec_name = ""
    spec_base = ""
    undescribed = r"$^"
    """Paths that the subset of the description lacks."""

    @property
    def writes(self) -> list[Exchanged]:
        """The requests that are no reads, without those for a token."""
        return [exchange for exchange in self.requests if exchange.method != "GET" and "/oauth2/" not in exchange.path]

    @abstractmethod
    def handle(self, call: Call) -> Reply:
        """Return the response to a request, and change the state. Raises Refused."""

    @abstractmethod
    def refusal(self, status: int, text: str, code: str = "") -> Reply:
        """Return an error as the IdP words it, with the headers that belong to its status."""

    def respond(self, call: Call) -> Reply | Fault:
        """Return the response to a request, with faults, or the fault that there is none."""
        with self.lock:
            fault = next((fault for fault in [*self.faults] if fault.hits(call)), None)
            reply = None if fault and not fault.after and fault.what != "truncated" else self._carried_out(call)
            if fault and isinstance(fault.what, int):
                reply = self.refusal(fault.what, f"fault {fault.what}")
            shown = Reply(0) if reply is None or (fault and fault.what == "silence") else reply
            exchange = Exchanged(call.method, call.path, tuple(call.query.items()), shown.status, shown.body, call.body)
            self.requests.append(exchange)
            if fault is None:
                self._check(exchange)
        if fault and (reply is None or fault.what == "silence"):
            return fault
        assert reply is not None
        if fault and fault.what == "truncated":
            text = json.dumps(reply.body)
            return reply._replace(body=text[: len(text) // 2].encode())
        return reply

    def _carried_out(self, call: Call) -> Reply:
        try:
            return self.handle(call)
        except Refused as error:
            return self.refusal(error.status, error.text, error.code)

    def _check(self, exchange: Exchanged) -> None:
        spec = find_specs(self.spec_name)
        if spec is None or "/oauth2/" in exchange.path or re.search(self.undescribed, exchange.path):
            return
        if exchange.status == 405 or (exchange.status == 404 and not spec.describes(exchange, self.spec_base)):
            return
        if (problem := spec.problem(exchange, self.spec_base)) is not None:
            self.violations.append(problem)

    @contextmanager
    def served(self) -> Iterator[str]:
        """Give the base URL of a server that answers while the ``with`` lasts. Raises AssertionError at its end if a
        request or a response was not as the IdP describes it."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self.stopped.clear()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            self.stopped.set()
            server.shutdown()
            thread.join()
            server.server_close()
        assert self.violations == []

    @contextmanager
    def client(self, base: str | None = None) -> Iterator[httpx.Client]:
        """Give a client with ``token`` while the server answers. Its paths are below ``base``, or the API's own one."""
        with (
            self.served() as url,
            http_client(f"{url}{self.spec_base if base is None else base}", self.token, self.scheme) as http,
        ):
            yield http


def http_client(url: str, token: str, scheme: str = "Bearer") -> httpx.Client:
    """Return a client with a credential."""
    return httpx.Client(base_url=url, headers={"authorization": f"{scheme} {token}"}, trust_env=False)


def find_route(routes: tuple[Route, ...], call: Call) -> tuple[Route, Call]:
    """Return the route of a request, and the request with its ids. Raises Refused for an unknown path or method."""
    known = False
    for route in routes:
        ids = route.ids(call.path)
        if ids is not None and route.method == call.method:
            return route, call._replace(ids=ids)
        known = known or ids is not None
    raise Refused(405 if known else 404, f"Not found: {call.method} {call.path}")


def _handler(service: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet for headers and body: two would wait 40 ms for each other

        def answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            raw = self.rfile.read(int(headers.get("content-length", 0)))
            reply = service.respond(Call(self.command, parts.path, query, headers, _body(raw, headers)))
            if isinstance(reply, Reply):
                self._send(reply)
            else:
                service.stopped.wait(reply.hold)
                self.close_connection = True

        def _send(self, reply: Reply) -> None:
            data = b"" if reply.body is None else reply.body
            data = data if isinstance(data, bytes) else json.dumps(data).encode()
            self.send_response_only(reply.status)
            headers = {"date": formatdate(usegmt=True), **reply.headers}
            if reply.status != 204:
                headers |= {"content-type": "application/json", "content-length": str(len(data))}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler


def _body(raw: bytes, headers: dict[str, str]) -> Json:
    """Return what was sent: JSON, a form, or text that is neither."""
    if not raw:
        return None
    if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(raw.decode()))
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
