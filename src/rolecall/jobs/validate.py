"""Use case `validate`: everything that is wrong with a config, offline, or against the names of a live org."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rolecall.desired import validate_repo
from rolecall.errors import Problem

if TYPE_CHECKING:
    from rolecall.desired import Config
    from rolecall.live.port import People, Reader


def validate(root: Path, env: str | None, main: str) -> list[Problem]:
    """All problems of the config in ``root``, each once. Without ``env``, those of every overlay there is."""
    return validate_repo(root, env, main)


async def check_online(config: Config, org: Reader, people: People | None = None) -> list[Problem]:
    """Teams, roles and groups in the config that a live org does not have; and, where people come from the IdP, what
    it tells of its app."""
    from rolecall.desired.references import references
    from rolecall.jobs.people import idp_problems
    from rolecall.live.port import IdpSource

    sections = frozenset({"idp_groups", "teams", "roles"})
    live = await org.read(sections | {"scim"} if isinstance(people, IdpSource) else sections)
    return [*references(config, live.facts), *await idp_problems(people, config.desired, live)]
