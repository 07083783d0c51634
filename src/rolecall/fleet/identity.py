"""Finds directories of a fleet that configure the same org."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rolecall.desired.load.files import MAIN
from rolecall.desired.load.read import load, load_each
from rolecall.errors import Problem, Where
from rolecall.fleet.declaration import Fleet


def same_orgs(fleet: Fleet, env: str | None) -> Iterator[Problem]:
    """Yield an error for each `org.id` that an earlier directory has as well, with any overlay, or with ``env``."""
    first: dict[str, str] = {}
    for org in fleet.orgs:
        for org_id, where in _ids(fleet.folder / org.path, env).items():
            earlier = first.setdefault(org_id, org.path)
            if earlier != org.path:
                message = f"`{earlier}` has the same `org.id`: {org_id}"
                hint = "correct the id, or remove one of the folders"
                yield Problem("fleet_same_org", message, in_fleet(org.path, where), hint)


def _ids(folder: Path, env: str | None) -> dict[str, Where]:
    """Return the IDs of orgs that a directory names, each with its place."""
    ids: dict[str, Where] = {}
    for sources in load_each(folder, MAIN) if env is None else [load(folder, env, MAIN)]:
        section = sources.effective.get("org")
        org_id = section.get("id") if isinstance(section, dict) else None
        if isinstance(org_id, str):
            ids.setdefault(org_id, sources.where(("org", "id")))
    return ids


def in_fleet(path: str, where: Where) -> Where:
    """Return a place in an org directory as a place in the fleet."""
    return where if where.file.startswith("/") else where._replace(file=f"{path}/{where.file}")
