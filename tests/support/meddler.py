"""Somebody else at a local org: another admin by its API, and the IdP by SCIM-like writes to its store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from org_client import Client

from rolecall.localorg.store import open_database


@contextmanager
def org(path: Path) -> Iterator[Client]:
    """The org in a file, as a service."""
    database = open_database(path)
    try:
        yield Client(database)
    finally:
        database.close()


def remap(path: Path, by: str, group: str, mapping: dict[str, Any] | None) -> None:
    """An admin maps a group by hand, or unmaps it."""
    with org(path) as client:
        person = client.as_person(by)
        target = f"/v1/idp-groups/{person.group(group)['id']}/mapping"
        answer = person.write("DELETE", target) if mapping is None else person.write("PUT", target, mapping)
        assert answer.status == 200, answer


def put(path: Path, by: str, target: str, **fields: Any) -> None:
    """An admin changes some fields of a setting."""
    with org(path) as client:
        person = client.as_person(by)
        held = {name: said for name, said in person.get(target).items() if name != "etag"}
        answer = person.write("PUT", target, {**held, **fields})
        assert answer.status == 200, answer
