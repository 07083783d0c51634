"""A snapshot file in the place of a live org: read-only, no network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rolecall.codec.api import WRITES
from rolecall.codec.snapshot import Snapshot, decode_snapshot
from rolecall.live.snapshot_file import read_snapshot_json
from rolecall.model.kinds import SECTIONS
from rolecall.model.live import Facts, Live
from rolecall.model.settings import UNSET


class SnapshotReader:
    """Reads a snapshot file as if it were the org.

    ``observed``: the file is all there is of the org, so nothing can be written and each change is a human step.
    Else the file was taken from an org with an API (``--snapshot``), and the plan is as that org would have it; a
    file that does not say what its caller could do is taken to have been written by one who could do everything.
    """

    def __init__(self, path: Path, *, observed: bool = False) -> None:
        self.path = path
        self._observed = observed
        self._snapshot: Snapshot | None = None

    def load(self) -> Snapshot:
        """The whole snapshot, read anew. Raises ConfigError with every problem found."""
        self._snapshot = decode_snapshot(read_snapshot_json(self.path))
        return self._snapshot

    async def read(self, sections: frozenset[str] | None = None) -> Live:
        """Settings, facts and coverage as the file has them."""
        live = self.load().live
        return _only(replace(live, facts=self._facts(live.facts)), sections)

    def _facts(self, facts: Facts) -> Facts:
        can = frozenset() if self._observed else facts.can or WRITES
        return replace(facts, observed=self._observed, can=can)


def _only(live: Live, sections: frozenset[str] | None) -> Live:
    if sections is None:
        return live
    others = {name: UNSET for name in SECTIONS if name not in sections}
    coverage = {name: row for name, row in live.coverage.items() if name in sections or name not in SECTIONS}
    return replace(live, settings=replace(live.settings, **others), coverage=coverage)
