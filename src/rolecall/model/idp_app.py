"""Defines the parts of the WRITER app in an IdP, each as it was read or why it could not be read."""

from __future__ import annotations

from typing import NamedTuple

from rolecall.model.trace import NotRead

WRITER_HOST = "app.writer.com"
"""The host of WRITER's SAML and SCIM endpoints, which the app in the IdP has in its URLs."""


class AppPart(NamedTuple):
    """A part of the app, such as ``pushes``, and its state in words."""

    name: str
    state: str | NotRead


class IdpApp(NamedTuple):
    """The app in an IdP. ``where`` names it: ``Okta, acme.okta.com, app 0oa1b2c3``. ``hosts`` are those of its URLs."""

    where: str
    hosts: frozenset[str] | NotRead
    parts: tuple[AppPart, ...]

    @property
    def unread(self) -> tuple[tuple[str, NotRead], ...]:
        """Return the names of the parts that could not be read, with the reasons."""
        return tuple((part.name, part.state) for part in self.parts if isinstance(part.state, NotRead))
