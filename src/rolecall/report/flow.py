"""JSON values as a config writes them, for reading: ``{role: member, teams: [IT, Legal]}``."""

from __future__ import annotations

import json
import re
from typing import Any

_PLAIN = re.compile(r"[^\W\d][\w ./@+*%-]*(?<! )")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def flow(value: Any) -> str:
    """A value in YAML's flow style on one line; None is ``(none)``. Not escaped for printing."""
    if value is None:
        return "(none)"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_text(str(key))}: {flow(held)}' for key, held in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
