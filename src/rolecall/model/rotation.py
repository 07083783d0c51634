"""Defines a rotation of the SCIM token: the tokens of an org, and how far the rotation got. No secret is part of it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from rolecall.model.outcome import Refused, Unknown

Phase = Literal["creating", "created", "handed_over", "saving", "proven"]
"""The phase of a rotation.

``creating``: the org may have the new token. ``created``: the IdP cannot have it. ``handed_over``: a file has it, for
an admin who enters it in the IdP. ``saving``: the IdP may have it. ``proven``: the IdP uses it, so the old one can go.
"""


class ScimToken(NamedTuple):
    """A SCIM token of an org, without its secret. ``used`` and ``wrote`` are its last successful request and write,
    None for never and for an org that does not record them."""

    id: str
    created: str
    used: datetime | None = None
    wrote: datetime | None = None


class ScimEndpoint(NamedTuple):
    """The SCIM endpoint of an org: its URL for the IdP, and its valid tokens, oldest first."""

    url: str
    tokens: tuple[ScimToken, ...]

    def token(self, token_id: str | None) -> ScimToken | None:
        """Return a token by its ID; None if it is not valid."""
        return next((token for token in self.tokens if token.id == token_id), None)

    def used_since(self, before: ScimEndpoint) -> frozenset[str]:
        """Return the IDs of the tokens that were used since an earlier read."""
        earlier = {token.id: token.used for token in before.tokens}
        return frozenset(token.id for token in self.tokens if token.used and token.used != earlier.get(token.id))

    @property
    def records_uses(self) -> bool:
        """Return whether the org records uses, as far as that is visible."""
        return any(token.used for token in self.tokens)


class NewToken(NamedTuple):
    """A token that was created, with its secret; None if the response that had the secret was lost."""

    id: str
    secret: str | None


Creation = NewToken | Refused | Unknown


class Rotation(NamedTuple):
    """A rotation that is not finished, as the journal keeps it.

    ``run`` is its run, ``where`` the app in the IdP, ``old`` the IDs of the tokens that it replaces, ``new`` that of
    the new one, ``attempt`` the number of tokens that it created so far, and ``file`` the file that has the secret.
    """

    run: int
    where: str
    old: tuple[str, ...]
    phase: Phase
    new: str | None = None
    attempt: int = 1
    file: str | None = None
