"""Reads a configuration repository: the main file, included files, and the requested overlay."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rolecall.desired.load import files
from rolecall.desired.load.files import OVERLAYS, Matches, is_glob, leads_out, matches
from rolecall.desired.load.merge import drops_nothing, merge_files, normalised, overlay
from rolecall.desired.load.sources import Sources
from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.source.document import Document
from rolecall.source.files import MOVE_INSIDE


def load(root: Path, env: str | None = None, main: str | None = None) -> Sources:
    """Return all files of the configuration in directory ``root``, merged; with ``env``, ``env/<env>.yaml`` is applied.

    ``main`` is the name of the main file in ``root`` (``rolecall.yaml``). Never raises for the content of files:
    ``Sources.problems`` has everything that is wrong, next to everything that could be read.
    """
    return _Loading(root, env, main or files.MAIN, {}).run()


def load_each(root: Path, main: str | None = None) -> list[Sources]:
    """Return the configuration with each overlay, or as it is if there are no overlays. Each file is read once."""
    cache: dict[str, Document | None] = {}
    return [_Loading(root, env, main or files.MAIN, cache).run() for env in files.environments(root) or (None,)]


class _Loading:
    """One load, which collects documents and problems. ``seen`` are the files read so far, by this load or an earlier
    one.
    """

    def __init__(self, root: Path, env: str | None, main: str, cache: dict[str, Document | None]) -> None:
        self.root, self.env, self.main, self.seen = root, env, main, cache
        self.problems: list[Problem] = []
        self.other_case: set[str] = set()

    def run(self) -> Sources:
        """Read the files, merge them and the overlay, and return them with every problem."""
        if not (self.root / self.main).exists():
            return Sources(self.root, self.main, self.env, problems=(_no_config(self.main),))
        first = self._read(self.main)
        parts = [first] if first else []
        included = self._included(first) if first else []
        for name in included:
            if part := self._read(name):
                self._check_included(part)
                parts.append(part)
        base, twice = merge_files(parts)
        self.problems += twice
        over = self._overlay() if self.env is not None else None
        if over:
            self.problems += (_drops_nothing(over, *drop) for drop in drops_nothing(base, over.value))
        effective = overlay(base, over.value) if over else base
        self.problems = [_severe(problem, effective.get("manage")) for problem in self.problems]
        if first:
            self._unmatched(included)
        documents = (*parts, over) if over else tuple(parts)
        return Sources(
            self.root, self.main, self.env, documents, effective, base, over is not None, tuple(self.problems)
        )

    def _read(self, name: str) -> Document | None:
        if name not in self.seen:
            self.seen[name] = self._read_anew(name)
        return self.seen[name]

    def _read_anew(self, name: str) -> Document | None:
        """Return the document of a file that is a map of sections; None, with a problem, when it is not."""
        try:
            document = files.read_document(self.root, name)
        except ConfigError as error:
            self.problems += error.problems
            return None
        self.problems += document.problems
        if not isinstance(document.value, dict):
            self.problems.append(_no_map(name, document.value))
            return None
        if key := _other_format(document.value):
            self.problems.append(_not_a_configuration(name, key, is_main=name == self.main))
            return None
        document, problems = normalised(document)
        self.problems += problems
        return document

    def _included(self, first: Document) -> list[str]:
        patterns = first.value.get("include", [])
        read: dict[str, None] = {}
        includes: list[tuple[str, Where, Matches]] = []
        for position, pattern in enumerate(patterns if isinstance(patterns, list) else []):
            if not isinstance(pattern, str) or not pattern:
                continue
            where = first.where(("include", position))
            if leads_out(pattern):
                message = f"`{pattern}` is outside the configuration folder"
                self.problems.append(Problem("outside", message, where, MOVE_INSIDE))
                continue
            matched = matches(self.root, pattern, self.main)
            includes.append((pattern, where, matched))
            read.update(dict.fromkeys(matched.names))
        for pattern, where, matched in includes:
            self.problems += _include_problems(pattern, matched, where, read)
            self.other_case.update(matched.other_case)
        return list(read)

    def _check_included(self, part: Document) -> None:
        for key in [key for key in part.value if key not in files.INCLUDABLE]:
            where = part.where((key,), key=True)
            hint = did_you_mean(key, files.INCLUDABLE) or f"move it to {self.main}"
            self.problems.append(Problem("not_includable", _not_includable(key), where, hint))

    def _overlay(self) -> Document | None:
        assert self.env is not None
        name = files.overlay_name(self.root, self.env)
        if name is None:
            known = files.environments(self.root)
            hint = did_you_mean(self.env, known) or files.known_overlays(known)
            where = Where(f"{OVERLAYS}/{self.env}.yaml")
            self.problems.append(Problem("no_such_env", f"overlay `{self.env}` not found", where, hint))
            return None
        return self._read(name)

    def _unmatched(self, included: list[str]) -> None:
        for name in files.unmatched(self.root, {self.main, *included, *self.other_case}):
            hint = "add it to `include`, or move it"
            message = "this file is not read, because `include` does not match it"
            self.problems.append(Problem("not_included", message, Where(name), hint, "warning"))


def _include_problems(pattern: str, matched: Matches, where: Where, read: Collection[str]) -> Iterator[Problem]:
    """Yield the problems of one include: files that cannot be read, that differ in case, or no file at all.

    ``read`` are the files that all includes match.
    """
    for name, why in matched.broken:
        yield Problem("include_unreadable", f"`{name}` {why}", where, "restore it, or delete it from the folder")
    for name in [name for name in matched.other_case if name not in read]:
        message = f"`{name}` differs from `{pattern}` only in upper and lower case, so it is not read"
        yield Problem("include_case", message, where, "rename it, or add it to `include`", "warning")
    for name in [name for name in matched.links if not any(file.startswith(f"{name}/") for file in read)]:
        message = f"`{name}` is not read, because `**` does not follow links to folders"
        yield Problem("include_link", message, where, f"add `{name}/*.yaml` to `include`", "warning")
    if not (matched.names or matched.broken):
        problem = Problem("no_match", f"`{pattern}` matches no file", where)
        yield problem._replace(severity="warning") if is_glob(pattern) else problem


def _severe(problem: Problem, manage: Any) -> Problem:
    """Return a warning that a glob matches no file as an error if a section is authoritative, because apply would
    delete from the org what is in no file.
    """
    managed = manage if isinstance(manage, dict) else {}
    section = next((name for name in files.INCLUDABLE if managed.get(name) == "authoritative"), None)
    if problem.code != "no_match" or section is None:
        return problem
    why = f"with `manage.{section}: authoritative`, rolecall deletes what is in no file"
    return problem._replace(severity="error", hint=f"restore the files, or remove the glob: {why}")


def _no_config(main: str) -> Problem:
    hint = "use -C DIR for another folder or -c FILE for another file; to create a configuration: rolecall init"
    return Problem("no_config", "no configuration found", Where(main), hint)


def _drops_nothing(over: Document, path: tuple[str, ...], known: list[str]) -> Problem:
    message = f"`{path[-1]}` cannot be removed by this overlay, because no other file has it"
    hint = (
        did_you_mean(path[-1], known)
        or "remove this entry; to delete it from the org, set `remove: true` in the main files"
    )
    return Problem("drops_nothing", message, over.where(path, key=True), hint)


def _no_map(name: str, value: Any) -> Problem:
    if value is None:
        return Problem("empty", "is empty", Where(name, 1, 1), "add sections, such as `idp_groups:`")
    return Problem("type", "must be a map of sections", Where(name, 1, 1), "start with a key, such as `version: 1`")


_OTHER_FORMATS = {"snapshot": "a snapshot", "format_version": "a saved plan or a report"}
"""Keys that only other kinds of files have, and the name of each kind."""


def _other_format(value: dict[str, Any]) -> str | None:
    """Return the key that shows that a file is not a configuration, or None when it may be one."""
    return next((key for key in _OTHER_FORMATS if key in value and "version" not in value), None)


def _not_a_configuration(name: str, key: str, *, is_main: bool) -> Problem:
    if not is_main:
        hint = "remove it from `include`"
    elif key == "snapshot":
        hint = f"create a configuration with `url: observed:{name}`, and use it: rolecall plan -c {files.MAIN}"
    else:
        hint = f"use the configuration: rolecall plan -c {files.MAIN}"
    return Problem("not_a_config", f"is {_OTHER_FORMATS[key]}, not a configuration", Where(name, 1, 1), hint)


def _not_includable(key: str) -> str:
    return f"`{key}` is not allowed in an included file"
