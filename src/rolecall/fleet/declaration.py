"""Reads `fleet.yaml`: the org directories of the fleet and their labels, with every problem of the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rolecall.desired.load.files import MAIN
from rolecall.errors import ConfigError, Problem, Where, did_you_mean
from rolecall.fleet.directories import find_directories, matches_path
from rolecall.fleet.keys import FORMAT, KEYS, LABEL_NAME, LABEL_VALUE, PATTERN, RESERVED_LABELS
from rolecall.source.document import Document
from rolecall.source.files import inside, read_file
from rolecall.source.yaml_file import parse_yaml

FLEET = "fleet.yaml"
Labels = dict[str, str]


class FleetOrg(NamedTuple):
    """An org directory: its path from the fleet's folder, its labels, and the glob that matches it first."""

    path: str
    labels: Mapping[str, str]
    where: Where

    @property
    def given(self) -> Labels:
        """Return the labels that fleet.yaml gives it, without those that every org has."""
        return {name: value for name, value in self.labels.items() if name not in RESERVED_LABELS}


class Fleet(NamedTuple):
    """A fleet. ``orgs`` are sorted by path and are those that could be found; ``problems`` are those of the file."""

    folder: Path
    orgs: tuple[FleetOrg, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_fleet(folder: Path) -> Fleet:
    """Return the fleet of ``folder/fleet.yaml``. Never raises for its content: ``Fleet.problems`` has what is wrong."""
    try:
        document = parse_yaml(read_file(folder / FLEET, FLEET), FLEET)
    except ConfigError as error:
        return Fleet(folder, (), error.problems)
    return _Reading(folder, document).run()


class _Reading:
    """One read of a fleet, which collects problems."""

    def __init__(self, folder: Path, document: Document) -> None:
        self.folder, self.document = folder, document
        self.problems = list(document.problems)

    def run(self) -> Fleet:
        """Check the keys, find the org directories and give them their labels."""
        content = self.document.value
        if not isinstance(content, dict):
            self._problem("type", "must be a map with the keys `fleet` and `orgs`", (), "start with `fleet: 1`")
            return Fleet(self.folder, (), tuple(self.problems))
        self._check_keys(content)
        places = self._directories(self._patterns(content.get("orgs")))
        labels = self._labels(content.get("labels"), list(places)) if "labels" in content else {}
        orgs = tuple(
            FleetOrg(path, {"path": path, "name": path.rpartition("/")[2], **labels.get(path, {})}, places[path])
            for path in sorted(places)
        )
        return Fleet(self.folder, orgs, tuple(self.problems))

    def _problem(self, code: str, message: str, trail: tuple[str | int, ...], hint: str, *, key: bool = False) -> None:
        self.problems.append(Problem(code, message, self.document.where(trail, key=key), hint))

    def _check_keys(self, content: dict[str, Any]) -> None:
        for name in content:
            if name not in KEYS:
                hint = did_you_mean(name, KEYS) or f"use one of: {', '.join(KEYS)}"
                self._problem("unknown_key", f"`{name}` is not a key of {FLEET}", (name,), hint, key=True)
        for name, key in KEYS.items():
            if key.required and name not in content:
                self._problem("missing_key", f"the key `{name}` is missing", (), f"add `{_EXAMPLES[name]}`")
        version = content.get("fleet", FORMAT)
        if version != FORMAT or isinstance(version, bool):
            self._problem("version", "this version of the format is not supported", ("fleet",), "write `fleet: 1`")

    def _patterns(self, orgs: Any) -> dict[int, str]:
        """Return the valid globs by their position in the list."""
        if orgs is None and "orgs" not in self.document.value:
            return {}
        if not isinstance(orgs, list) or not orgs:
            self._problem("type", "`orgs` must be a list of globs", ("orgs",), f"write `{_EXAMPLES['orgs']}`")
            return {}
        wrong = [number for number, pattern in enumerate(orgs) if not _is_pattern(pattern)]
        for number in wrong:
            self._problem("fleet_glob", _NO_PATTERN.format("an item of `orgs`"), ("orgs", number), _A_PATTERN)
        return {number: pattern for number, pattern in enumerate(orgs) if number not in wrong}

    def _directories(self, patterns: Mapping[int, str]) -> dict[str, Where]:
        """Return the org directories, each with the place of the first glob that matches it."""
        places: dict[str, Where] = {}
        for number, pattern in patterns.items():
            trail = ("orgs", number)
            directories = find_directories(self.folder, pattern)
            for path, why in directories.unread:
                self._problem("fleet_unread", f"`{path}` {why}", trail, "restore it, or change the glob")
            if not directories.paths and not directories.unread:
                hint = "correct the glob, or restore the folders"
                self._problem("no_match", f"`{pattern}` matches no folder", trail, hint)
            for path in directories.paths:
                places.setdefault(path, self.document.where(trail))
        return dict(self._usable(places))

    def _usable(self, places: Mapping[str, Where]) -> Iterator[tuple[str, Where]]:
        """Yield the directories that have a configuration, are inside the fleet, and are not another one's."""
        known: dict[Path, str] = {}
        for path, where in sorted(places.items()):
            target = inside(self.folder, path)
            if target is None:
                message, hint = f"`{path}` leads out of the fleet's folder", "move the folder into the fleet"
                self.problems.append(Problem("outside", message, where, hint))
            elif target in known:
                message = f"`{path}` is the same folder as `{known[target]}`"
                self.problems.append(Problem("fleet_same_org", message, where, "remove the link"))
            elif not (target / MAIN).exists():
                hint = f"create it: rolecall -C {path} init; or change the glob"
                self.problems.append(Problem("fleet_no_config", f"`{path}` has no {MAIN}", where, hint))
            else:
                known[target] = path
                yield path, where

    def _labels(self, labels: Any, paths: list[str]) -> dict[str, Labels]:
        """Return the labels of each org. A label with two values is a problem."""
        if not isinstance(labels, dict):
            hint = f"write `{_EXAMPLES['labels']}`"
            self._problem("type", "`labels` must be a map from globs to labels", ("labels",), hint)
            return {}
        labels_by_org: dict[str, Labels] = {}
        for pattern, entry in labels.items():
            matching = self._labelled(pattern, paths)
            for name, value in self._valid_labels(pattern, entry).items():
                for path in matching:
                    first = labels_by_org.setdefault(path, {}).setdefault(name, value)
                    if first != value:
                        message = f"`{path}` has two values of the label `{name}`: {first} and {value}"
                        hint = "make the globs match different orgs"
                        self._problem("fleet_label_twice", message, ("labels", pattern, name), hint, key=True)
        return labels_by_org

    def _labelled(self, pattern: str, paths: list[str]) -> list[str]:
        trail = ("labels", pattern)
        if not _is_pattern(pattern):
            self._problem("fleet_glob", _NO_PATTERN.format("a key of `labels`"), trail, _A_PATTERN, key=True)
            return []
        matching = [path for path in paths if matches_path(path, pattern)]
        if not matching:
            where = self.document.where(trail, key=True)
            hint = did_you_mean(pattern, paths) or "correct the glob, or remove it"
            self.problems.append(Problem("no_match", f"`{pattern}` matches no org", where, hint, "warning"))
        return matching

    def _valid_labels(self, pattern: str, entry: Any) -> Labels:
        if not isinstance(entry, dict) or not entry:
            self._problem("type", "labels must be a map", ("labels", pattern), "write such as `{region: emea}`")
            return {}
        for name, value in entry.items():
            trail = ("labels", pattern, name)
            if name in RESERVED_LABELS:
                message = f"every org has the label `{name}`, so it cannot be set"
                self._problem("fleet_label", message, trail, "use another name", key=True)
            elif not re.search(LABEL_NAME, name):
                hint = "use a to z, 0 to 9, - and _, with a letter first"
                self._problem("fleet_label", "this name of a label is not valid", trail, hint, key=True)
            elif not isinstance(value, str) or not re.search(LABEL_VALUE, value):
                hint = "use a text without spaces, commas, = and wildcards, in quotes if it is a number"
                self._problem("fleet_label", f"the value of the label `{name}` is not valid", trail, hint)
        return {name: value for name, value in entry.items() if _is_label(name, value)}


def _is_label(name: str, value: Any) -> bool:
    valid_value = isinstance(value, str) and re.search(LABEL_VALUE, value)
    return bool(valid_value and name not in RESERVED_LABELS and re.search(LABEL_NAME, name))


def _is_pattern(pattern: Any) -> bool:
    return isinstance(pattern, str) and "\0" not in pattern and re.search(PATTERN, pattern) is not None


_EXAMPLES = {"fleet": "fleet: 1", "orgs": 'orgs: ["orgs/*"]', "labels": "labels: {orgs/emea-*: {region: emea}}"}
_NO_PATTERN = "{} is not a glob of folders inside the fleet"
_A_PATTERN = "write a path relative to fleet.yaml, with `*` for each level, without `..` and `**`"
