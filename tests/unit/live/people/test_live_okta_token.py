"""The token of an OAuth service app in Okta: a signed assertion, the scopes that the app has, and what goes wrong."""

from __future__ import annotations

import base64
import builtins
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fake_idps import Site, okta_answers, served

from rolecall.errors import SecretError
from rolecall.live.http import refusals
from rolecall.live.http.transport import NoAnswer
from rolecall.live.people.okta_records import SCOPES
from rolecall.live.people.okta_token import service_sign_in

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any) -> str:
    return str(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def jwk(key: rsa.RSAPrivateKey) -> str:
    numbers = key.private_numbers()
    parts = {
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    encoded = {
        name: base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)) for name, value in parts.items()
    }
    return json.dumps({"kty": "RSA", **{name: text.rstrip(b"=").decode() for name, text in encoded.items()}})


@pytest.fixture
def site() -> Site:
    return Site(public_key=KEY.public_key(), scopes=SCOPES)


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    with served(site, okta_answers, okta=True) as base:
        yield base


def token(url: str, key: str) -> str:
    return service_sign_in(url, "0oa9", lambda: key, refusals.OKTA.within("idp.okta"))().token


@pytest.mark.parametrize("key", [pem(KEY), jwk(KEY)], ids=["PEM", "JWK"])
def test_a_key_in_either_form_signs_in(site: Site, url: str, key: str) -> None:
    assert token(url, key) == site.token


def test_scopes_that_the_app_lacks_are_left_out(site: Site, url: str) -> None:
    site.scopes = SCOPES[:2]
    assert token(url, pem(KEY)) == site.token


def test_an_app_without_any_scope_gets_no_token(site: Site, url: str) -> None:
    site.scopes = ()
    with pytest.raises(SecretError) as caught:
        token(url, pem(KEY))
    assert "Okta returned no token: One or more scopes are not granted." in str(caught.value)
    assert "okta.apps.read, okta.groups.read" in str(caught.value)


@pytest.mark.parametrize("value", [None, "", 7, ["x"]])
def test_an_answer_whose_token_is_none_is_no_token(site: Site, url: str, value: Any) -> None:
    site.token = value
    with pytest.raises(SecretError) as caught:
        token(url, pem(KEY))
    assert "the response has no token" in str(caught.value)


def test_another_key_is_refused_and_no_assertion_is_shown(url: str) -> None:
    with pytest.raises(SecretError) as caught:
        token(url, pem(OTHER))
    assert "bad assertion ***" in str(caught.value)
    assert "`idp.okta.private_key`" in str(caught.value)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "canary-1",
        "{}",
        '{"kty": "canary-1"}',
        "-----BEGIN PRIVATE KEY-----\ncanary-1",
        pem(ec.generate_private_key(ec.SECP256R1())),
    ],
)
def test_what_is_no_rsa_key_is_named_without_it(url: str, key: str) -> None:
    with pytest.raises(SecretError) as caught:
        token(url, key)
    assert "`idp.okta.private_key` is not an RSA private key" in str(caught.value)
    assert "canary-1" not in str(caught.value)


def test_without_the_extra_the_message_names_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SecretError) as caught:
        token(url, pem(KEY))
    assert "pip install 'rolecall[okta]'" in str(caught.value)


def test_a_server_that_cannot_be_reached() -> None:
    with pytest.raises(NoAnswer) as caught:
        token("http://127.0.0.1:9", pem(KEY))
    problem = caught.value.problems[0]
    assert problem.message == "Okta (127.0.0.1:9) could not be reached"
    assert problem.hint == "check `idp.okta.url` and the network"
