"""Finds the files of ``schemas/``, whether rolecall runs from a wheel or from a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def schema_path(name: str) -> Path:
    """Path of ``schemas/<name>``, such as ``config.schema.json``. Raises FileNotFoundError when it is not shipped."""
    for folder in (_PACKAGE / "_schemas", _PACKAGE.parents[1] / "schemas"):
        path = folder / name
        if path.is_file():
            return path
    raise FileNotFoundError(name)


def schema_text(name: str) -> str:
    """The text of ``schemas/<name>``."""
    return schema_path(name).read_text(encoding="utf-8")
