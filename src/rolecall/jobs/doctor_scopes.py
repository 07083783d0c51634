"""Check the scopes that the OAuth credentials of the IdP have: missing ones, and what they are for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from rolecall.errors import Problem
from rolecall.model.checkup import Check

UNKNOWN = "an API token has all rights of the admin who created it, which cannot be checked"


def examine_scopes(name: str, key: str, granted: Collection[str] | None, uses: Mapping[str, str]) -> Check:
    """Check the scopes of one credential; ``granted`` is None for an API token.

    ``key`` is the key of the credential in the configuration, ``uses`` what each scope is needed for.
    """
    if granted is None:
        return Check(name, f"`{key}.token`: {UNKNOWN}")
    problems = [
        Problem("idp_scope", f"`{key}`: the app lacks {scope}, needed for {use}", None, _HINT, "warning")
        for scope, use in uses.items()
        if scope not in granted
    ]
    return Check(name, f"`{key}` has {', '.join(sorted(granted))}", tuple(problems))


_HINT = "grant the scope to the app integration in Okta, if you use this"
