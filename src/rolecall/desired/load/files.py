"""Finds the files of a configuration repository: the main file, included files, overlays, and files left over.

A file that a glob matches and that cannot be read is reported, never skipped.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import NamedTuple

from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.model.kinds import ORG_KINDS
from rolecall.source.document import Document
from rolecall.source.files import inside, read_file
from rolecall.source.yaml_file import parse_yaml

MAIN = "rolecall.yaml"
OVERLAYS = "env"
SUFFIXES = (".yaml", ".yml", ".json")
INCLUDABLE = (*(kind.section for kind in ORG_KINDS if kind.includable), "ignore", "allow", "watch", "access_tests")
"""The sections that an included file may have."""

_WILD = "*?["


def read_document(root: Path, name: str) -> Document:
    """Return the document in ``root/name``, which must be inside ``root``. Raises ConfigError."""
    path = inside(root, name)
    if path is None:
        hint = f"move it into {root}; links must not lead out of it"
        raise ConfigError(Problem("outside", "is outside the configuration folder", Where(name), hint))
    data = read_file(path, name)
    if not name.endswith(".json"):
        return parse_yaml(data, name)
    from rolecall.source.json_file import parse_json

    return parse_json(data, name)


def environments(root: Path) -> tuple[str, ...]:
    """Return the names of the overlays in ``root/env``, sorted."""
    try:
        paths = list((root / OVERLAYS).iterdir())
    except OSError:
        return ()
    return tuple(sorted({path.stem for path in paths if path.suffix in SUFFIXES and path.name[0] != "."}))


def known_overlays(names: Sequence[str]) -> str:
    """Return the hint for an overlay that does not exist."""
    return f"choose one of the overlays: {', '.join(names)}" if names else "leave out --env: there are no overlays"


def overlay_needed(names: Sequence[str]) -> Problem:
    """Return the problem of a configuration with overlays of which none is chosen."""
    hint = f"choose one with --env or ROLECALL_ENV: {', '.join(names)}"
    return Problem("env_needed", "this configuration has overlays, and none is chosen", None, hint)


def overlay_name(root: Path, env: str) -> str | None:
    """Return the overlay's file name relative to ``root``, or None when there is no overlay of that name."""
    if env not in environments(root):
        return None
    names = (f"{OVERLAYS}/{env}{suffix}" for suffix in SUFFIXES)
    return next((name for name in names if os.path.lexists(root / name)), None)


class Broken(NamedTuple):
    """A file that a glob matches and that cannot be read, and why."""

    name: str
    why: str


@dataclass(slots=True)
class Matches:
    """The matches of one glob, as names relative to the root.

    ``other_case`` are files that differ from the glob only in upper and lower case. ``links`` are links to folders,
    which ``**`` does not follow.
    """

    names: list[str] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    other_case: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def leads_out(pattern: str) -> bool:
    """Return whether a glob is absolute or leads out of its folder."""
    return pattern.startswith(("/", "\\")) or ".." in pattern.replace("\\", "/").split("/")


def is_glob(pattern: str) -> bool:
    """Return whether a pattern may match several files; without wildcards it names one."""
    return any(mark in pattern for mark in _WILD)


def matches(root: Path, pattern: str, main: str) -> Matches:
    """Return what an include's glob matches, sorted; never hidden files, overlays or the main file."""
    result = Matches()
    parts = PurePath(pattern).parts
    if parts and "\0" not in pattern:
        _match(root, "", parts, result)
    for names in (result.names, result.other_case, result.links):
        names[:] = sorted(name for name in dict.fromkeys(names) if _counts(name, main))
    result.broken = sorted({entry for entry in result.broken if _counts(entry.name, main)})
    return result


