"""The files of a config as they were read and merged, before anybody says whether they are right."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rolecall.desired.places import Places
from rolecall.errors import Problem, Where
from rolecall.model.kinds import BY_SECTION
from rolecall.source.document import Document
from rolecall.source.document import Path as Steps


@dataclass(frozen=True, slots=True)
class Sources:
    """``effective`` is the config after includes and overlay, keys normalised. ``documents`` are the files it came
    from: the main file, the included ones, the overlay last. ``base`` is ``effective`` without the overlay.

    ``problems`` are what went wrong, or is worth a warning, on the way here.
    """

    root: Path
    main: str
    env: str | None = None
    documents: tuple[Document, ...] = ()
    effective: dict[str, Any] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=dict)
    overlaid: bool = False
    problems: tuple[Problem, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files read, relative to ``root``."""
        return tuple(document.name for document in self.documents)

    def where(self, path: Steps, key: bool = False) -> Where:
        """The place of a part of ``effective``: in the last file that says it; else of the deepest part there is."""
        for length in range(len(path), 0, -1):
            for document in reversed(self.documents):
                if document.has(path[:length]):
                    return document.where(path[:length], key)
        return Where(self.main, 1, 1) if self.documents else Where(self.main)

    def places(self) -> Places:
        """Where each entry of ``effective`` stands: in the last file that has it."""
        found = Places(self.files)
        for number, document in enumerate(self.documents):
            tops = document.entries()
            for section in self.effective.keys() & BY_SECTION.keys() & tops.keys():
                if BY_SECTION[section].keyed:
                    said, held = document.entries((section,)), self.effective[section]
                    found.add(
                        section, number, {key: said[key] for key in said.keys() & held} if self.overlaid else said
                    )
                else:
                    found.add(section, number, {None: tops[section]})
        return found
