"""A token for Microsoft Graph by client credentials (OAuth 2.0, RFC 6749 §4.4): asked for once, when first needed."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from rolecall.errors import Problem, SecretError
from rolecall.live.proxies import ProxyProblemError, connection

SECONDS = 30.0


def client_token(
    login: str, tenant: str, client_id: str, secret: Callable[[], str] | None, graph: str, allow_http: bool = False
) -> Callable[[], str]:
    """What gives the token. Called, it raises SecretError in the sign-in service's words, without the secret."""
    from rolecall.live.http import base_url

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
    import httpx

    try:
        proxy, trusted = connection(url, environment=not loopback)
        with httpx.Client(
            proxy=proxy, verify=trusted, timeout=SECONDS, follow_redirects=False, trust_env=False
        ) as client:
            answer = client.post(url, data=form)
        said = answer.json()
        if answer.is_success:
            return str(said["access_token"])
        why = str(said.get("error_description") or said.get("error") or answer.status_code).splitlines()[0][:300]
    except ProxyProblemError as error:
        why = error.problem.message
    except httpx.HTTPError as error:
        why = f"no answer ({type(error).__name__})"
    except (ValueError, KeyError, TypeError, AttributeError):
        why = "it did not answer with a token"
    why = why.replace(form["client_secret"], "***")
    hint = "check `people.client_id`, `people.client_secret` and the tenant"
    raise SecretError(Problem("entra_token", f"Entra's sign-in service gave no token: {why}", None, hint))
