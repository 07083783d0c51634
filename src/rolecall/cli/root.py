"""Where a config is: the directory that is its root, and the main file's name in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from rolecall.cli.options import Invocation


class Root(NamedTuple):
    """``folder`` holds the config; ``main`` is the name of the file that is read first."""

    folder: Path
    main: str


def root_of(call: Invocation) -> Root:
    """The root that the invocation names: the folder of `-c`, or the working directory."""
    return Root(call.config.parent, call.config.name)


class InRepository(NamedTuple):
    """Where a config is: ``folder`` leads to it from the repository's root, ``main`` is its first file."""

    folder: str = ""
    main: str = "rolecall.yaml"


def in_repository(call: Invocation) -> InRepository:
    """Return where the config that the invocation names is in its repository."""
    root = root_of(call)
    return InRepository(_folder_in_repository(call, root), root.main)


def _folder_in_repository(call: Invocation, root: Root) -> str:
    """Return what leads from the repository's root to the config's: ``examples/acme/``, or nothing if it is there.

    Annotations and code scanning name files from there. The repository's root is the pipeline's workspace, or the
    nearest folder above that has a `.git`.
    """
    here = root.folder.resolve()
    workspace = call.environ.get("GITHUB_WORKSPACE")
    top = Path(workspace).resolve() if workspace else _repository(here)
    if top is None or not here.is_relative_to(top) or here == top:
        return ""
    return f"{here.relative_to(top).as_posix()}/"


def checkout(folder: Path) -> Path:
    """Return the root of the repository that a folder is in; the folder itself outside of one."""
    return _repository(folder.resolve()) or folder.resolve()


def _repository(here: Path) -> Path | None:
    return next((folder for folder in (here, *here.parents) if os.path.lexists(folder / ".git")), None)
