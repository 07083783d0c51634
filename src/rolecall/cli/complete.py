"""What a shell may complete beside commands and flags: addresses, overlays, teams, and people.

All of it from files: the config, and where people are in a file, that file. No org is asked, and no token is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.errors import RolecallError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_ROLECALL_COMPLETE"
"""Holds the shell's name while it asks."""

_LARGEST = 2**25
"""Files above 32 MiB are not looked through while somebody waits at a prompt."""


def addresses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The addresses that the config speaks of."""
    from rolecall.model.kinds import KINDS

    effective = _effective(ctx)
    names: list[str] = []
    for kind in KINDS:
        section: Any = effective.get(kind.section)
        if isinstance(section, dict):
            names += [f"{kind.section}/{key}" for key in section] if kind.keyed else [kind.section]
    return _beginning(incomplete, names)


def overlays(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the overlays in `env`."""
    from rolecall.desired.load.files import environments

    return [name for name in environments(_main(ctx).parent) if name.startswith(incomplete)]


def teams(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The teams that the config gives somebody."""
    return _beginning(incomplete, _teams(_effective(ctx)))


def groups(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The IdP groups of the config, after those of `A,B,…` that are there already."""
    before, comma, begun = incomplete.rpartition(",")
    mappings: Any = _effective(ctx).get("idp_groups")
    names = _beginning(begun, mappings if isinstance(mappings, dict) else ())
    return [f"{before}{comma}{name}" for name in names if "," not in name]


def people(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """E-mails that the config names, and those in the file that people are read from."""
    effective = _effective(ctx)
    emails = _emails(effective)
    for path in _files_of_people(ctx, effective):
        emails |= _in_file(path)
    return _beginning(incomplete, emails)


def states(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """`live`, `desired`, or the file of a plan."""
    from click.shell_completion import CompletionItem

    items = [CompletionItem(name) for name in ("desired", "live") if name.startswith(incomplete)]
    return items or files(ctx, param, incomplete)


def files(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Whatever file is there: the shell's own completion."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, "file")]


def _beginning(incomplete: str, names: Any) -> list[str]:
    """Those that begin so; letters in either case, as e-mails and groups are told apart without it."""
    start = incomplete.casefold()
    return sorted({name for name in names if name.casefold().startswith(start)})


def _main(ctx: click.Context) -> Path:
    flags = ctx.meta.get("rolecall.flags", {})
    return Path(flags.get("config", "rolecall.yaml"))


def _effective(ctx: click.Context) -> dict[str, Any]:
    from rolecall.desired.load.read import load

    path = _main(ctx)
    try:
        config: Any = load(path.parent, ctx.meta.get("rolecall.flags", {}).get("env"), path.name).effective
    except (OSError, RolecallError):
        return {}
    return config if isinstance(config, dict) else {}


def _teams(value: Any) -> set[str]:
    if not isinstance(value, dict):
        return set()
    named = value.get("teams")
    own = {team for team in named if isinstance(team, str)} if isinstance(named, list) else set()
    return own.union(*map(_teams, value.values()))


def _emails(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_emails, value.values()))
    if isinstance(value, list):
        return set().union(*map(_emails, value))
    return {value} if isinstance(value, str) and "@" in value and " " not in value else set()


def _files_of_people(ctx: click.Context, effective: dict[str, Any]) -> Iterator[Path]:
    """The file of ``people``, the snapshot that is read in the org's place, and the file that one names."""
    source, org = effective.get("people"), effective.get("org")
    people_file = source.get("file") if isinstance(source, dict) else None
    url = org.get("url") if isinstance(org, dict) else None
    folder = _main(ctx).parent
    if isinstance(people_file, str):
        yield folder / people_file
    snapshot = ctx.meta.get("rolecall.flags", {}).get("snapshot")
    if snapshot is None and isinstance(url, str) and url.startswith("observed:"):
        snapshot = folder / url.removeprefix("observed:")
    if snapshot is not None:
        yield snapshot
        named = re.search(rb"""people["']?\s*:\s*["']?([^\s"',{}\[\]]+\.jsonl)""", _read(snapshot))
        if named:
            yield snapshot.parent / named[1].decode("utf-8", "replace")


def _in_file(path: Path) -> set[str]:
    """Everything in a file that looks like an e-mail: tables, JSON and YAML alike, without parsing any of them."""
    return {email.decode("utf-8", "replace") for email in _EMAIL.findall(_read(path))}


_EMAIL = re.compile(rb"""[^\s"',;:<>@(){}\[\]\\][^\s",;<>@(){}\[\]\\]*@[^\s"',;:<>@(){}\[\]\\]+""")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else b""
    except OSError:
        return b""
