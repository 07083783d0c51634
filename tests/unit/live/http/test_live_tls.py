"""Test that certificates are checked: an org with an untrusted one gets no token."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rolecall.live.http.httpx_transport import HttpTransport, base_url
from rolecall.live.http.transport import NoAnswer, Request

OPENSSL = shutil.which("openssl")


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """A server that speaks TLS with a certificate of its own making."""
    if OPENSSL is None:
        pytest.skip("openssl is not at hand to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"]
    made = [OPENSSL, "req", "-x509", "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate), *subject]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_refuse_one, args=(listener, context))
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def _refuse_one(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, pytest.raises(OSError):
        context.wrap_socket(connection, server_side=True)


def test_a_certificate_that_nobody_vouches_for(port: int) -> None:
    async def whole() -> None:
        transport = HttpTransport(base_url(f"https://127.0.0.1:{port}"), lambda: "canary")
        try:
            await transport.send(Request("GET", "/v1/org"))
        finally:
            await transport.close()

    with pytest.raises(NoAnswer) as caught:
        asyncio.run(whole())
    assert caught.value.problems[0].code == "org_tls"
    assert caught.value.final
    assert not caught.value.sent
