"""The example company, wherever rolecall is installed: in a wheel beside the code, in a checkout in ``examples``."""

from __future__ import annotations

import shutil
from pathlib import Path

from rolecall.errors import ConfigError, Problem

_PACKAGE = Path(__file__).resolve().parents[1]


def example(name: str) -> Path:
    """The folder of an example. Raises ConfigError when it is not shipped."""
    for folder in (_PACKAGE / "_examples", _PACKAGE.parents[1] / "examples"):
        if (folder / name / "rolecall.yaml").is_file():
            return folder / name
    hint = "install rolecall from its wheel or its repository"
    raise ConfigError(Problem("no_example", f"the example `{name}` is not in this installation", None, hint))


def copy_example(name: str, to: Path) -> None:
    """Put an example into a folder that is new or empty. Raises ConfigError when it is neither."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(Problem("not_empty", f"{to} is not an empty directory", None, "choose another one"))
    shutil.copytree(example(name), to, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".rolecall"))
