"""`export`: read the org, write the files, say what could not be written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rolecall.cli.journals import memory
from rolecall.cli.options import Invocation, Root, root_of
from rolecall.cli.session import day, now, read, session, wait_for
from rolecall.desired import Config, load
from rolecall.desired.roles import with_role_ids
from rolecall.errors import OrgError, Problem
from rolecall.jobs.export import (
    Exported,
    UpdateRequest,
    export,
    head_of,
    read_words,
    update,
    with_role_attribute,
    write_export,
    write_update,
)
from rolecall.live.snapshot.reader import SnapshotReader
from rolecall.model.live import Live
from rolecall.model.settings import UNSET
from rolecall.report.phrases import count, visible


def export_new(call: Invocation, out: Path, split: bool) -> Iterator[str]:
    """A config in a directory of its own, with org, people and journal as in the one here."""
    root = root_of(call)
    if call.snapshot is not None and not (root.folder / root.main).exists():
        live = wait_for(SnapshotReader(call.snapshot).read())
        said: Mapping[str, Any] = {"org": {"url": f"observed:{call.snapshot.name}"}}
        beside = {call.snapshot.name: call.snapshot, **_people_beside(call.snapshot)}
    else:
        config = read(call)
        live = with_role_attribute(wait_for(_live(call, config)), config.desired)
        said, beside = _said(call, root, config), _beside(config)
    made = export(live, head_of(said, live, root.folder, out), read_words(live, said["org"]["url"], now()), split=split)
    yield from (f"Wrote {path}" for path in write_export(out, made, beside))
    yield from _told(live, made)
    yield f"Next: rolecall -C {out} plan"


def export_update(call: Invocation) -> Iterator[str]:
    """The files of the config that is here, brought up to the org."""
    root, config = root_of(call), read(call)
    live = with_role_attribute(wait_for(_live(call, config)), config.desired)
    applied = memory(call, config)(live.facts.org_id)
    sources = load(root.folder, call.env, root.main)
    desired = with_role_ids(config.desired, live.facts.roles)
    request = UpdateRequest(sources, desired, live, day(call), applied)
    made = update(request)
    write_update(request, made)
    yield from (f"Changed {root.folder / name}" for name in made.files)
    if not made.files:
        yield "Nothing to change: the config says what the org has."
    yield from _told(live, made)


async def _live(call: Invocation, config: Config) -> Live:
    async with session(call, config) as found:
        live = await found.org.read()
    if config.org.id not in (None, live.facts.org_id):
        message = f"the config is pinned to org {config.org.id}, and this is org {live.facts.org_id}"
        raise OrgError(Problem("other_org", message, config.org.source, "check `org.url`, or `org.id`"))
    return live


def _said(call: Invocation, root: Root, config: Config) -> Mapping[str, Any]:
    return load(root.folder, config.env, root.main).effective


def _beside(config: Config) -> dict[str, Path]:
    """The files that the new config names and that have to be inside its directory: an observed org, and people."""
    files: dict[str, Path] = {}
    if config.org.kind == "observed":
        files[config.org.path] = config.root / config.org.path
        files |= _people_beside(config.root / config.org.path)
    if config.people.kind == "file":
        files[config.people.at] = config.root / config.people.at
    return files


def _people_beside(snapshot: Path) -> dict[str, Path]:
    """The file of people that a snapshot names."""
    people = SnapshotReader(snapshot).load().people
    return {people: snapshot.parent / people} if isinstance(people, str) else {}


def _told(live: Live, made: Exported) -> Iterator[str]:
    if live.settings.idp_groups is not UNSET:
        yield f"{count(len(live.settings.idp_groups), 'IdP group')} read."
    yield from (f"Left out: {visible(row.what)}: {visible(row.why)}" for row in made.left_out)
    yield from (f"Kept, though the org has it otherwise: {visible(at)}" for at in made.kept)
