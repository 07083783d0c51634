"""Use case `validate`: everything that is wrong with a config, offline, or against the names of a live org."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.desired import validate_repo
from rolecall.errors import Problem

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.live.port import Reader


def validate(root: Path, env: str | None, main: str) -> list[Problem]:
    """All problems of the config in ``root``, each once. Without ``env``, those of every overlay there is."""
    return validate_repo(root, env, main)


async def check_names(config: Config, org: Reader) -> list[Problem]:
    """Teams, roles and groups in the config that a live org does not have."""
    from rolecall.desired.references import references

    live = await org.read(frozenset({"idp_groups", "teams", "roles"}))
    return references(config, live.facts)
