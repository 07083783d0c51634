"""Holds the files of a configuration as they were read and merged, before validation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rolecall.errors import Problem, Where
from rolecall.model.kinds import BY_SECTION, address, split_address
from rolecall.model.settings import Address
from rolecall.source.document import Document, NodePath
from rolecall.source.marks import unpack

ValidConfig = dict[str, Any]
"""A part of the merged configuration, as plain values, without what the schema refuses."""


@dataclass(frozen=True, slots=True)
class Sources:
    """``effective`` is the configuration after includes and overlay, with keys normalized. ``documents`` are its files:
    the main file, the included files, the overlay last. ``base`` is ``effective`` without the overlay.

    ``problems`` are the errors and warnings from loading.
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
        """Return the names of all files read, relative to ``root``."""
        return tuple(document.name for document in self.documents)

    def where(self, path: NodePath, key: bool = False) -> Where:
        """Return the place of a part of ``effective`` in the last file that has it, else of its deepest existing
        part.
        """
        for length in range(len(path), 0, -1):
            for document in reversed(self.documents):
                if document.has(path[:length]):
                    return document.where(path[:length], key)
        return Where(self.main, 1, 1) if self.documents else Where(self.main)

    def places(self) -> Places:
        """Return the place of each entry of ``effective``, in the last file that has it."""
        places = Places(self.files)
        for number, document in enumerate(self.documents):
            tops = document.entries()
            for section in self.effective.keys() & BY_SECTION.keys() & tops.keys():
                if BY_SECTION[section].keyed:
                    written, entries = document.entries((section,)), self.effective[section]
                    places.add(
                        section,
                        number,
                        {key: written[key] for key in written.keys() & entries} if self.overlaid else written,
                    )
                else:
                    places.add(section, number, {None: tops[section]})
        return places


_FILE_BITS = 64


class Places(Mapping[Address, Where]):
    """The places of addresses, stored as one number each: the file's position in ``files``, then the packed place in
    it.

    ``places`` has a map of keys for each keyed section, and one with the key None for each singleton.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._files = tuple(files)
        self._sections: dict[str, dict[str | None, int]] = {}

    def add(self, section: str, file: int, packed: Mapping[Any, int]) -> None:
        """Add the places of one file; if two files have the same entry, the later file counts."""
        offset = file << _FILE_BITS
        positions = {key: offset | place for key, place in packed.items()} if file else packed
        self._sections.setdefault(section, {}).update(positions)

    def __getitem__(self, at: Address) -> Where:
        section, key = split_address(at)
        number = self._sections.get(section, {})[key]
        return Where(self._files[number >> _FILE_BITS], *unpack(number & (1 << _FILE_BITS) - 1))

    def __iter__(self) -> Iterator[Address]:
        return (address(section, key) for section, entries in self._sections.items() for key in entries)

    def __len__(self) -> int:
        return sum(map(len, self._sections.values()))
