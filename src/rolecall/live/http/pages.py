"""Finds the next page of a list in a response, and any sign of one in an unknown format. Pure.

Known formats are ``Link`` headers (RFC 8288) and OData's next link in the body. Any other sign means that items may be
missing, so the list is partially read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

Json = Any

_LINK = re.compile(r"\s*<([^>]*)>")
_PARAMETER = re.compile(r"\s*;\s*([^\s=;,\"]+)\s*(?:=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?")
_NEXT_LINKS = frozenset({"@odata.nextlink", "@nextlink", "odata.nextlink"})
_SIGN = re.compile(r"next|more|cursor|continu|skip_?token|is_?last|end_?of", re.IGNORECASE)
_BACKWARDS = re.compile(r"prev|before|first|start", re.IGNORECASE)
_ENVELOPES = frozenset({"links", "_links", "paging", "pagination", "page", "pageinfo", "page_info", "meta", "metadata"})
_TOTALS = frozenset({"total", "totalcount", "total_count", "totalresults", "@odata.count", "@count", "x-total-count"})
_HEADER = re.compile(r"^(x-)?(ms-)?(next(-(page|cursor|link|token|url))?|continuation(-token)?|has-(more|next))$")
_PORTS = {"http": 80, "https": 443}


class Following(NamedTuple):
    """The next page according to a response: its URL as sent, or why it cannot be determined.

    Both are None on the last page.
    """

    link: str | None = None
    unknown: str | None = None


def following(headers: Mapping[str, str], body: Json) -> Following:
    """Return the next page of a response; header names are in lower case. Two different ones count as unknown."""
    links = link_targets(headers.get("link", ""))
    if links is None:
        return Following(unknown="its `Link` header cannot be parsed")
    odata = [str(link) for key, link in _items(body) if key.lower() in _NEXT_LINKS and link]
    targets = dict.fromkeys((*links, *odata))
    if len(targets) > 1:
        return Following(unknown="it has two next pages")
    if targets:
        return Following(next(iter(targets)))
    sign = next(signs(headers, body), None)
    return Following(unknown=None if sign is None else f"it has `{sign}`, which may mean a next page")


def link_targets(header: str) -> list[str] | None:
    """Return the targets of the links with ``rel=next`` in a ``Link`` header (RFC 8288 §3), as sent.

    Commas and semicolons in quoted values are part of the value. None for a header that is not a list of links.
    """
    targets: list[str] = []
    at = 0
    while header[at:].strip(" \t,"):
        at += len(header[at:]) - len(header[at:].lstrip(" \t,"))
        link = _LINK.match(header, at)
        if link is None:
            return None
        at, relations = _parameters(header, link.end())
        if header[at:].lstrip()[:1] not in ("", ","):
            return None
        if "next" in relations:
            targets.append(link[1].strip())
    return targets


def _parameters(header: str, at: int) -> tuple[int, list[str]]:
    """Return where the parameters of one link end, and its relation types in lower case. Only the first `rel`
    counts.
    """
    relations: list[str] | None = None
    while parameter := _PARAMETER.match(header, at):
        at = parameter.end()
        if parameter[1].lower() == "rel" and relations is None:
            relations = re.sub(r"\\(.)", r"\1", (parameter[2] or "").strip("\"'")).lower().split()
    return at, relations or []


def signs(headers: Mapping[str, str], body: Json, known: Collection[str] = ()) -> Iterator[str]:
    """Yield each header and key that may mean a next page, except the ``known`` keys of the body."""
    for name, value in headers.items():
        if _HEADER.match(name) and value.strip().lower() not in ("", "false", "0", "null"):
            yield name
    for key, value in _items(body):
        if key in known:
            continue
        if _points_on(key, value):
            yield key
        if key.lower() in _ENVELOPES:
            yield from (f"{key}.{inner}" for inner, nested in _items(value) if _points_on(inner, nested))


def more_than(headers: Mapping[str, str], body: Json, read: int) -> int | None:
    """Return the total in the response if it is more than the ``read`` rows, else None."""
    pairs = [*headers.items(), *_items(body)]
    totals = [_number(value) for key, value in pairs if key.lower() in _TOTALS]
    return max((total for total in totals if total is not None and total > read), default=None)


def within(base: str, path: str, link: str) -> str | None:
    """Return the path and query of a next link below ``base``, or None where it leads to another host or path.

    ``link`` may be relative to ``path``, the requested path. Hosts are compared without case, final dot and default
    port; the scheme may differ, as behind a proxy that terminates TLS, because the request goes to ``base`` anyway.
    """
    try:
        root, target = urlsplit(base), urlsplit(urljoin(base + path, link.strip()))
        same = _host(root) == _host(target)
    except ValueError:
        return None
    prefix = root.path.rstrip("/")
    if not same or not target.path.startswith(f"{prefix}/"):
        return None
    return target.path.removeprefix(prefix) + (f"?{target.query}" if target.query else "")


def _host(url: SplitResult) -> tuple[str, int | None]:
    """Return the host and port; the port is None when it is the default of the scheme."""
    port = None if url.port == _PORTS.get(url.scheme) else url.port
    return (url.hostname or "").rstrip("."), port


def _points_on(key: str, value: Json) -> bool:
    """Return whether a key with this value may mean that there is more."""
    if not _SIGN.search(key) or _BACKWARDS.search(key):
        return False
    if re.search(r"last|end", key, re.IGNORECASE):
        return value is False
    return value not in (None, False, 0, "", [], {})


def _number(value: Json) -> int | None:
    if isinstance(value, bool):
        return None
    return value if isinstance(value, int) else int(value) if isinstance(value, str) and value.isdecimal() else None


def _items(body: Json) -> list[tuple[str, Json]]:
    return [(str(key), value) for key, value in body.items()] if isinstance(body, dict) else []
