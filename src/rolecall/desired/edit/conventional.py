"""Recognizes text that `fmt` does not change, without the parser and emitter that format all other text.

Nearly all files of a configuration are like this: maps in block style, indented by two spaces, whose values are on one
line. What is not recognized is formatted, so this only has to be right about what it recognizes.
"""

from __future__ import annotations

import re

_WORD = r"[A-Za-z0-9_](?:[A-Za-z0-9_./@+%-]| (?=[A-Za-z0-9_]))*"
_SCALAR = rf"(?:{_WORD}|\"[ !#-\[\]-~]*\"|'[ -&(-~]*')"
_LIST = rf"\[(?:{_SCALAR}(?:, {_SCALAR})*)?\]"
_FIELD = rf"[a-z_]{{1,40}}: (?:{_SCALAR}|{_LIST})"
_MAP = rf"\{{{_FIELD}(?:, {_FIELD})*\}}"
_KEY = rf"(?=[^:]{{1,100}}:)(?:{_WORD}|\"[ !#-9;-\[\]-~]*\")"
_LINE = re.compile(rf"(?P<indent>(?:  )*){_KEY}:(?P<value> (?:{_SCALAR}|{_LIST}|{_MAP}))?(?: #(?: [!-~]+)+)?")
_COMMENT = re.compile(r"(?P<indent>(?:  )*)#(?: [!-~]+)*")


def is_formatted(text: str) -> bool:
    """Return whether a valid YAML text is known to be in standard format; False also where that is unknown."""
    if not text.endswith("\n") or text.endswith("\n\n"):
        return False
    deepest, waiting, blank = 0, "", True
    for line in text[:-1].split("\n"):
        if not line:
            if blank or waiting:
                return False
            blank = True
            continue
        blank = False
        if (comment := _COMMENT.fullmatch(line)) is not None:
            if waiting and waiting != comment["indent"] + "#":
                return False
            waiting = comment["indent"] + "#"
            continue
        field = _LINE.fullmatch(line)
        if field is None or len(field["indent"]) > deepest or (waiting and waiting != field["indent"] + "#"):
            return False
        deepest = len(field["indent"]) + (0 if field["value"] else 2)
        waiting = ""
    return not waiting
