"""Reads the dates of an X.509 certificate (RFC 5280 §4.1) from its DER, without checking signatures."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

_SEQUENCE = 0x30
_VERSION = 0xA0
_UTC_TIME = 0x17
_GENERALIZED_TIME = 0x18
_PIVOT = 50
"""Two-digit years below this are in this century (RFC 5280 §4.1.2.5.1)."""


class Certificate(NamedTuple):
    """A certificate: the SHA-256 of its DER in hex, and its validity period, in UTC."""

    sha256: str
    not_before: datetime
    not_after: datetime


class _Element(NamedTuple):
    tag: int
    body: bytes


def decode_certificate(der: bytes) -> Certificate:
    """Return the certificate. Raises ValueError for anything else."""
    outer = _elements(der, 1)[0]
    if outer.tag != _SEQUENCE:
        raise ValueError("a certificate starts with a sequence")
    fields = _elements(_elements(outer.body, 1)[0].body, 7)
    fields = fields[1:] if fields[0].tag == _VERSION else fields
    start, end = _elements(fields[3].body, 2)[:2]
    return Certificate(sha256(der).hexdigest(), _moment(start), _moment(end))


def _elements(data: bytes, least: int) -> list[_Element]:
    """Return the elements of ``data`` in sequence. Raises ValueError for fewer than ``least``."""
    elements = []
    position = 0
    while position < len(data):
        element, position = _element(data, position)
        elements.append(element)
    if len(elements) < least:
        raise ValueError("a part of the certificate is missing")
    return elements


def _element(data: bytes, position: int) -> tuple[_Element, int]:
    if position + 2 > len(data):
        raise ValueError("the certificate is cut off")
    tag, length = data[position], data[position + 1]
    start = position + 2
    if length & 0x80:
        width = length & 0x7F
        if not 0 < width <= 4:
            raise ValueError("the certificate has a length that DER does not allow")
        length = int.from_bytes(data[start : start + width])
        start += width
    if start + length > len(data):
        raise ValueError("the certificate is cut off")
    return _Element(tag, data[start : start + length]), start + length


def _moment(element: _Element) -> datetime:
    text = element.body.decode("ascii")
    if element.tag == _UTC_TIME:
        century = "20" if int(text[:2]) < _PIVOT else "19"
        text = century + text
    elif element.tag != _GENERALIZED_TIME:
        raise ValueError("the certificate has no validity dates")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
