"""Parses YAML from PyYAML's C event stream: values, places, and limits on the cost of a hostile file.

SafeLoader is not used: it is about 30 times slower, keeps no places, follows YAML 1.1 (`no` is false), and silently
lets a later duplicate key win.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from yaml._yaml import CParser
from yaml.error import YAMLError

from rolecall.errors import ConfigError, Where
from rolecall.source.composer import Composer
from rolecall.source.document import Document
from rolecall.source.files import MAX_BYTES, read_file, too_large
from rolecall.source.text import checked_utf8, refuse_unprintable
from rolecall.source.yaml_errors import cut_values, explain


def load_yaml(source: Path | bytes, name: str | None = None, limit: int = MAX_BYTES) -> Document:
    """Return the document in a file or in bytes. ``name`` is its name in messages. Raises ConfigError with all
    errors.
    """
    document = parse_yaml(source, name, limit)
    if any(problem.severity == "error" for problem in document.problems):
        raise ConfigError(*document.problems)
    return document


def parse_yaml(source: Path | bytes, name: str | None = None, limit: int = MAX_BYTES) -> Document:
    """Parse like ``load_yaml``, but put errors that leave the rest readable into ``Document.problems``."""
    data = source if isinstance(source, bytes) else read_file(source, name, limit)
    shown = name or ("<bytes>" if isinstance(source, bytes) else str(source))
    if len(data) > limit:
        raise ConfigError(too_large(Where(shown), limit))
    data = checked_utf8(data, shown)
    composer = Composer(shown)
    try:
        with collector_off():
            value = composer.run(iter(CParser(data).get_event, None))
    except YAMLError as error:
        refuse_unprintable(data, shown)
        raise ConfigError(*composer.problems, explain(error, data, shown)) from error
    return Document(shown, value, composer.marks, [*composer.problems, *cut_values(data, shown)])


@contextmanager
def collector_off() -> Iterator[None]:
    """Disable garbage collection: loading makes many containers and no cycles, so collecting is wasted work."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
