"""Where each entry of a config stands, told when asked: of thousands of entries few are ever shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rolecall.errors import Where
from rolecall.model.kinds import address, split_address
from rolecall.model.settings import Address
from rolecall.source.marks import unpack

_FILE_BITS = 64


class Places(Mapping[Address, Where]):
    """The places of addresses, a number each: the file's position in ``files``, then the packed place in it.

    ``places`` has a map of keys for each keyed section, and for each singleton one under the key None.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._files = tuple(files)
        self._sections: dict[str, dict[str | None, int]] = {}

    def add(self, section: str, file: int, packed: Mapping[Any, int]) -> None:
        """Take in what one file says; of two files that say the same the later one counts."""
        offset = file << _FILE_BITS
        said = {key: offset | place for key, place in packed.items()} if file else packed
        self._sections.setdefault(section, {}).update(said)

    def __getitem__(self, at: Address) -> Where:
        section, key = split_address(at)
        number = self._sections.get(section, {})[key]
        return Where(self._files[number >> _FILE_BITS], *unpack(number & (1 << _FILE_BITS) - 1))

    def __iter__(self) -> Iterator[Address]:
        return (address(section, key) for section, held in self._sections.items() for key in held)

    def __len__(self) -> int:
        return sum(map(len, self._sections.values()))
