"""Test proxy and certificate variables: their effect for a host, and errors for values that cannot be used."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.proxies import ProxyProblemError, bypasses, certificates, proxy_for
from rolecall.live.http.transport import NoAnswer, Request, Timeouts

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def silent() -> int:
    """A port of this machine on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    ("no_proxy", "host", "bypassed"),
    [
        ("*", "writer.example", True),
        ("writer.example", "writer.example", True),
        ("Writer.Example", "writer.example", True),
        ("example", "writer.example", True),
        (".example", "writer.example", True),
        ("*.example", "writer.example", True),
        ("riter.example", "writer.example", False),
        ("localhost,[::1]", "::1", True),
        ("localhost, ::1", "::1", True),
        ("[::1]:443", "::1", True),
        ("[::1]:8080", "::1", False),
        ("fd00::/8", "fd12::5", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("writer.example:443", "writer.example", True),
        ("writer.example:8443", "writer.example", False),
        ("https://writer.example", "writer.example", True),
        ("localhost 127.0.0.1", "127.0.0.1", True),
        (",,", "writer.example", False),
        ("[", "writer.example", False),
    ],
)
def test_no_proxy_names_hosts(no_proxy: str, host: str, bypassed: bool) -> None:
    assert bypasses(no_proxy, host, 443) is bypassed


def test_the_proxy_of_the_scheme_comes_before_the_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.example:1")
    assert proxy_for("https://writer.example").shown == "http://all.example:1"
    monkeypatch.setenv("https_proxy", "user:s3cret@own.example:2")
    proxy = proxy_for("https://writer.example")
    assert (proxy.variable, proxy.url, proxy.shown) == (
        "HTTPS_PROXY",
        "http://user:s3cret@own.example:2",
        "http://own.example:2",
    )
    monkeypatch.setenv("NO_PROXY", "example")
    assert proxy_for("https://writer.example") is None


@pytest.mark.parametrize(
    ("url", "no_proxy", "direct"),
    [
        ("https://writer.example", "writer.example:443", True),
        ("https://writer.example", "writer.example:80", False),
        ("http://writer.example", "writer.example:80", True),
        ("https://writer.example:8443", "writer.example:8443", True),
        ("https://writer.example:8443", "writer.example:443", False),
    ],
)
def test_no_proxy_with_a_port_names_the_port_that_is_used(
    monkeypatch: pytest.MonkeyPatch, url: str, no_proxy: str, direct: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://all.example:1")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (proxy_for(url) is None) is direct


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("ALL_PROXY", "socks5://u:s3cret@127.0.0.1:9", "SOCKS"),
        ("HTTPS_PROXY", "ftp://127.0.0.1:9", "unknown type"),
        ("HTTPS_PROXY", "http://[::1", "not a URL"),
        ("HTTPS_PROXY", "http://host:port", "not a URL"),
        ("HTTPS_PROXY", "http://:8080", "no host"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ProxyProblemError) as refused:
        proxy_for("https://writer.example")
    told = str(refused.value.problem)
    assert variable in told
    assert words in told
    assert "s3cret" not in told
    assert "writer.example" in told


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_a_certificate_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with pytest.raises(ProxyProblemError, match="SSL_CERT_FILE"):
        certificates(environment=True)
    assert certificates(environment=False)


def _refusal(url: str) -> NoAnswer:
    async def ask() -> None:
        transport = HttpTransport(base_url(url), lambda: "token", Timeouts(connect=1, read=1, whole=2))
        try:
            await transport.send(Request("GET", "/v1/org"))
        finally:
            await transport.close()

    with pytest.raises(NoAnswer) as refused:
        asyncio.run(ask())
    return refused.value


def test_an_org_behind_a_proxy_that_does_not_answer_names_both(monkeypatch: pytest.MonkeyPatch, silent: int) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://u:s3cret@127.0.0.1:{silent}")
    told = str(_refusal("https://writer.example").problems[0])
    assert "writer.example" in told
    assert f"http://127.0.0.1:{silent} from HTTPS_PROXY" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("variable", "value"), [("ALL_PROXY", "socks5://127.0.0.1:9"), ("SSL_CERT_FILE", "/nowhere/ca.pem")]
)
def test_a_variable_that_cannot_be_used_ends_in_an_error_about_it(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    error = _refusal("https://writer.example")
    assert variable in str(error.problems[0])
    assert error.final
    assert error.problems[0].code == "org_proxy"
