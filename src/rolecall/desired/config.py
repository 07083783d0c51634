"""The config as one frozen value: what everything after loading works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rolecall.errors import Problem, Where
from rolecall.model.desired import Desired
from rolecall.model.target import JournalTarget, OrgTarget, PeopleShown, PeopleSource
from rolecall.source.document import Path as Steps


@dataclass(frozen=True, slots=True)
class Config:
    """``digest`` is SHA-256 over the canonical JSON of the effective config, hex. ``files`` are the files read,
    relative to ``root``. ``reports_people`` is None where the config leaves it to the sink. ``warnings`` hold whatever
    was worth telling; a Config with errors does not exist.
    """

    root: Path
    main: str
    env: str | None
    org: OrgTarget
    desired: Desired
    people: PeopleSource
    journal: JournalTarget
    reports_people: PeopleShown | None
    include: tuple[str, ...]
    digest: str
    files: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()

    def where(self, path: Steps, key: bool = False) -> Where:
        """The place of a part of the effective config, such as ``("idp_groups", "A", "teams", 0)``.

        Reads the files again: a Config keeps no places, and they are asked for only to tell what is wrong.
        """
        from rolecall.desired.loading import load

        return load(self.root, self.env, self.main).where(path, key)
