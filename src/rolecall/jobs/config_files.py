"""Write files of a configuration together: each atomically, and all are restored if that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

NEW = 0o644


def write_texts(root: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts into a folder, each atomically. A file keeps its mode, and a link stays a link."""
    from rolecall.outside.files import write_file

    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        target = (root / name).resolve()
        mode = target.stat().st_mode & 0o777 if target.exists() else NEW
        write_file(target, text)
        target.chmod(mode)
    return [root / name for name in files]


@contextmanager
def replaced(root: Path, files: Mapping[str, str]) -> Iterator[None]:
    """Write the texts, then run the block. If it raises, restore every file."""
    before = {name: path.read_bytes() if (path := root / name).exists() else None for name in files}
    try:
        write_texts(root, files)
        yield
    except BaseException:
        for name, data in before.items():
            if data is None:
                (root / name).unlink(missing_ok=True)
            else:
                (root / name).write_bytes(data)
        raise
