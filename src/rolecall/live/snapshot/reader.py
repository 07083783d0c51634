"""Reads a snapshot file instead of a live org: read-only, no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rolecall.codec.capabilities import WRITES
from rolecall.codec.people import decode_people
from rolecall.codec.people_lines import BATCH, decode_lines
from rolecall.codec.snapshot import Snapshot, decode_snapshot
from rolecall.errors import ConfigError, Problem, Where
from rolecall.live.snapshot.file import read_snapshot
from rolecall.model.directory import Directory, PeopleScope
from rolecall.model.kinds import ORG_SECTIONS
from rolecall.model.live import UNREAD, Facts, Live
from rolecall.model.settings import UNSET
from rolecall.source.files import inside, read_pieces
from rolecall.source.yaml_file import collector_off

NOBODY = PeopleScope()


class SnapshotReader:
    """Reads a snapshot file as if it were the org.

    ``observed``: the file is all that is known about the org, so nothing can be written and each change is a manual
    step. Otherwise the file was taken from an org with an API (``--snapshot``), and the plan is for that org; if the
    file does not list its caller's capabilities, a caller with all of them is assumed.
    """

    def __init__(self, path: Path, *, observed: bool = False) -> None:
        self.path = path
        self._observed = observed
        self._snapshot: Snapshot | None = None

    @property
    def observed(self) -> bool:
        """Return whether the file is all that is known about the org."""
        return self._observed

    def load(self) -> Snapshot:
        """Read the whole snapshot again. Raises ConfigError with all problems."""
        if self._observed and not self.path.exists():
            hint = "record the settings of the console: rolecall observe"
            message = "this org has not been recorded yet: file not found"
            raise ConfigError(Problem("not_observed", message, Where(str(self.path.name)), hint))
        with collector_off():
            self._snapshot = decode_snapshot(read_snapshot(self.path).value)
        return self._snapshot

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        """Return settings, facts and coverage from the file."""
        live = self.load().live
        return _only(replace(live, facts=self._facts(live.facts)), sections)

    async def read_people(self, scope: PeopleScope) -> Directory:
        """Return all users in the file if any are in scope; selecting fewer would not be faster.

        The coverage is ``unread`` if the file has no users.
        """
        if scope == NOBODY:
            return Directory()
        snapshot = self._snapshot or self.load()
        return decode_snapshot_people(snapshot, self.path)

    def _facts(self, facts: Facts) -> Facts:
        can = frozenset() if self._observed else facts.can or WRITES
        return facts._replace(observed=self._observed, can=can)


def _only(live: Live, sections: frozenset[str] | None) -> Live:
    if sections is None:
        return live
    unread = {name: UNSET for name in ORG_SECTIONS if name not in sections}
    coverage = {name: entry for name, entry in live.coverage.items() if name in sections or name not in ORG_SECTIONS}
    return replace(live, settings=replace(live.settings, **unread), coverage=coverage)


def decode_snapshot_people(snapshot: Snapshot, path: Path) -> Directory:
    """Return the users of a snapshot read from ``path``, inline or in a JSONL file next to it. Raises ConfigError."""
    coverage = snapshot.live.covered("people")
    groups, roles = snapshot.live.facts.groups, snapshot.live.facts.roles
    if snapshot.people is None:
        return Directory(coverage=coverage if coverage.state == "unread" else UNREAD)
    if isinstance(snapshot.people, str):
        file = inside(path.parent, snapshot.people)
        if file is None:
            message = f"`people`: `{snapshot.people}` is outside the folder of this file"
            raise ConfigError(Problem("outside", message, Where(str(path)), "move it next to this file"))
        return decode_lines(read_pieces(file, BATCH), groups, file=str(file), roles=roles, coverage=coverage)
    try:
        return decode_people(snapshot.people, groups, roles=roles, coverage=coverage)
    except ValueError as error:
        raise ConfigError(Problem("people_invalid", str(error), Where(str(path)))) from None
