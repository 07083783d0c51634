"""What the people files of a config hold, for `validate`: read with files alone, before anybody plans."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.desired.loading import load, load_each
from rolecall.errors import ConfigError, Problem, Where
from rolecall.model.checkup import PeopleCount

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.live.people.file import PeopleFile
    from rolecall.model.directory import Directory
    from rolecall.model.live import Live


def count_people(root: Path, env: str | None, main: str) -> tuple[list[PeopleCount], list[Problem]]:
    """Return what the people files hold and what is wrong with them, for ``env``, or for every overlay there is. The
    config is one without errors."""
    counts: dict[PeopleCount, None] = {}
    problems: dict[Problem, None] = {}
    for sources in load_each(root, main) if env is None else [load(root, env, main)]:
        people = sources.effective.get("people")
        if not isinstance(people, dict) or not {"file", "files"} & people.keys():
            continue
        from rolecall.desired.building import build

        try:
            if found := _counted(build(sources)):
                counts[found[0]] = None
                problems |= dict.fromkeys(found[1])
        except ConfigError as error:
            problems |= dict.fromkeys(error.problems)
    return list(counts), list(problems)


def _counted(config: Config) -> tuple[PeopleCount, tuple[Problem, ...]] | None:
    """The count and warnings of a config's files. None where there are none, which the config's own checks tell."""
    from rolecall.jobs.people import group_names
    from rolecall.live.people.file import PeopleFile

    said, live = config.people, _observed(config)
    groups = config.desired.settings.idp_groups
    known = frozenset(groups) if isinstance(groups, Mapping) else frozenset[str]()
    source = PeopleFile(
        config.root, said.files or (said.at,), bool(said.files), allow_empty=said.allow_empty, known=known
    )
    if live is not None:
        names = group_names(live)
        whole = live.covered("idp_groups").state == "complete"
        source = source.with_groups(names, whole=whole)
    files = tuple(source.files())
    if missing := source.missing(files):
        if not files or not said.files:
            return None
        name = missing.partition(": ")[0]
        problem = Problem("no_file", "there is no such file", Where(name), "the link leads nowhere", "warning")
        raise ConfigError(problem)
    directory = source.read()
    return _count(files, directory, source, live), directory.notes


def _count(files: tuple[str, ...], directory: Directory, source: PeopleFile, live: Live | None) -> PeopleCount:
    known = source.known or frozenset()
    unknown = None if live is None else tuple(sorted(name for name in directory.groups if name not in known))
    memberships, groups = len(directory.members), len(directory.groups)
    return PeopleCount(files, len(directory), directory.active_people, memberships, groups, unknown)


def _observed(config: Config) -> Live | None:
    """The org, where a file of this repo has it."""
    if config.org.kind != "observed":
        return None
    from rolecall.live.snapshot.reader import SnapshotReader

    try:
        return SnapshotReader(config.root / config.org.path, observed=True).load().live
    except ConfigError:
        return None
