"""Gets an access token of an OAuth service app in Okta, with a signed assertion (private_key_jwt, RFC 7523).

Signing requires the package `cryptography`, which the extra ``okta`` installs.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rolecall.errors import Problem, SecretError, Where
from rolecall.live.http.refusals import EndpointMessages
from rolecall.live.people.okta_records import SCOPES
from rolecall.live.people.sign_in import NoSignIn, SignIn, request_token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECONDS = 300
"""Seconds that an assertion is valid."""
UNGRANTED = frozenset({"invalid_scope", "consent_required", "access_denied"})
"""Errors for a scope that the app does not have."""
DPOP = frozenset({"invalid_dpop_proof", "use_dpop_nonce"})


def service_sign_in(
    url: str,
    client_id: str,
    private_key: Callable[[], str],
    messages: EndpointMessages,
    allow_http: bool = False,
    now: Callable[[], float] = time.time,
    place: Where | None = None,
    wanted_scopes: tuple[str, ...] = SCOPES,
) -> Callable[[], SignIn]:
    """Return the function that gets a token with those of the scopes that the app has. It raises SecretError.

    ``url`` is that of the Okta org, ``place`` that of the private key in the configuration.
    """
    from rolecall.live.http.httpx_transport import base_url

    base = base_url(url, allow_http=allow_http, messages=messages)
    endpoint = f"{base.text}/oauth2/v1/token"

    def fetch() -> SignIn:
        """Return an access token and the scopes that were granted. Raises SecretError."""
        key = _load(private_key(), messages.section, place)

        def ask(*scopes: str) -> SignIn | NoSignIn:
            """Ask for a token with some scopes, with an assertion of its own."""
            form = {
                "grant_type": "client_credentials",
                "scope": " ".join(scopes),
                "client_assertion_type": ASSERTION,
                "client_assertion": assertion(key, client_id, endpoint, now()),
            }
            return request_token(endpoint, form, "client_assertion", base.loopback)

        answer, requested = ask(*wanted_scopes), wanted_scopes
        if isinstance(answer, NoSignIn) and answer.code in UNGRANTED:
            granted = tuple(scope for scope in wanted_scopes if isinstance(ask(scope), SignIn))
            answer, requested = (ask(*granted), granted) if granted else (answer, ())
        if isinstance(answer, SignIn):
            return answer._replace(scopes=answer.scopes or frozenset(requested))
        if answer.unreached:
            hint = f"check `{messages.setting}` and the network"
            raise answer.lost("okta_unreachable", "Okta", base.text, hint)
        raise SecretError(_refused(answer, messages.section, wanted_scopes))

    return fetch


def assertion(key: RSAPrivateKey, client_id: str, endpoint: str, at: float) -> str:
    """Return the signed assertion that the client is ``client_id``; ``at`` is seconds since 1970."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    issued = int(at)
    claims = {"iss": client_id, "sub": client_id, "aud": endpoint, "iat": issued, "exp": issued + SECONDS}
    signed = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part({**claims, 'jti': str(uuid.uuid4())})}"
    return f"{signed}.{_text(key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content, separators=(",", ":")).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _load(text: str, section: str, place: Where | None) -> RSAPrivateKey:
    """Return an RSA key from PEM or from a JWK, the two forms that Okta shows. Raises SecretError without the text, at
    the ``place`` of its reference.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        hint = "install it: pip install 'rolecall[okta]', or use `token`"
        message = f"`{section}.private_key` requires the extra `okta`"
        raise SecretError(Problem("extra", message, None, hint)) from None
    try:
        key: object = _from_jwk(json.loads(text)) if text.startswith("{") else load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, KeyError, AttributeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        hint = "use the private key that Okta showed when the key was generated, as PEM or JWK"
        raise SecretError(Problem("private_key", f"`{section}.private_key` is not an RSA private key", place, hint))
    return key


def _from_jwk(jwk: dict[str, str]) -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers, RSAPublicNumbers

    e, n, d, p, q, dp, dq, qi = (
        int.from_bytes(base64.urlsafe_b64decode(f"{jwk[name]}=="))
        for name in ("e", "n", "d", "p", "q", "dp", "dq", "qi")
    )
    return RSAPrivateNumbers(p, q, d, dp, dq, qi, RSAPublicNumbers(e, n)).private_key()


def _refused(answer: NoSignIn, section: str, scopes: tuple[str, ...]) -> Problem:
    message = f"Okta returned no token: {answer.reason}"
    hint = f"check `{section}.client_id` and `{section}.private_key`, and that the app has {', '.join(scopes[:2])}"
    if answer.code in DPOP:
        hint = "turn off *Require Demonstrating Proof of Possession (DPoP)* for this app in Okta"
    return Problem("okta_token", message, None, hint)
