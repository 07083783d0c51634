"""Reads users from files in the repository: exports of Okta and Entra, any other CSV, or JSON lines in snapshot
format.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from rolecall.codec.people_lines import BATCH, decode_lines
from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.people.lines import Known, Users, canonical, group_of_file
from rolecall.live.people.table import FileTable, read_csv, read_json_lines
from rolecall.model.directory import Directory, PeopleScope, Profile
from rolecall.model.live import UNREAD
from rolecall.model.roles import BUILT_IN, Role
from rolecall.source.files import MOVE_INSIDE, glob_paths, inside, read_pieces

STATED = frozenset((*Profile._fields, "org_role"))
"""Keys of a user that only some snapshots have. A file that has them may as well be an export."""
JSON_LINES = (".jsonl", ".ndjson", ".json")


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """The users of files in ``folder``, see ``port.People``.

    ``names`` are paths, or globs with ``several``. If there may be several files, a file without a column for groups
    has the members of the group in its name. ``roles`` are the org's, for manual edits. ``known`` are the groups of the
    configuration and, after `with_groups`, of the org; ``whole``: there are no others. ``mapped`` are the
    configuration's groups with a mapping. Without ``allow_empty``, files without users are an error. With
    ``full_names``, full names are read as well.
    """

    folder: Path
    names: tuple[str, ...]
    several: bool = False
    roles: Mapping[str, Role] = field(default_factory=lambda: dict(BUILT_IN))
    allow_empty: bool = False
    known: Known = None
    whole: bool = False
    mapped: frozenset[str] = frozenset()
    full_names: bool = False

    def with_groups(self, names: Collection[str], *, whole: bool) -> PeopleFile:
        """Return the same source for an org with these groups, which some cells need to be read."""
        return replace(self, known=(self.known or frozenset()) | frozenset(names), whole=whole)

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Return all users in the files, whatever the scope; unread, with the reason, if a file is missing.

        Raises ConfigError with all errors, each with file and line.
        """
        return Directory() if scope == PeopleScope() else self.read()

    def read(self) -> Directory:
        """Return all users in the files, like `read_people`."""
        files = list(self.files())
        if missing := self.missing(files):
            return Directory(coverage=UNREAD._replace(problem=missing))
        directory = self._plain(files[0]) if len(files) == 1 and _is_json(files[0]) else None
        directory = self._merged(files) if directory is None else directory
        if not len(directory) and not self.allow_empty:
            raise ConfigError(_empty("users", files))
        if not directory.active_people and not self.allow_empty:
            raise ConfigError(_empty("active users", files))
        if not len(directory.members) and not directory.others and not self.allow_empty:
            raise ConfigError(_empty("memberships in groups", files))
        return directory

    def files(self) -> Iterator[str]:
        """Yield the files by name relative to ``folder``, each once; those of a glob are sorted."""
        if not self.several:
            yield from self.names
            return
        files = (match for pattern in self.names for match in matches(self.folder, pattern))
        yield from dict.fromkeys(files)

    def without_file(self, directory: Directory, mapped: Collection[str]) -> tuple[str, ...]:
        """Return the groups of ``mapped`` without a file, if each file has the members of one group."""
        named = {group_of_file(name) for name in self.files()} if self.several else set[str]()
        return tuple(sorted(set(mapped) - named)) if named.issuperset(directory.groups) and named else ()

    def missing(self, files: Sequence[str]) -> str | None:
        """Return which files are missing, or None if all exist and every folder of a glob could be listed."""
        for name in self.names if self.several else ():
            if unlisted := next(unlisted_folders(self.folder, name), None):
                return f"{unlisted}: this folder cannot be listed, so files in it may be missing"
        if not files:
            return f"no file matches {', '.join(f'`{name}`' for name in self.names)}"
        absent = [name for name in files if not (self.folder / name).exists()]
        return f"{absent[0]}: file not found" if absent else None

    def _plain(self, name: str) -> Directory | None:
        """Read JSON lines in snapshot format, which may have a million users; None if the keys are those of an
        export.
        """
        keys: set[str] = set()
        try:
            directory = decode_lines(self._pieces(name), file=name, roles=self.roles, keys=keys)
        except ConfigError:
            if canonical(keys):
                raise
            return None
        return directory if canonical(keys - STATED) and ("groups" in keys or not keys) else None

    def _merged(self, files: Sequence[str]) -> Directory:
        users = Users(self.known, whole=self.whole)
        for name in files:
            try:
                table = self._table(name)
            except ConfigError as error:
                users.problems += error.problems
                continue
            users.problems += table.problems
            users.problems += self._unknown_group(table, name)
            if not any(problem.code == "people_columns" for problem in table.problems):
                users.add(table.rows, table.form)
        return replace(users.build(self.roles), notes=users.notes())

    def _table(self, name: str) -> FileTable:
        read = read_json_lines if _is_json(name) else read_csv
        return read(b"".join(self._pieces(name)), name, grouped=self.several, full_names=self.full_names)

    def _unknown_group(self, table: FileTable, name: str) -> Iterator[Problem]:
        """Yield a problem for a file whose group is given by neither a column nor its name."""
        group = table.form.group
        if group is None or "groups" in table.form.headings or not self.whole or group in (self.known or ()):
            return
        message = f"no column `groups`, so the file has the users of the group `{group}`, which the org does not have"
        hint = "add the column `groups`, or name the file after the group whose users it has"
        yield Problem("people_columns", message, Where(name, 1, 1), hint)

    def _pieces(self, name: str) -> Iterator[bytes]:
        where = Where(name)
        path = inside(self.folder, name)
        if path is None:
            raise ConfigError(Problem("outside", "is outside the configuration folder", where, MOVE_INSIDE))
        try:
            yield from read_pieces(path, BATCH)
        except ConfigError as error:
            raise ConfigError(*(problem._replace(where=where) for problem in error.problems)) from None


