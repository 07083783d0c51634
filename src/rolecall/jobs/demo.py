"""Run the parts of `demo`: copy the example company, and change its org without rolecall.

The example is in the package of a wheel, in ``examples`` of a checkout.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from rolecall.errors import ConfigError, OrgError, Problem
from rolecall.model.settings import Address, GroupMapping

_PACKAGE = Path(__file__).resolve().parents[1]


def example(name: str) -> Path:
    """Return the folder of an example. Raises ConfigError if it is not installed."""
    for folder in (_PACKAGE / "_examples", _PACKAGE.parents[1] / "examples"):
        if (folder / name / "rolecall.yaml").is_file():
            return folder / name
    hint = "install rolecall from its wheel or its repository"
    raise ConfigError(Problem("no_example", f"the example `{name}` is not in this installation", None, hint))


def copy_example(name: str, to: Path) -> None:
    """Copy an example into a new or empty folder. Raises ConfigError for any other folder."""
    copy_files(example(name), to, ".rolecall")


def copy_files(source: Path, to: Path, *ignored: str) -> None:
    """Copy a folder's files, without those named, into a new or empty one. Raises ConfigError for any other."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(Problem("not_empty", f"{to} is not an empty folder", None, "choose another one"))
    shutil.copytree(source, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*ignored))


@dataclass(frozen=True, slots=True)
class ConsoleChange:
    """A mapping that an admin sets in the org without rolecall."""

    who: str
    address: Address
    mapping: GroupMapping


CONSOLE_CHANGE = ConsoleChange(
    "ines.okafor@acme.com", Address("idp_groups/Writer-Sales"), GroupMapping("member", frozenset({"Sales", "Legal"}))
)
"""The change that an admin of the example company makes between two plans."""


async def change_by_hand(folder: Path, url: str, change: ConsoleChange = CONSOLE_CHANGE) -> None:
    """Set a mapping in a local org as an admin. Raises OrgError if the org refuses it."""
    from rolecall.jobs.local import TokenRequest, make_token
    from rolecall.live.client import OrgClient
    from rolecall.live.connect import connect
    from rolecall.model.change import Change
    from rolecall.model.kinds import value_at
    from rolecall.model.outcome import Done

    secret = make_token(str(folder / url.removeprefix("local:")), TokenRequest("admin", change.who))
    org = connect(url, lambda: secret, folder=folder)
    if not isinstance(org, OrgClient):
        raise OrgError(Problem("not_local", f"{url} is not a local org", None, "set `org.url` to local:PATH"))
    try:
        live = await org.read(frozenset({"idp_groups", "roles"}))
        update = Change(change.address, "update", value_at(live.settings, change.address), change.mapping)
        ended = await org.write(update, live.versions.get(change.address), "by-hand/1")
    finally:
        await org.close()
    if not isinstance(ended, Done):
        message = f"{change.address} could not be changed in the example's org"
        raise OrgError(Problem("not_done", message, None, "run rolecall demo again; if it fails again, report a bug"))
