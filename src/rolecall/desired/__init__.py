"""The config repo: YAML in, one frozen ``Config`` out, or every problem in it with its place.

Public::

    load(root, env=None, main=None) -> Sources       files read and merged; problems inside, nothing raised
    validate(sources) -> list[Problem]               errors and warnings, all at once; offline
    validate_repo(root, env=None, main=None)         the same for a directory; with env=None, for every overlay
    build(sources, warnings=()) -> Config            of sources without errors
    read_config(root, env=None, main=None) -> Config load, validate, build; raises ConfigError with all problems
    environments(root) -> tuple[str, ...]            the names of the overlays in env/
    references.references(config, facts)             names that the org does not have, with places
    roles.with_role_ids(desired, roles)              the console's words for an org's own roles, as ids

``Config``: ``root``, ``main``, ``env``, ``org`` (model.target.OrgTarget), ``desired`` (model Desired: settings,
intents, policy), ``people``, ``journal``, ``reports_people``, ``include``, ``digest``, ``files``, ``warnings``, and
``where(path)``.

An entry written ``{remove: true}`` is not in the settings; its intent has ``remove``. A blank entry is ``BLANK``.

Names are imported when they are asked for: validating needs neither the model nor what builds it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rolecall.desired.building import build, read_config
    from rolecall.desired.config import Config
    from rolecall.desired.files import environments
    from rolecall.desired.loading import load
    from rolecall.desired.sources import Sources
    from rolecall.desired.validating import validate, validate_repo

__all__ = ["Config", "Sources", "build", "environments", "load", "read_config", "validate", "validate_repo"]

_HOMES = {
    "Config": "config",
    "Sources": "sources",
    "build": "building",
    "environments": "files",
    "load": "loading",
    "read_config": "building",
    "validate": "validating",
    "validate_repo": "validating",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
