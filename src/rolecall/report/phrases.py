"""Names made safe to show; numbers, lists, values and places in words. Light: every command that reports a problem
imports this."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from rolecall.errors import Where
from rolecall.model.paste import HIDDEN

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """Return text with invisible or direction-changing characters as ``\\xHH``, ``\\uHHHH``, ``\\UHHHHHHHH``."""
    if text.isprintable():
        return text
    return "".join(_shown(char) if unicodedata.category(char) in HIDDEN else char for char in text)


def cells(text: str) -> int:
    """Return how many terminal columns a visible text takes: wide characters two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cell, text))


@lru_cache(1024)
def _cell(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _shown(char: str) -> str:
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return ``1 person`` or ``20,104 people``."""
    plural = plural or {"person": "people", "entry": "entries"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def listed(names: Iterable[str], most: int | None = None) -> str:
    """Return names with commas, made visible; past ``most`` a count of the rest."""
    shown = [visible(name) for name in names]
    if most is None or len(shown) <= most:
        return ", ".join(shown)
    return f"{', '.join(shown[:most])} and {len(shown) - most:,} more"


def with_full_stop(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def mapping_words(role: str | None, teams: Iterable[str]) -> str:
    """Return a mapping in words: ``member on Brand, Legal``; of org admin ``org_admin (org-wide, team IT)``."""
    named = sorted(teams)
    if role == "org_admin":
        return f"{role} (org-wide, team{'' if len(named) == 1 else 's'} {listed(named) or 'none'})"
    return f"{visible(role or 'no role')} on {listed(named) or 'no team'}"


def hint_suffix(message: str, hint: str | None) -> str:
    """Return what follows a message to say what to do: a sentence after a sentence, or the same one going on."""
    if not hint:
        return ""
    text = visible(hint)
    if message.endswith((".", "?", "!")):
        return f" {text[0].upper()}{text[1:]}"
    return f"; {text[0].lower() if text[1:2].islower() else text[0]}{text[1:]}"


def place(where: Where | None) -> str:
    """Return ``idp_groups/marketing.yaml:14``, or nothing."""
    if where is None:
        return ""
    return visible(f"{where.file}:{where.line}" if where.line else where.file)


_PLAIN = re.compile(r"[^\W\d][\w ./@+*%-]*(?<! )")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def inline_yaml(value: Any) -> str:
    """Return a value in YAML's flow style on one line; None is ``(none)``. Not escaped for printing."""
    if value is None:
        return "(none)"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(str(key))}: {inline_yaml(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline_yaml, value))}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
