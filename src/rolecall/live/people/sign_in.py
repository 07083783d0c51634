"""Asks an IdP's token endpoint for an access token, with client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from rolecall.errors import Problem
from rolecall.live.http.call import Call, CallError, UnreachedError, call
from rolecall.live.http.proxies import ProxyProblemError, connection
from rolecall.live.http.transport import NoAnswer

SECONDS = 30.0
"""Seconds that the response may take in total."""


class SignIn(NamedTuple):
    """An access token, and the scopes that it has, if the endpoint reports them."""

    token: str
    scopes: frozenset[str] = frozenset()


class NoSignIn(NamedTuple):
    """The reason for no token, without the secret. ``code`` is OAuth's error code, empty without one.

    ``unreached``: there was no response.
    """

    reason: str
    code: str = ""
    unreached: bool = False

    def lost(self, code: str, service: str, url: str, hint: str) -> NoAnswer:
        """Return the error of a sign-in service that did not respond."""
        message = f"{service} ({urlsplit(url).netloc}) {self.reason}"
        return NoAnswer(Problem(code, message, None, hint), sent=False)


def _token(value: object) -> str:
    """Return a token. Raises TypeError for anything that cannot be one."""
    if not isinstance(value, str) or not value:
        raise TypeError("a token is text")
    return value


def request_token(url: str, form: Mapping[str, str], secret: str, loopback: bool) -> SignIn | NoSignIn:
    """Return the token for a form, or why there is none. ``secret`` is the field whose value no text may contain."""
    try:
        proxy, trusted = connection(url, environment=not loopback)
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        response = call(Call("POST", url, headers, urlencode(form).encode(), proxy, trusted, SECONDS))
        answer = json.loads(response.body)
        if response.ok:
            return SignIn(_token(answer["access_token"]), frozenset(str(answer.get("scope") or "").split()))
        code = str(answer.get("error") or "")
        text = str(answer.get("error_description") or code or response.status).replace(form[secret], "***")
        return NoSignIn(text.splitlines()[0][:300], code)
    except ProxyProblemError as error:
        return NoSignIn(error.problem.message)
    except UnreachedError as error:
        return NoSignIn(str(error), unreached=True)
    except CallError as error:
        return NoSignIn(f"it {error}")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, IndexError):
        return NoSignIn("the response has no token")
