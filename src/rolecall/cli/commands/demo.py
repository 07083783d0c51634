"""Implement `rolecall demo`."""

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
from rolecall.cli.prompts import ask_line, can_ask, continues, say
from rolecall.errors import ConfigError, Exit
from rolecall.model.paste import shell_word
from rolecall.report.line import Line, Span, line


class Chapter(NamedTuple):
    """One chapter: its title, the command, and the exit codes that are expected.

    ``changed_outside``: before the command, an admin changes the org without rolecall.
    """

    title: str
    args: tuple[str, ...]
    expected: tuple[Exit, ...] = (Exit.OK,)
    changed_outside: bool = False


_APPROVE = "DIGEST"
"""In a command: the digest of the plan that was saved."""

CHAPTERS = (
    Chapter("Load Acme's org into a local org: a file, no account, no network.", ("local", "load", "org.json")),
    Chapter("Plan: what does the configuration change, and for which users?", ("plan", "--out", "plan.json")),
    Chapter("Apply: a user gains rights, so the plan must be approved by its digest.",
            ("apply", "plan.json", "--approve", _APPROVE)),
    Chapter("Drift: an admin has just mapped a group in the console. Who did it, and who is affected?", ("drift",),
            changed_outside=True),
    Chapter("Why does Alma have access to Legal?", ("why", "alma.jones@acme.com")),
)  # fmt: skip

INTRODUCTION = "Acme has 400 users and manages their access in WRITER with rolecall."

NEXT = (
    ("rolecall init", "create a configuration for your org"),
    ("rolecall init --url observed:org.yaml", "the same for an org without an API"),
    ("rolecall help", "list the commands"),
)
"""Command -> what it is for, at the end."""


@command("demo", "rolecall demo", "rolecall demo --keep acme      # keep the files, to try more")
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Use this new or empty folder and keep the files, to try more afterwards. Default: a temporary folder.",
)
def demo(call: Invocation, keep: Path | None) -> Exit:
    """Show rolecall at work on an example company, on this machine only.

    Five short chapters: load an org, plan, apply, find drift, explain access. It takes about two minutes,
    and nothing outside the demo's folder is written.
    """
    from rolecall.jobs.demo import copy_example

    out = stdout(call.environ, color=call.color)
    with _folder(keep) as folder:
        copy_example("tour", folder)
        code = _tour(call, out, folder)
        if code is not Exit.OK:
            return code
        out.lines([line(), line("That was the demo. Next:", "head"), *_next_lines()])
        _offer_to_keep(call, out, folder, keep)
    return Exit.OK


def _tour(call: Invocation, out: Console, folder: Path) -> Exit:
    """Run the chapters, on a terminal with a pause after each. Return an exit code that was not expected, else 0."""
    flags = ("-C", str(folder), *(() if call.color else ("--no-color",)))
    out.lines([line(INTRODUCTION, "bold")])
    for number, chapter in enumerate(CHAPTERS, 1):
        if chapter.changed_outside:
            _change_outside(folder)
        args = tuple(_digest(folder) if arg == _APPROVE else arg for arg in chapter.args)
        shown = Line((Span("$ ", "dim"), Span(f"rolecall {' '.join(args)}")))
        out.lines([line(), line(f"{number}/{len(CHAPTERS)}  {chapter.title}", "head"), shown])
        sys.stdout.flush()
        code = _run((*flags, *args))
        if code not in chapter.expected:
            return code
        sys.stdout.flush()
        if number < len(CHAPTERS) and can_ask(call) and not continues("\nPress Enter for the next chapter (q ends): "):
            return Exit.OK
    return Exit.OK


def _next_lines() -> Iterator[Line]:
    wide = max(len(name) for name, _ in NEXT)
    for name, purpose in NEXT:
        yield Line((Span(f"{name:<{wide}}", "bold"), Span(f"   {purpose}")), indent=2)


def _offer_to_keep(call: Invocation, out: Console, folder: Path, keep: Path | None) -> None:
    """Say where the files are, or how to keep them; on a terminal, ask for a folder to keep them in."""
    if keep is None and can_ask(call):
        sys.stdout.flush()
        keep = _ask_where(folder)
    elif keep is None:
        out.lines([line(f"  {'rolecall demo --keep DIR':<37}   run the demo again and keep its files")])
        return
    if keep is not None:
        place = shell_word(str(keep))
        out.lines(
            [
                line(),
                line(f"The files are in {keep}. Try:", "bold"),
                line(f"  rolecall -C {place} plan             undo the admin's change; a guard blocks that"),
                line(f"  rolecall -C {place} drift --accept   keep the admin's change"),
            ]
        )


_KEEP = "\nTo keep the demo's files (as --keep does), enter a folder. To delete them, press Enter: "


def _ask_where(folder: Path) -> Path | None:
    """Return the folder that the files were copied to, or None if they are not to be kept."""
    from rolecall.jobs.demo import copy_files

    while answer := ask_line(_KEEP):
        try:
            copy_files(folder, Path(answer))
        except (ConfigError, OSError) as error:
            say(f"  {error}")
        else:
            return Path(answer)
    return None


def _change_outside(folder: Path) -> None:
    from rolecall.cli.session import wait_for
    from rolecall.jobs.demo import change_by_hand

    wait_for(change_by_hand(folder, "local:.rolecall/org.db"))


def _digest(folder: Path) -> str:
    from rolecall.jobs.saved import read_plan
    from rolecall.plan.saved.digest import digest, short

    return short(digest(read_plan(folder / "plan.json")))


def _run(args: tuple[str, ...]) -> Exit:
    """Run a command of this program, without the settings in this machine's environment."""
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
