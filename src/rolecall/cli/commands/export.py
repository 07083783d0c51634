"""Implement `rolecall export`."""

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
from rolecall.model.paste import shell_word

if TYPE_CHECKING:
    from rolecall.desired.build import Config
    from rolecall.jobs.export import Exported
    from rolecall.model.live import Live


@command(
    "export",
    "rolecall export --out acme-access",
    "rolecall export --out acme-access --split    # mappings in files of their own",
    "rolecall export --update                     # update this configuration",
    "rolecall --snapshot acme.json export --out acme-access",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the new configuration. It must not have one yet. Default: export.",
)
@click.option(
    "--split", is_flag=True, help="Write mappings to idp_groups/, one file per team, instead of into rolecall.yaml."
)
@click.option(
    "--update",
    is_flag=True,
    help="Update this configuration to what the org has, instead of writing a new one. Comments and order are kept.",
)
def export(call: Invocation, out: Path | None, split: bool, update: bool) -> None:
    """Write a configuration from the org as it is.

    A plan for it then shows no changes. Use it to start with rolecall, or with --update to adopt changes. Each group
    has its `id` in the org, so that a rename is recognized. Comments say where values come from, and what a
    configuration cannot express. To adopt single changes after the guards have checked them: rolecall drift --accept.
    """
    if update and (out is not None or split):
        raise click.UsageError("--update changes the existing files; --out and --split are for a new configuration")
    lines = export_update(call) if update else export_new(call, out or Path("export"), split)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def export_new(call: Invocation, out: Path, split: bool) -> Iterator[str]:
    """Write a new configuration, with the org, source of users and journal of this one. Return the lines for stdout."""
    from rolecall.jobs.export import head_of, new_config, read_words, with_role_attribute, write_export
    from rolecall.live.snapshot.reader import SnapshotReader

    root = root_of(call)
    if call.snapshot is not None and not (root.folder / root.main).exists():
        live = wait_for(SnapshotReader(call.snapshot).read())
        effective: Mapping[str, Any] = {"org": {"url": f"observed:{call.snapshot.name}"}}
        copies = {call.snapshot.name: call.snapshot, **_people_beside(call.snapshot)}
    else:
        config = read(call)
        live = with_role_attribute(wait_for(_live(call, config, copied=True)), config.desired)
        effective, copies = _effective(root, config), _copies(config)
    exported = new_config(
        live, head_of(effective, live, root.folder, out), read_words(live, effective["org"]["url"], now()), split=split
    )
    yield from (f"Wrote {path}" for path in write_export(out, exported, copies))
    yield from _closing_lines(live, exported)
    yield f"Next: rolecall -C {shell_word(str(out))} plan"


def export_update(call: Invocation) -> Iterator[str]:
    """Update the configuration to the org. Return the lines for stdout."""
    from rolecall.desired.idp_groups import with_idp_ids
    from rolecall.desired.load.read import load
    from rolecall.desired.references import with_role_ids
    from rolecall.jobs.export import UpdateRequest, updated_config, with_role_attribute, write_update

    root, config = root_of(call), read(call)
    live = with_role_attribute(wait_for(_live(call, config)), config.desired)
    applied = memory(call, config)(live.facts.org_id)
    sources = load(root.folder, call.env, root.main)
    desired = with_idp_ids(with_role_ids(config.desired, live.facts.roles), live.facts.idp)
    request = UpdateRequest(sources, desired, live, day(call), applied)
    exported = updated_config(request)
    write_update(request, exported)
    yield from (f"Changed {root.folder / name}" for name in exported.files)
    if not exported.files:
        yield "No changes. The configuration matches the org."
    yield from _closing_lines(live, exported)
    if exported.files:
        env = f" -e {shell_word(call.env)}" if call.env else ""
        yield f"Next: review the diff, then run rolecall{env} plan"


async def _live(call: Invocation, config: Config, *, copied: bool = False) -> Live:
    """Return the org. ``copied``: the people file is copied, so an unreadable or empty one is refused."""
    from rolecall.jobs.idp_side import with_idp_side
    from rolecall.jobs.people import people_hint, read_people
    from rolecall.model.directory import EVERYBODY

    async with session(call, config) as opened:
        live = await opened.org.read()
        live = await with_idp_side(opened.idp_side, config.desired, live)
        if copied and config.people.kind == "file":
            directory = await read_people(opened.people, opened.org, live, EVERYBODY)
            if directory.coverage.state == "unread":
                hint = people_hint(config.people)
                raise OrgError(Problem("unread", f"users could not be read: {directory.coverage.problem}", None, hint))
    if config.org.id not in (None, live.facts.org_id):
        message = f"`org.id` is {config.org.id}, but this is org {live.facts.org_id}"
        raise OrgError(Problem("other_org", message, config.org.source, "correct `org.url` or `org.id`"))
    return live


def _effective(root: Root, config: Config) -> Mapping[str, Any]:
    from rolecall.desired.load.read import load

    return load(root.folder, config.env, root.main).effective


def _copies(config: Config) -> dict[str, Path]:
    """Return the files that a new configuration names and needs in its folder: an observed org, and users."""
    files: dict[str, Path] = {}
    if config.org.kind == "observed":
        files[config.org.path] = config.root / config.org.path
        files |= _people_beside(config.root / config.org.path)
    if config.people.kind == "file":
        files[config.people.at] = config.root / config.people.at
    return files


def _people_beside(snapshot: Path) -> dict[str, Path]:
    """Return the file of users that a snapshot names, if any."""
    from rolecall.live.snapshot.reader import SnapshotReader

    people = SnapshotReader(snapshot).load().people
    return {people: snapshot.parent / people} if isinstance(people, str) else {}


def _closing_lines(live: Live, exported: Exported) -> Iterator[str]:
    from rolecall.model.settings import UNSET
    from rolecall.report.phrases import count, visible

    if live.settings.idp_groups is not UNSET:
        yield f"Read {count(len(live.settings.idp_groups), 'IdP group')}."
    yield from (f"Not exported: {visible(omission.what)}: {visible(omission.why)}" for omission in exported.left_out)
    yield from (f"Kept as configured, although the org differs: {visible(at)}" for at in exported.kept)
