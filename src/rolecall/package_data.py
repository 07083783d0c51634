"""Reads the text files that are part of the package itself: styles, scripts, templates and long prose.

Such a file is the same in every run, like the source next to it, so the pure packages may read it here.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def package_text(name: str) -> str:
    """Return the text of a file of the package, such as ``report/data/style.css``. Raises FileNotFoundError if the
    package was installed without it."""
    return (_PACKAGE / name).read_text(encoding="utf-8")