def matches(folder: Path, pattern: str) -> list[str]:
    """Return the files in ``folder`` that a glob matches, sorted, including broken links."""
    paths = sorted(path for path in glob_paths(folder, pattern) if not path.is_dir())
    names = [path.relative_to(folder).as_posix() for path in paths]
    return [name for name in names if not any(part.startswith(".") for part in name.split("/"))]


def unlisted_folders(folder: Path, pattern: str) -> Iterator[str]:
    """Yield the folders of a glob that cannot be listed; `Path.glob` skips them silently."""
    parts = PurePath(pattern).parts
    for depth, part in enumerate(parts):
        if not any(character in part for character in "*?["):
            continue
        starts = glob_paths(folder, "/".join(parts[:depth])) if depth else [folder]
        errors: list[OSError] = []
        for start in starts:
            for _, inner, _ in os.walk(start, onerror=errors.append):
                if part != "**":
                    inner.clear()
        yield from (str(error.filename) for error in errors if not isinstance(error, NotADirectoryError))


def decode_csv(data: bytes, file: str, roles: Mapping[str, Role] = BUILT_IN, known: Known = None) -> Directory:
    """Return the directory in a CSV file. Raises ConfigError with all errors."""
    table = read_csv(data, file)
    users = Users(known)
    users.problems += table.problems
    if not any(problem.code == "people_columns" for problem in table.problems):
        users.add(table.rows, table.form)
    return replace(users.build(roles), notes=users.notes())


def _is_json(name: str) -> bool:
    return name.lower().endswith(JSON_LINES)


def _empty(what: str, files: Sequence[str]) -> Problem:
    message = f"has no {what}" if len(files) == 1 else f"the {len(files)} files of `people` have no {what}"
    hint = "export it again; if this is correct, set `people.allow_empty: true`"
    return Problem("people_empty", message, Where(files[0]), hint)
