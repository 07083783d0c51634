"""Save an org to a file, with as much of its users as is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from rolecall.codec.people import encode_people
from rolecall.codec.people_lines import encode_lines
from rolecall.codec.snapshot import Snapshot, encode_snapshot
from rolecall.desired.edit.snapshot import snapshot_yaml
from rolecall.jobs.memory import record_reading
from rolecall.jobs.people import read_people
from rolecall.journal.port import Journal
from rolecall.live.port import People, Reader
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.desired import Desired
from rolecall.model.directory import EVERYBODY, Directory
from rolecall.model.live import Caller, Coverage, Live
from rolecall.model.run import RunFacts
from rolecall.outside.files import write_file
from rolecall.plan.diff.identity import identify
from rolecall.plan.explain.access_records import record_access
from rolecall.plan.saved.privacy import mask

PeopleShown = Literal["names", "masked", "counts", "none"]
INLINE = 5_000
"""More users than this are written to a file of their own, next to the snapshot."""


class OrgRead(NamedTuple):
    """An org as it was read. ``directory`` is None if no users were read."""

    live: Live
    directory: Directory | None
    at: datetime
    by: str | None


async def take(org: Reader, people: People | None, people_shown: PeopleShown, now: datetime, by: str | None) -> OrgRead:
    """Read everything. If a file is read, the time and the reader in it are kept."""
    live = await org.read()
    if isinstance(org, SnapshotReader):
        snapshot = org.load()
        now, by = snapshot.taken_at or now, snapshot.taken_by
    reads_people = people is not None and people_shown != "none"
    directory = await read_people(people, org, live, EVERYBODY) if reads_people and people is not None else None
    return OrgRead(live, directory, now, by)


def encoded(taken: OrgRead, people_shown: PeopleShown, key: bytes = b"", people: str | None = None) -> dict[str, Any]:
    """Return the snapshot's JSON. ``people`` is the path of the users' file, if they are in a file of their own.

    A mask stands for the same user with the same ``key``.
    """
    live = _named(taken, people_shown)
    user_rows = (
        None
        if people_shown not in ("names", "masked") or taken.directory is None
        else people or list(_user_rows(taken, people_shown, key))
    )
    return encode_snapshot(Snapshot(live, user_rows, taken.at, taken.by))


def write_snapshot(taken: OrgRead, people_shown: PeopleShown, out: Path, key: bytes = b"") -> list[Path]:
    """Write a snapshot as JSON or YAML, by its name; very many users to another file. Return what was written."""
    many = people_shown in ("names", "masked") and taken.directory is not None and len(taken.directory) > INLINE
    people_file = out.with_name(f"{out.stem}-people.jsonl") if many else None
    content = encoded(taken, people_shown, key, people_file.name if people_file else None)
    if people_file is not None and taken.directory is not None:
        lines = (
            partial(encode_lines, taken.directory) if people_shown == "names" else partial(_masked_lines, taken, key)
        )
        write_file(people_file, lines)
    write_file(out, as_text(content, json_wanted=out.suffix == ".json"))
    return [out, *([people_file] if people_file else [])]


def as_text(content: dict[str, Any], *, json_wanted: bool = False) -> str:
    """Return a snapshot's JSON as text: JSON or YAML."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n" if json_wanted else snapshot_yaml(content)


def record(journal: Journal, taken: OrgRead, desired: Desired, facts: RunFacts) -> int:
    """Write the access record of a snapshot to the journal. Return the run's number."""
    org_id = taken.live.facts.org_id
    sighting = None
    if taken.directory is not None and taken.directory.coverage.state != "unread":
        known = identify(desired, taken.live, journal.applied(org_id))
        sighting = record_access(taken.live, taken.directory, known.desired, taken.at).sighting
    return record_reading(journal, org_id, "snapshot", facts, sighting)


def _named(taken: OrgRead, people_shown: PeopleShown) -> Live:
    """Return the org with what its file may say of users: coverage, counts, and the token's user."""
    live, directory = taken.live, taken.directory
    facts, coverage = live.facts, dict(live.coverage)
    if people_shown != "names":
        facts = facts._replace(caller=Caller(None, facts.caller.org_admin))
    if directory is not None:
        coverage["people"] = _coverage(directory)
        if directory.coverage.state == "complete":
            facts = facts._replace(people=len(directory), active_people=directory.active_people)
    if people_shown in ("counts", "none"):
        coverage["people"] = Coverage(
            "unread", problem=f"not included: the snapshot was taken with --people {people_shown}"
        )
    if people_shown == "none":
        facts = facts._replace(people=None, active_people=None)
    return replace(live, facts=facts, coverage=coverage)


def _coverage(directory: Directory) -> Coverage:
    coverage = directory.coverage
    return coverage if coverage.state != "complete" else Coverage(read=len(directory), total=len(directory))


def _user_rows(taken: OrgRead, people_shown: PeopleShown, key: bytes) -> Iterator[dict[str, Any]]:
    assert taken.directory is not None
    users = encode_people(taken.directory)
    return users if people_shown == "names" else (_mask(user, key) for user in users)


def _masked_lines(taken: OrgRead, key: bytes) -> Iterator[bytes]:
    for user in _user_rows(taken, "masked", key):
        yield json.dumps(user, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


_NAMING = ("email", "id", "name")
"""The keys of a user that identify who it is."""


def _mask(user: dict[str, Any], key: bytes) -> dict[str, Any]:
    """Return a user with a mask as email address, and without the org's ID and the name. It starts like the mask in
    plans."""
    name = f"{mask(key, user['email'], digits=24)}@masked.invalid"
    return {"email": name, **{field: value for field, value in user.items() if field not in _NAMING}}
