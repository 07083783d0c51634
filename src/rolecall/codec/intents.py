"""Intents to JSON and back: what YAML says about an address, its place included."""

from __future__ import annotations

from collections.abc import Mapping

from rolecall.codec.policy import as_day
from rolecall.codec.settings import Json
from rolecall.errors import Where
from rolecall.model.desired import Intent

_WORDS = ("owner", "reason", "ticket", "id")


def encode_intent(intent: Intent) -> dict[str, Json]:
    """The parts that say something; ``source`` is ``{file, line, column}``."""
    said: dict[str, Json] = {name: getattr(intent, name) for name in _WORDS if getattr(intent, name) is not None}
    said |= {name: True for name in ("protect", "remove") if getattr(intent, name)}
    if intent.previously:
        said["previously"] = list(intent.previously)
    if intent.expires:
        said["expires"] = intent.expires.isoformat()
    if intent.source:
        said["source"] = encode_where(intent.source)
    return said


def decode_intent(json: Mapping[str, Json]) -> Intent:
    """The inverse of encode_intent."""
    return Intent(
        source=decode_where(json.get("source")),
        **{name: json.get(name) for name in _WORDS},
        protect=json.get("protect", False),
        remove=json.get("remove", False),
        previously=tuple(json.get("previously", ())),
        expires=as_day(json.get("expires")),
    )


def encode_where(where: Where | None) -> Json:
    """A place, or None."""
    return None if where is None else where._asdict()


def decode_where(json: Json) -> Where | None:
    """The inverse of encode_where."""
    return None if json is None else Where(json["file"], json["line"], json["column"])