def _counts(name: str, main: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    return name != main and not hidden and name.partition("/")[0] != OVERLAYS


def _match(folder: Path, prefix: str, parts: tuple[str, ...], result: Matches) -> None:
    """Match the parts of a glob below ``folder``, whose name relative to the root is ``prefix``."""
    part, inner = parts[0], parts[1:]
    if part == "**":
        _match_any_depth(folder, prefix, parts, result)
        return
    if not is_glob(part) and os.path.lexists(folder / part):
        _enter(folder / part, f"{prefix}{part}", inner, result)
        return
    for name in _names(folder, prefix, result):
        at = f"{prefix}{name}"
        if is_glob(part) and fnmatchcase(name, part):
            _enter(folder / name, at, inner, result)
        elif _differs_in_case(name, part) and (inner or (folder / name).is_file()):
            result.other_case.append(at)


def _enter(path: Path, at: str, inner: tuple[str, ...], result: Matches) -> None:
    """Add a file that the last part matches, or continue inside a folder with the remaining parts."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        result.broken.append(Broken(at, _reason(path, error)))
        return
    if inner:
        if stat.S_ISDIR(mode):
            _match(path, f"{at}/", inner, result)
    elif stat.S_ISREG(mode):
        result.names.append(at)
    elif not stat.S_ISDIR(mode):
        result.broken.append(Broken(at, "is not a regular file"))


def _match_any_depth(folder: Path, prefix: str, parts: tuple[str, ...], result: Matches) -> None:
    """Match ``**``: the remaining parts in this folder and in each folder below, without following links."""
    if parts[1:]:
        _match(folder, prefix, parts[1:], result)
    for name in _names(folder, prefix, result):
        path, at = folder / name, f"{prefix}{name}"
        if name.startswith(".") or not path.is_dir():
            continue
        if path.is_symlink():
            result.links.append(at)
        else:
            _match_any_depth(path, f"{at}/", parts, result)


def _names(folder: Path, prefix: str, result: Matches) -> Iterator[str]:
    """Yield the names in a folder; a folder that cannot be listed is reported as broken."""
    try:
        yield from sorted(path.name for path in folder.iterdir())
    except OSError as error:
        result.broken.append(Broken(prefix.rstrip("/") or ".", _reason(folder, error)))


def _differs_in_case(name: str, part: str) -> bool:
    """Return whether a name would match if case did not matter."""
    return fnmatchcase(name.lower(), part.lower()) if is_glob(part) else name.lower() == part.lower()


def _reason(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return "is a broken link"
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    return f"cannot be read: {(error.strerror or 'unknown system error').lower()}"


_TOP_KEY = re.compile(rb"^(?:\"([^\"\n]+)\"|'([^'\n]+)'|([A-Za-z_][\w-]*))[ \t]*:", re.MULTILINE)
_MOST_FILES = 10_000


def unmatched(root: Path, read: set[str]) -> list[str]:
    """Return YAML files in ``root`` that are not read although they look like parts of the configuration.

    Excluded are hidden files and folders, overlays, folders with a configuration of their own, and files whose
    top-level keys belong to something else, such as a snapshot.
    """
    names = (name for name in _walk(root) if name not in read and name.lower().endswith((".yaml", ".yml")))
    return [name for name in names if _looks_like_ours(root / name)]


def _walk(root: Path) -> Iterator[str]:
    count = 0
    for folder, folders, names in os.walk(root):
        directory = Path(folder)
        skip = {OVERLAYS} if directory == root else set()
        folders[:] = sorted(
            name for name in folders if name[0] != "." and name not in skip and not (directory / name / MAIN).exists()
        )
        for name in sorted(names):
            if (count := count + 1) > _MOST_FILES:
                return
            if name[0] != ".":
                yield (directory / name).relative_to(root).as_posix()


def _looks_like_ours(path: Path) -> bool:
    try:
        if not path.is_file():  # reading a pipe would block
            return False
        with path.open("rb") as stream:
            start = stream.read(65536)
    except OSError:
        return False
    keys = {next(filter(None, match)).decode("utf-8", "replace") for match in _TOP_KEY.findall(start)}
    return "snapshot" not in keys and (not keys or any(map(_near_section, keys)))


def _near_section(key: str) -> bool:
    return key in INCLUDABLE or did_you_mean(key, INCLUDABLE) is not None
