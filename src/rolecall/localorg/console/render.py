"""Pages as HTML: one Jinja2 environment, everything escaped, nothing loaded from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from rolecall.localorg.web import Response
from rolecall.model import console
from rolecall.model.roles import role_words

if TYPE_CHECKING:
    from jinja2 import Environment

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: Final = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)

SOURCES: Final[Mapping[str, str]] = {
    "default": "default access",
    "saml": "default access, by SAML",
    "invite": "invitation",
    "manual": "manual edit",
    "attribute": "role attribute",
}


def page(template: str, status: int = 200, headers: tuple[tuple[str, str], ...] = (), **values: Any) -> Response:
    """Return a template as an answer."""
    html = environment().get_template(f"{template}.html").render(**values)
    body = html.encode()
    sent = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body))), *HEADERS, *headers)
    return Response(status, sent, body)


def redirect(where: str, *headers: tuple[str, str]) -> Response:
    """Return the answer to a form that was saved: a redirect to its page."""
    return Response(303, (("Location", where), ("Content-Length", "0"), *HEADERS, *headers))


def stylesheet() -> Response:
    """Return the one stylesheet."""
    body = files(__package__).joinpath("templates/console.css").read_bytes()
    kind = ("Content-Type", "text/css; charset=utf-8")
    return Response(200, (kind, ("Content-Length", str(len(body))), ("Cache-Control", "no-cache")), body)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the templates."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    jinja = Environment(
        loader=PackageLoader("rolecall.localorg.console"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    jinja.globals.update(console=console)
    jinja.filters.update(role=role_words, source=source_words, day=moment, pretty=pretty)
    return jinja


def source_words(source: str) -> str:
    """Return the source of access as text."""
    kind, _, name = source.partition(":")
    return f"group {name}" if kind == "group" else SOURCES.get(source, source)


def moment(at: str) -> str:
    """Return a time as text: 22 Nov 2026, 10:03 UTC."""
    from datetime import datetime

    return datetime.fromisoformat(at.replace("Z", "+00:00")).strftime("%-d %b %Y, %H:%M UTC")


def pretty(value: Any) -> str:
    """Return a JSON value on several lines."""
    return json.dumps(value, ensure_ascii=False, indent=1)
