"""Names made safe to show: what cannot be seen, or turns text around, appears as an escape instead."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rolecall.model.paste import HIDDEN

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def visible(text: str) -> str:
    """The text with every invisible or direction-changing character as ``\\xHH``, ``\\uHHHH`` or ``\\UHHHHHHHH``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(char) if unicodedata.category(char) in HIDDEN else char for char in text)


def cells(text: str) -> int:
    """How many terminal columns a visible text takes: wide characters two, combining marks none."""
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
