"""Checks that bytes are UTF-8 text."""

from __future__ import annotations

import codecs
import re

from rolecall.errors import ConfigError, Problem, Where

_WIDE_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"


def checked_utf8(data: bytes, name: str) -> bytes:
    """Return the bytes without a byte order mark. Raises ConfigError when they are not plain UTF-8 text.

    U+0085, U+2028 and U+2029 are refused: libyaml counts them as line ends and editors do not, so every place after one
    would be wrong. They can be written as escapes in double quotes.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.startswith(_WIDE_MARKS) or b"\0" in data[:4]:
        raise ConfigError(
            Problem("encoding", "is UTF-16, UTF-32 or binary, not UTF-8", Where(name), "save it as UTF-8")
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        bad = f"byte 0x{data[error.start]:02x} is not UTF-8 text"
        raise ConfigError(Problem("encoding", bad, place_of(name, data[: error.start]), "save it as UTF-8")) from error
    if not text.isascii() and (match := _ODD_BREAKS.search(text)):
        _refuse(name, text, match, 'remove it, or write it as an escape in double quotes ("\\u{:04x}")')
    return data


def refuse_unprintable(data: bytes, name: str) -> None:
    """Raise ConfigError at the first control character that YAML does not allow."""
    text = data.decode("utf-8")
    if match := re.search(_UNPRINTABLE, text):
        _refuse(name, text, match, "remove it; binary files are not supported")


def place_of(name: str, before: bytes) -> Where:
    """Return the place right after ``before``, the valid start of a file."""
    text = before.decode("utf-8")
    return Where(name, text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1)


def _refuse(name: str, text: str, match: re.Match[str], hint: str) -> None:
    code = ord(match.group())
    where = place_of(name, text[: match.start()].encode("utf-8"))
    raise ConfigError(Problem("character", f"the character U+{code:04X} is not allowed here", where, hint.format(code)))
