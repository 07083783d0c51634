"""Which files make up a config repo: the main file, what its globs match, the overlays, and what is left over."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from rolecall.desired.includes import OVERLAYS
from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.source.document import Document
from rolecall.source.files import inside, read_file
from rolecall.source.yaml_file import parse_yaml

MAIN = "rolecall.yaml"
SUFFIXES = (".yaml", ".yml", ".json")
INCLUDABLE = ("domains", "defaults", "sso", "scim", "idp_groups", "ignore", "allow", "watch", "access_tests")
"""What an included file may hold."""


def read_document(root: Path, name: str) -> Document:
    """The document in ``root/name``, which has to stay inside ``root``. Raises ConfigError."""
    path = inside(root, name)
    if path is None:
        hint = f"Files stay inside {root}, links resolved"
        raise ConfigError(Problem("outside", "leads out of the config's directory", Where(name), hint))
    data = read_file(path, name)
    if not name.endswith(".json"):
        return parse_yaml(data, name)
    from rolecall.source.json_file import parse_json

    return parse_json(data, name)


def environments(root: Path) -> tuple[str, ...]:
    """The names of the overlays in ``root/env``, sorted."""
    try:
        paths = list((root / OVERLAYS).iterdir())
    except OSError:
        return ()
    return tuple(sorted({path.stem for path in paths if path.suffix in SUFFIXES and path.name[0] != "."}))


def overlay_name(root: Path, env: str) -> str | None:
    """The overlay's file name relative to ``root``, or None when there is none of that name."""
    if env not in environments(root):
        return None
    names = (f"{OVERLAYS}/{env}{suffix}" for suffix in SUFFIXES)
    return next((name for name in names if os.path.lexists(root / name)), None)


_TOP_KEY = re.compile(rb"^(?:\"([^\"\n]+)\"|'([^'\n]+)'|([A-Za-z_][\w-]*))[ \t]*:", re.MULTILINE)
_MOST_FILES = 10_000


def unmatched(root: Path, read: set[str]) -> list[str]:
    """YAML files in ``root`` that nobody reads, though they look like parts of the config.

    Left out: hidden files and folders, overlays, folders that are a config repo of their own, and files whose top keys
    belong to something else, such as a snapshot.
    """
    names = (name for name in _walk(root) if name not in read and name.lower().endswith((".yaml", ".yml")))
    return [name for name in names if _looks_like_ours(root / name)]


def _walk(root: Path) -> Iterator[str]:
    seen = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        skip = {OVERLAYS} if here == root else set()
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name not in skip and not (here / name / MAIN).exists()
        )
        for name in sorted(names):
            if (seen := seen + 1) > _MOST_FILES:
                return
            if name[0] != ".":
                yield (here / name).relative_to(root).as_posix()


def _looks_like_ours(path: Path) -> bool:
    try:
        if not path.is_file():  # a pipe would be waited for
            return False
        with path.open("rb") as stream:
            start = stream.read(65536)
    except OSError:
        return False
    keys = {next(filter(None, match)).decode("utf-8", "replace") for match in _TOP_KEY.findall(start)}
    return "snapshot" not in keys and (not keys or any(map(_near_section, keys)))


def _near_section(key: str) -> bool:
    return key in INCLUDABLE or did_you_mean(key, INCLUDABLE) is not None
