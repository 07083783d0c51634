"""Find the configuration and the repository that the working directory is in, as git does: upwards."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = "rolecall.yaml"
FLAGS = "rolecall.flags"
"""The key in click's context of the global options of a run."""

DIRECTORY = "directory"
"""The option `-C` among them."""


def config_of(flags: Mapping[str, Any]) -> Path:
    """Return the main file that the global options mean. It is searched for only without `-c` and `-C`."""
    if "config" in flags:
        return Path(flags["config"])
    return Path(CONFIG) if flags.get(DIRECTORY) else find_config()


def find_config() -> Path:
    """Return the main file to read if nothing names one, relative to the working directory.

    It is the one in the working directory, or else in the nearest folder above it up to the root of the git repository.
    Without a repository, and if none has it, it is the name in the working directory.
    """
    if os.path.lexists(CONFIG):
        return Path(CONFIG)
    try:
        start = Path.cwd()
    except OSError:
        return Path(CONFIG)
    top = repository(start)
    above = [] if top is None else [folder for folder in start.parents if folder.is_relative_to(top)]
    found_folder = next((folder for folder in above if (folder / CONFIG).is_file()), None)
    return Path(CONFIG) if found_folder is None else Path(os.path.relpath(found_folder, start)) / CONFIG


def repository(start: Path) -> Path | None:
    """Return the root of the git repository that an absolute folder is in; None outside of one."""
    return next((folder for folder in (start, *start.parents) if os.path.lexists(folder / ".git")), None)


def checkout(folder: Path) -> Path:
    """Return the root of the repository that a folder is in; the folder itself outside of one."""
    return repository(folder.resolve()) or folder.resolve()
