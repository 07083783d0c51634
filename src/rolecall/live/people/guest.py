"""The address of a guest of an Entra directory, out of the name that the directory gives them."""

from __future__ import annotations

MARK = "#ext#"


def is_guest_name(name: str) -> bool:
    """Whether a user principal name is a guest's, such as ``bo_partner.com#EXT#@acme.onmicrosoft.com``."""
    return "#" in name and MARK in name.lower()


def external_address(name: str) -> str | None:
    """Return the address of a guest's user principal name, ``bo@partner.com`` for the example above.

    Entra writes the address with ``_`` for ``@``. A domain has no ``_``, so the last one stood for the ``@``. None
    where there is none.
    """
    local, _, domain = name[: name.lower().index(MARK)].rpartition("_")
    return f"{local}@{domain}" if local and "." in domain else None
