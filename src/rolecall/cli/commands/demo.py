"""`rolecall demo`."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import click

from rolecall.cli.console import Console, stdout
from rolecall.cli.options import Invocation
from rolecall.cli.program import command
from rolecall.errors import Exit
from rolecall.report.line import Line, Span, line


class Stop(NamedTuple):
    """One stop of the tour: what is about to be seen, the command, and the codes it may leave with. ``meddled``: just
    before, somebody changes the org by hand."""

    told: str
    args: tuple[str, ...]
    fine: tuple[Exit, ...] = (Exit.OK,)
    meddled: bool = False


@command("demo", "rolecall demo", "rolecall demo --keep /tmp/acme      # and look around there")
@click.option("--keep", type=click.Path(path_type=Path), metavar="DIR", help="Where to do it, and leave it.")
def demo(call: Invocation, keep: Path | None) -> Exit:
    """A tour on a local org in a scratch directory.

    A company of 400 people: its org is loaded, planned for, changed, and planned for again; then somebody changes it
    by hand. Nothing leaves this machine, and nothing outside the directory is written.
    """
    from rolecall.jobs.demo import copy_example

    out = stdout(call.environ, color=call.color)
    with _folder(keep) as folder:
        copy_example("acme", folder)
        code = _tour(call, out, folder)
    if keep is not None and code is Exit.OK:
        out.lines([line(), line(f"All of it is in {keep}. {_LEFT}", "bold")])
    return code


def _tour(call: Invocation, out: Console, folder: Path) -> Exit:
    flags = ("-C", str(folder), "-e", "prod") + (() if call.color else ("--no-color",))
    for stop in _stops(folder):
        if stop.meddled:
            _meddle(folder)
        args = stop.args or ("apply", "plan.json", "--approve", _digest(folder))
        out.lines(
            [line(), line(stop.told, "head"), Line((Span("$ ", "dim"), Span(f"rolecall -e prod {' '.join(args)}")))]
        )
        sys.stdout.flush()
        code = _run((*flags, *args))
        if code not in stop.fine:
            return code
    return Exit.OK


def _stops(folder: Path) -> list[Stop]:
    return [
        Stop("Acme's org as it is today goes into a local org: a file, no account, no network.", _LOAD),
        Stop("What does the config change in it, and for whom?", ("plan", "--out", "plan.json")),
        Stop("One person gains rights, so somebody has to approve: by the plan's digest.", (), (Exit.OK, Exit.HUMAN)),
        Stop("What is left to do?", ("plan",)),
        Stop(
            "Meanwhile an org admin maps a group by hand. What moved, who did it, and whom does it touch?",
            ("drift",),
            (Exit.OK,),
            True,
        ),
        Stop(
            "The next plan would take it back from 62 people, which is more than a guard lets pass. That is a BLOCK.",
            ("plan",),
            (Exit.OK, Exit.REFUSED),
        ),
        Stop("And why does Alma have what she has?", ("why", "alma.jones@acme.com")),
    ]


def _meddle(folder: Path) -> None:
    from rolecall.cli.session import wait_for
    from rolecall.jobs.demo import change_by_hand

    wait_for(change_by_hand(folder, "local:.rolecall/prod.db"))


_LEFT = (
    "Its next plan is that BLOCK: cd there and say `rolecall -e prod drift --accept` to keep what was done by hand, "
    "or allow it as the plan says; then change idp_groups/*.yaml and plan again."
)

_LOAD = ("local", "load", "live/prod.json")


def _digest(folder: Path) -> str:
    from rolecall.jobs.saved import read_plan
    from rolecall.plan.saved.digest import digest, short

    return short(digest(read_plan(folder / "plan.json")))


def _run(args: tuple[str, ...]) -> Exit:
    """The very program, with nothing of this machine's settings in it."""
    from rolecall.cli.program import called

    variables = {name: value for name, value in os.environ.items() if name.startswith("ROLECALL_")}
    start_folder = Path.cwd()
    for name in variables:
        del os.environ[name]
    try:
        return Exit(called(list(args)) or 0)
    finally:
        os.chdir(start_folder)
        os.environ.update(variables)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="rolecall-demo-") as name:
        yield Path(name)
