"""The config repo: YAML in, one frozen ``Config`` out, or every problem in it with its place.

Public::

    load(root, env=None, main=None) -> Sources       files read and merged; problems inside, nothing raised
    validate(sources) -> list[Problem]               errors and warnings, all at once; offline
    validate_repo(root, env=None, main=None)         the same for a directory; with env=None, for every overlay
    build(sources, warnings=()) -> Config            of sources without errors
    read_config(root, env=None, main=None) -> Config load, validate, build; raises ConfigError with all problems
    environments(root) -> tuple[str, ...]            the names of the overlays in env/

``Config``: ``root``, ``main``, ``env``, ``org`` (model.target.OrgTarget), ``desired`` (model Desired: settings,
intents, policy), ``people``, ``journal``, ``reports_people``, ``include``, ``digest``, ``files``, ``warnings``, and
``where(path)``.

An entry written ``{remove: true}`` is not in the settings; its intent has ``remove``. A blank entry is ``BLANK``.
"""

from __future__ import annotations

from pathlib import Path

from rolecall.desired.build import build
from rolecall.desired.config import Config
from rolecall.desired.files import environments
from rolecall.desired.load import load
from rolecall.desired.sources import Sources
from rolecall.desired.validate import validate, validate_repo
from rolecall.errors import ConfigError

__all__ = ["Config", "Sources", "build", "environments", "load", "read_config", "validate", "validate_repo"]


def read_config(root: Path, env: str | None = None, main: str | None = None) -> Config:
    """The config in directory ``root``. Raises ConfigError with every error found; warnings are in the Config."""
    sources = load(root, env, main)
    problems = validate(sources)
    if any(problem.severity == "error" for problem in problems):
        raise ConfigError(*problems)
    return build(sources, tuple(problems))
