"""Use case `demo`: the example company, wherever rolecall is installed, and what somebody does to it by hand.

It is beside the code in a wheel, in ``examples`` in a checkout.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from rolecall.errors import ConfigError, OrgError, Problem
from rolecall.model.settings import Address, GroupMapping

_PACKAGE = Path(__file__).resolve().parents[1]


def example(name: str) -> Path:
    """The folder of an example. Raises ConfigError when it is not shipped."""
    for folder in (_PACKAGE / "_examples", _PACKAGE.parents[1] / "examples"):
        if (folder / name / "rolecall.yaml").is_file():
            return folder / name
    hint = "install rolecall from its wheel or its repository"
    raise ConfigError(Problem("no_example", f"the example `{name}` is not in this installation", None, hint))


def copy_example(name: str, to: Path) -> None:
    """Put an example into a folder that is new or empty. Raises ConfigError when it is neither."""
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise ConfigError(Problem("not_empty", f"{to} is not an empty directory", None, "choose another one"))
    shutil.copytree(example(name), to, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".rolecall"))


@dataclass(frozen=True, slots=True)
class ByHand:
    """Something that an admin does in the org without asking the repo."""

    who: str
    address: Address
    mapping: GroupMapping


MEDDLING = ByHand(
    "ines.okafor@acme.com", Address("idp_groups/Writer-Sales"), GroupMapping("member", frozenset({"Sales", "Legal"}))
)
"""What happens to the example company while nobody looks."""


async def change_by_hand(folder: Path, url: str, done: ByHand = MEDDLING) -> None:
    """Let an admin change a mapping in a local org, past config and journal. Raises OrgError when the org says no."""
    from rolecall.jobs.local import Wish, make_token
    from rolecall.live.client import OrgClient
    from rolecall.live.connect import connect
    from rolecall.model.change import Change, Done
    from rolecall.model.kinds import value_at

    secret = make_token(str(folder / url.removeprefix("local:")), Wish("admin", done.who))
    org = connect(url, lambda: secret, folder=folder)
    if not isinstance(org, OrgClient):
        raise OrgError(Problem("not_local", f"{url} is no local org"))
    try:
        live = await org.read(frozenset({"idp_groups", "roles"}))
        change = Change(done.address, "update", value_at(live.settings, done.address), done.mapping)
        ended = await org.write(change, live.versions.get(done.address), "by-hand/1")
    finally:
        await org.close()
    if not isinstance(ended, Done):
        raise OrgError(Problem("not_done", f"{done.address} could not be changed"))
