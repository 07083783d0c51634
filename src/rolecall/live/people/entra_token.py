"""A token for Microsoft Graph by client credentials (OAuth 2.0, RFC 6749 §4.4): asked for once, when first needed."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, urlencode

from rolecall.errors import Problem, SecretError
from rolecall.live.http.call import Call, CallError, call
from rolecall.live.http.proxies import ProxyProblemError, connection

SECONDS = 30.0
"""Seconds that the answer of the sign-in service may take in all."""


def client_token(
    login: str, tenant: str, client_id: str, secret: Callable[[], str] | None, graph: str, allow_http: bool = False
) -> Callable[[], str]:
    """What gives the token. Called, it raises SecretError in the sign-in service's words, without the secret."""
    from rolecall.live.http.httpx_transport import base_url

    base = base_url(login, allow_http=allow_http)

    def fetch() -> str:
        if secret is None or not client_id:
            hint = "add `client_id` and `client_secret`, or `token`"
            raise SecretError(Problem("entra_token", "Entra needs a token or a client", None, hint))
        form = {
            "client_id": client_id,
            "client_secret": secret(),
            "grant_type": "client_credentials",
            "scope": f"{graph.rstrip('/')}/.default",
        }
        return _asked(f"{base.text}/{quote(tenant, safe='')}/oauth2/v2.0/token", form, base.loopback)

    return fetch


def _asked(url: str, form: dict[str, str], loopback: bool) -> str:
    try:
        proxy, trusted = connection(url, environment=not loopback)
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = Call("POST", url, headers, urlencode(form).encode(), proxy, trusted, SECONDS)
        response = call(request)
        answer = json.loads(response.body)
        if response.ok:
            return str(answer["access_token"])
        reason = str(answer.get("error_description") or answer.get("error") or response.status).splitlines()[0][:300]
    except ProxyProblemError as error:
        reason = error.problem.message
    except CallError as error:
        reason = f"it {error}"
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        reason = "it did not answer with a token"
    reason = reason.replace(form["client_secret"], "***")
    hint = "check `people.client_id`, `people.client_secret` and the tenant"
    raise SecretError(Problem("entra_token", f"Entra's sign-in service gave no token: {reason}", None, hint))
