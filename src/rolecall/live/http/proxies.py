"""Finds the proxy and certificates for a host in HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY and SSL_CERT_FILE.

The HTTP library reads these variables itself, but raises errors of its own for values that it cannot use: a NO_PROXY
entry such as ``[::1]``, a SOCKS proxy, a file without certificates. Here each has its own problem.
"""

from __future__ import annotations

import re
import ssl
from functools import cache
from importlib.util import find_spec
from ipaddress import ip_address, ip_network
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies

from rolecall.errors import Problem

_SOCKS = ("socks5", "socks5h")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"https": 443, "http": 80}


class ProxyProblemError(Exception):
    """A variable that cannot be used. ``problem`` names it, without a password."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.problem = Problem("proxy", message, None, hint)


class Proxy(NamedTuple):
    """A proxy: ``variable`` is where it is configured, ``url`` may contain a password, ``shown`` does not."""

    variable: str
    url: str
    shown: str


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for an ``https://`` or ``http://`` URL; None for a direct connection.

    Raises ProxyProblemError for a proxy that cannot be used.
    """
    parts = urlsplit(url)
    settings = getproxies()
    host = (parts.hostname or "").lower()
    scheme = next((name for name in (parts.scheme, "all") if settings.get(name)), None)
    if scheme is None or bypasses(settings.get("no", ""), host, parts.port or _PORTS.get(parts.scheme, 0)):
        return None
    url_or_host = settings[scheme]
    return _usable(f"{scheme.upper()}_PROXY", url_or_host if "://" in url_or_host else f"http://{url_or_host}", host)


def connection(url: str, *, environment: bool) -> tuple[str | None, ssl.SSLContext]:
    """Return the proxy's URL (or None) and the trusted authorities. Raises ProxyProblemError.

    With ``environment`` False, variables are ignored, as for hosts on this machine.
    """
    proxy = proxy_for(url) if environment else None
    return None if proxy is None else proxy.url, certificates(environment=environment)


def bypasses(no_proxy: str, host: str, port: int) -> bool:
    """Return whether NO_PROXY covers a host: ``*``, a domain, its subdomains, an address, a network."""
    return any(_matches(entry.lower(), host, port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def certificates(*, environment: bool) -> ssl.SSLContext:
    """Return the trusted authorities. Raises ProxyProblemError if those of SSL_CERT_FILE cannot be read."""
    import httpx

    if not environment:
        return _bundled()
    try:
        return httpx.create_ssl_context(trust_env=True)
    except (OSError, ssl.SSLError) as error:
        reason = (
            "it contains no certificate" if isinstance(error, ssl.SSLError) else (error.strerror or str(error)).lower()
        )
        message = f"SSL_CERT_FILE or SSL_CERT_DIR cannot be used: {reason}"
        raise ProxyProblemError(message, "set it to a file with PEM certificates, or unset it") from None


@cache
def _bundled() -> ssl.SSLContext:
    """Return the authorities that httpx brings, which take 20 ms to load, once for the process."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, own_port = _parts(entry.rpartition("://")[2])
    if own_port is not None and own_port != port:
        return False
    try:
        return ip_address(host) in ip_network(name, strict=False)
    except ValueError:
        domain = name.removeprefix("*").removeprefix(".")
        return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _parts(entry: str) -> tuple[str, int | None]:
    """Split ``[::1]:8080``, ``::1`` or ``example.com:8080`` into host and port."""
    match = re.fullmatch(r"\[([^\]]*)\](?::(\d+))?", entry) or re.fullmatch(r"([^:]*):(\d+)", entry)
    if match is None:
        return entry, None
    return match[1], int(match[2]) if match[2] else None


def _usable(variable: str, url: str, host: str) -> Proxy:
    hint = f"set a proxy in the form http://HOST:PORT, or add {host} to NO_PROXY"
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port
    except ValueError:
        raise ProxyProblemError(f"the proxy in {variable} is not a URL", hint) from None
    shown = f"{parts.scheme}://{f'[{name}]' if name and ':' in name else name}{f':{port}' if port else ''}"
    if not name:
        raise ProxyProblemError(f"the proxy in {variable} has no host", hint)
    if parts.scheme in _SOCKS and find_spec("socksio") is None:
        raise ProxyProblemError(f"{variable} is a SOCKS proxy ({shown}), which rolecall does not support", hint)
    if parts.scheme not in (*_SOCKS, "http", "https"):
        raise ProxyProblemError(f"{variable} is a proxy of an unknown type ({shown})", hint)
    return Proxy(variable, url, shown)
