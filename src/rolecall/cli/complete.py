"""Complete values at a shell's prompt: addresses, overlays, teams, roles, groups, users, guards and states.

Everything is read from files: the configuration, and the file that has the users, if there is one. No org is read and
no token is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rolecall.cli.places import FLAGS, config_of
from rolecall.errors import RolecallError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

VARIABLE = "_ROLECALL_COMPLETE"
"""The environment variable in which a shell passes its name when it asks for completions."""

_LARGEST = 2**25
"""Files above 32 MiB are not searched, since a user waits at the prompt."""


def addresses(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the addresses in the configuration."""
    from rolecall.model.kinds import KINDS

    config = effective(ctx)
    names: list[str] = []
    for kind in KINDS:
        section: Any = config.get(kind.section)
        if isinstance(section, dict):
            names += [f"{kind.section}/{key}" for key in section] if kind.keyed else [kind.section]
    return starting(incomplete, names)


def overlays(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the overlays in `env`."""
    from rolecall.desired.load.files import environments

    return [name for name in environments(main_file(ctx).parent) if name.startswith(incomplete)]


def teams(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the teams in the configuration."""
    return starting(incomplete, _values(effective(ctx), "teams"))


def roles(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the roles that every org has and those in the configuration."""
    from rolecall.model.roles import BUILT_IN

    return starting(incomplete, {*BUILT_IN, *_values(effective(ctx), "role")})


def guards(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return `NAME=` for each guard that can be overridden."""
    from click.shell_completion import CompletionItem

    from rolecall.plan.guards.descriptions import DESCRIPTIONS

    return [
        CompletionItem(f"{name}=", help=description.checks)
        for name, description in DESCRIPTIONS.items()
        if description.overridable and not description.addressed and f"{name}=".startswith(incomplete.replace("-", "_"))
    ]


def groups(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the IdP groups in the configuration, after those of `A,B,…` that are typed already."""
    before, comma, begun = incomplete.rpartition(",")
    mappings: Any = effective(ctx).get("idp_groups")
    names = starting(begun, mappings if isinstance(mappings, dict) else ())
    return [f"{before}{comma}{name}" for name in names if "," not in name]


def people(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the email addresses in the configuration and in the file that users are read from."""
    config = effective(ctx)
    emails = _emails(config)
    for path in _files_of_people(ctx, config):
        emails |= _in_file(path)
    return starting(incomplete, emails)


def states(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Return `live` and `desired`, or else files, one of which may be a plan."""
    from click.shell_completion import CompletionItem

    items = [CompletionItem(name) for name in ("desired", "live") if name.startswith(incomplete)]
    return items or files(ctx, param, incomplete)


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Let the shell complete files."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, "file")]


def starting(incomplete: str, names: Any) -> list[str]:
    """Return the names that start with what was typed, in either case."""
    start = incomplete.casefold()
    return sorted({name for name in names if name.casefold().startswith(start)})


def main_file(ctx: click.Context) -> Path:
    """Return the main file of the configuration that the line means."""
    return config_of(ctx.meta.get(FLAGS, {}))


def effective(ctx: click.Context) -> dict[str, Any]:
    """Return the merged configuration that the line means; an empty one if it cannot be read."""
    from rolecall.desired.load.read import load

    path = main_file(ctx)
    try:
        config: Any = load(path.parent, ctx.meta.get(FLAGS, {}).get("env"), path.name).effective
    except (OSError, RolecallError):
        return {}
    return config if isinstance(config, dict) else {}


def _values(value: Any, key: str) -> set[str]:
    """Return the texts under a key at any depth, alone or in a list."""
    if isinstance(value, list):
        return set().union(*(_values(inner, key) for inner in value))
    if not isinstance(value, Mapping):
        return set()
    named = value.get(key)
    own = {text for text in (named if isinstance(named, list) else [named]) if isinstance(text, str)}
    return own.union(*(_values(inner, key) for inner in value.values()))


def _emails(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_emails, value.values()))
    if isinstance(value, list):
        return set().union(*map(_emails, value))
    return {value} if isinstance(value, str) and "@" in value and " " not in value else set()


def _files_of_people(ctx: click.Context, config: dict[str, Any]) -> Iterator[Path]:
    """Yield the file in ``people``, the snapshot that is read instead of the org, and the file that it names."""
    source, org = config.get("people"), config.get("org")
    people_file = source.get("file") if isinstance(source, dict) else None
    url = org.get("url") if isinstance(org, dict) else None
    folder = main_file(ctx).parent
    if isinstance(people_file, str):
        yield folder / people_file
    snapshot = ctx.meta.get(FLAGS, {}).get("snapshot")
    if snapshot is None and isinstance(url, str) and url.startswith("observed:"):
        snapshot = folder / url.removeprefix("observed:")
    if snapshot is not None:
        yield snapshot
        named = re.search(rb"""people["']?\s*:\s*["']?([^\s"',{}\[\]]+\.jsonl)""", _read(snapshot))
        if named:
            yield snapshot.parent / named[1].decode("utf-8", "replace")


def _in_file(path: Path) -> set[str]:
    """Return all texts in a file that look like email addresses, whatever its format, without parsing it."""
    return {email.decode("utf-8", "replace") for email in _EMAIL.findall(_read(path))}


_EMAIL = re.compile(rb"""[^\s"',;:<>@(){}\[\]\\][^\s",;<>@(){}\[\]\\]*@[^\s"',;:<>@(){}\[\]\\]+""")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes() if path.is_file() and path.stat().st_size <= _LARGEST else b""
    except OSError:
        return b""
