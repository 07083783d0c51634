"""Normalizes names, so that equal names compare equal on both sides."""

from __future__ import annotations

import unicodedata


def name(text: str) -> str:
    """Return a group's or team's name: NFC, outer white space trimmed, otherwise unchanged."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()


def caseless(text: str) -> str:
    """Return text in lower case, NFC and trimmed. Letters are not folded: ß is not ss."""
    return text.strip().lower() if text.isascii() else name(name(text).lower())


def email(text: str) -> str:
    """Return the form in which email addresses are compared: NFC, lower case, the domain after IDNA (R28).

    A domain that is not a valid domain name is compared as written.
    """
    if text.isascii():
        return text.strip().lower()
    local, at, host = caseless(text).rpartition("@")
    if host.isascii():
        return f"{local}{at}{host}"
    try:
        return f"{local}{at}{domain(host)}" if at else host
    except ValueError:
        return f"{local}{at}{host}"


def domain_of(address: str) -> str:
    """Return the domain of an email address in `domain`'s form; empty for text that is not an address."""
    local, _, host = email(address).rpartition("@")
    return host.rstrip(".") if local else ""


def domain(text: str) -> str:
    """Return a domain in lower case after IDNA, without a trailing dot. Raises ValueError if it is not a domain
    name.
    """
    trimmed = text.strip().rstrip(".").lower()
    if not trimmed.isascii():
        import idna

        try:
            trimmed = idna.encode(name(trimmed), uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"`{text}` is not a domain name") from error
    labels = trimmed.split(".")
    if len(trimmed) > 253 or len(labels) < 2 or not all(map(_is_label, labels)):
        raise ValueError(f"`{text}` is not a domain name")
    return trimmed


def known_domain(text: str) -> str:
    """Return ``domain``, or text that is not a domain name in lower case."""
    try:
        return domain(text)
    except ValueError:
        return caseless(text)


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= 63
        and label.replace("-", "a").replace("_", "a").isalnum()
        and not label.startswith("-")
        and not label.endswith("-")
    )


def metadata(text: str) -> str:
    """Return the IdP's metadata XML with LF line ends and outer white space trimmed."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
