"""What a shell may complete beside commands and flags: addresses and people of the config, and its overlays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from rolecall.errors import RolecallError


def addresses(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The addresses that the config speaks of, read from files alone."""
    from rolecall.desired import load
    from rolecall.model.kinds import KINDS

    try:
        effective = load(Path(), None, "rolecall.yaml").effective
    except (OSError, RolecallError):
        return []
    found: list[str] = []
    for kind in KINDS:
        held: Any = effective.get(kind.section)
        if isinstance(held, dict):
            found += [f"{kind.section}/{key}" for key in held] if kind.keyed else [kind.section]
    return sorted(at for at in found if at.startswith(incomplete))


def overlays(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the overlays in `env`."""
    from rolecall.desired import environments

    return [name for name in environments(Path()) if name.startswith(incomplete)]


def people(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """E-mails that the config itself names: required org admins, owners, access tests. The org is not asked."""
    from rolecall.desired import load

    try:
        effective = load(Path(), None, "rolecall.yaml").effective
    except (OSError, RolecallError):
        return []
    return sorted(name for name in _emails(effective) if name.startswith(incomplete))


def _emails(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set().union(*map(_emails, value.values()))
    if isinstance(value, list):
        return set().union(*map(_emails, value))
    return {value} if isinstance(value, str) and "@" in value and " " not in value else set()
