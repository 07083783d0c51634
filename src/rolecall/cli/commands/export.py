"""`rolecall export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.journals import memory
from rolecall.cli.options import Invocation, Root, root_of
from rolecall.cli.program import command
from rolecall.cli.session import day, now, read, session, wait_for
from rolecall.errors import OrgError, Problem

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.export import Exported
    from rolecall.model.live import Live


@command(
    "export",
    "rolecall export --out acme-access",
    "rolecall export --out acme-access --split    # mappings in files of their own",
    "rolecall export --update                     # merge into the config that is here",
    "rolecall --snapshot acme.json export --out acme-access",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write the config [export].")
@click.option("--split", is_flag=True, help="Mappings in idp_groups/, a file for each team.")
@click.option("--update", is_flag=True, help="Merge into the files of this config; comments and order stay.")
def export(call: Invocation, out: Path | None, split: bool, update: bool) -> None:
    """Write the live org as a config that plans empty.

    Groups are pinned by their ids. Comments say where a value came from, and what a config cannot say.
    """
    if update and (out is not None or split):
        raise click.UsageError("--update changes the files that are here; --out and --split make new ones")
    lines = export_update(call) if update else export_new(call, out or Path("export"), split)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def export_new(call: Invocation, out: Path, split: bool) -> Iterator[str]:
    """A config in a directory of its own, with org, people and journal as in the one here."""
    from rolecall.jobs.export import head_of, new_config, read_words, with_role_attribute, write_export
    from rolecall.live.snapshot.reader import SnapshotReader

    root = root_of(call)
    if call.snapshot is not None and not (root.folder / root.main).exists():
        live = wait_for(SnapshotReader(call.snapshot).read())
        effective: Mapping[str, Any] = {"org": {"url": f"observed:{call.snapshot.name}"}}
        copies = {call.snapshot.name: call.snapshot, **_people_beside(call.snapshot)}
    else:
        config = read(call)
        live = with_role_attribute(wait_for(_live(call, config)), config.desired)
        effective, copies = _effective(call, root, config), _copies(config)
    exported = new_config(
        live, head_of(effective, live, root.folder, out), read_words(live, effective["org"]["url"], now()), split=split
    )
    yield from (f"Wrote {path}" for path in write_export(out, exported, copies))
    yield from _closing_lines(live, exported)
    yield f"Next: rolecall -C {out} plan"


def export_update(call: Invocation) -> Iterator[str]:
    """The files of the config that is here, brought up to the org."""
    from rolecall.desired.load.read import load
    from rolecall.desired.references import with_role_ids
    from rolecall.jobs.export import UpdateRequest, updated_config, with_role_attribute, write_update

    root, config = root_of(call), read(call)
    live = with_role_attribute(wait_for(_live(call, config)), config.desired)
    applied = memory(call, config)(live.facts.org_id)
    sources = load(root.folder, call.env, root.main)
    desired = with_role_ids(config.desired, live.facts.roles)
    request = UpdateRequest(sources, desired, live, day(call), applied)
    exported = updated_config(request)
    write_update(request, exported)
    yield from (f"Changed {root.folder / name}" for name in exported.files)
    if not exported.files:
        yield "Nothing to change: the config says what the org has."
    yield from _closing_lines(live, exported)


async def _live(call: Invocation, config: Config) -> Live:
    async with session(call, config) as opened:
        live = await opened.org.read()
    if config.org.id not in (None, live.facts.org_id):
        message = f"the config is pinned to org {config.org.id}, and this is org {live.facts.org_id}"
        raise OrgError(Problem("other_org", message, config.org.source, "check `org.url`, or `org.id`"))
    return live


def _effective(call: Invocation, root: Root, config: Config) -> Mapping[str, Any]:
    from rolecall.desired.load.read import load

    return load(root.folder, config.env, root.main).effective


def _copies(config: Config) -> dict[str, Path]:
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
    from rolecall.live.snapshot.reader import SnapshotReader

    people = SnapshotReader(snapshot).load().people
    return {people: snapshot.parent / people} if isinstance(people, str) else {}


def _closing_lines(live: Live, exported: Exported) -> Iterator[str]:
    from rolecall.model.settings import UNSET
    from rolecall.report.phrases import count, visible

    if live.settings.idp_groups is not UNSET:
        yield f"{count(len(live.settings.idp_groups), 'IdP group')} read."
    yield from (f"Left out: {visible(omission.what)}: {visible(omission.why)}" for omission in exported.left_out)
    yield from (f"Kept, though the org has it otherwise: {visible(at)}" for at in exported.kept)
