"""Quotes text for pasting: into a shell, where names with invisible characters must stay intact, and into YAML."""

from __future__ import annotations

import re
import shlex
import unicodedata

HIDDEN = frozenset(("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"))
"""Unicode categories without a visible form: controls, bidi marks, surrogates, separators, unassigned."""

_PLAIN_YAML = re.compile(r"[A-Za-z_][\w./@+-]*(?: [\w./@+-]+)*")


def shell_word(text: str) -> str:
    """Return a word for bash, zsh and other shells with ``$'…'``; invisible characters are escaped."""
    if not any(map(_is_hidden, text)):
        return shlex.quote(text)
    return f"$'{''.join(map(_in_shell, text))}'"


def shell_pattern(address: str) -> str:
    """Return a word that names one address for a flag that takes a glob: ``A*`` must not match ``AB``."""
    return shell_word(literal(address))


def literal(address: str) -> str:
    """Return an address as a glob that matches only this address."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in address)


def yaml_pattern(address: str) -> str:
    """Return an address for a YAML field that takes a glob, such as ``ignore``, quoted if necessary."""
    text = literal(address)
    if _PLAIN_YAML.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(_escape(char) if _is_hidden(char) else char for char in escaped)}"'


def _in_shell(char: str) -> str:
    if char in "\\'":
        return f"\\{char}"
    return _escape(char) if _is_hidden(char) else char


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in HIDDEN
